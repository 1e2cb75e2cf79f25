"""What differs between episodes: every range that a spec is drawn from."""

from __future__ import annotations

import omni.ui as ui

from hpvqa_collector.ui.rows import button, job_row
from hpvqa_collector.ui.sections.base import Section


class RandomizationSection(Section):
    """What differs between episodes, and how much."""

    title = "Randomization"
    rebuilt_on = ("job",)

    def build(self) -> None:
        """The hidden properties, then everything that must not tell the answer."""
        job = self.collector.job
        for task in (task for task in job.tasks if job.active[task.name]):
            ui.Label(f"{task.title}: the hidden property", height=0, name="faint", tooltip=task.title)
            for field in job.fields.values():
                if field.path[:3] == ("tasks", task.name, "ranges"):
                    job_row(self.collector, field)
        ui.Label("Nuisance variables", height=0, name="faint", tooltip="Drawn anew for every episode.")
        for field in job.fields.values():
            if field.path[0] == "randomization":
                job_row(self.collector, field)
        ui.Label("Shift", height=0, name="faint", tooltip="Changes one thing of every episode, for testing only.")
        for field in job.fields.values():
            if field.path[0] == "shift":
                job_row(self.collector, field)
        button("Reset to the paper's", self._reset, "Set every range back to that of the paper.", "randomization.reset")

    def _reset(self) -> None:
        job = self.collector.job
        job.reset(("randomization",), ("shift",), *(("tasks", task.name, "ranges") for task in job.tasks))
        self.collector.say("")
        self.collector.changed("job")
