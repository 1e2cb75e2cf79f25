"""What to collect: tasks, numbers, rates."""

from __future__ import annotations

from typing import Any

import omni.ui as ui

from hpvqa_collector.fields import Field
from hpvqa_collector.options import HELP
from hpvqa_collector.ui.rows import Control, button, job_row, option_row, row
from hpvqa_collector.ui.sections.base import Section

_LABELS = {"backend": "Simulator", "num_envs": "Environments", "fps": "Frames per second", "video": "Record clips"}
"""Clearer than the words of the schema."""
_ONLY = {"physics": "isaac", "num_envs": "isaac"}
"""Settings that only one simulator heeds."""


class TaskSection(Section):
    """What to collect."""

    title = "Task"
    rebuilt_on = ("job",)
    refreshed_on = ("estimate",)

    def build(self) -> None:
        """A line for each task, then what all share."""
        job = self.collector.job
        backend = job.get(("backend",))
        self._rates: dict[str, Control] = {}
        for task in job.tasks:
            self._task(task.name, task.title)
        for field in job.fields.values():
            if len(field.path) == 1 and field.kind != "rig" and _ONLY.get(field.name, backend) == backend:
                # Which settings there are follows from the simulator.
                topic = "job" if field.name == "backend" else "edited"
                job_row(self.collector, field, _LABELS.get(field.name, ""), topic)
        if backend == "mujoco":
            option_row(self.collector, "workers", "Workers (0: all cores)", "integer", HELP["workers"])
        with ui.HStack(height=0, spacing=4):
            button("Load job...", self._load, "Take all settings from a YAML recipe.", "job.load")
            button("Save job...", self._save, "Write all settings as a recipe for hpvqa collect --recipe.", "job.save")

    def _task(self, name: str, title: str) -> None:
        job = self.collector.job
        active = Field(("tasks", name), title, f"Whether to collect: {title.lower()}.", "switch", True)
        with row(title, active.description):
            Control(active, lambda: job.active[name], lambda on: job.set_active(name, on), self.collector, topic="job")
        if not job.active[name]:
            return
        for field in job.fields.values():
            if field.path[:2] == ("tasks", name) and len(field.path) == 3:
                control = job_row(self.collector, field, f"    {_LABELS.get(field.path[2], field.title)}")
                if field.path[2] == "eval_episodes":
                    control.hint("a quarter")
                elif field.path[2] == "fps":
                    self._rates[name] = control

    def refresh(self) -> None:
        """Say which rates the tasks themselves choose."""
        found = self.collector.estimate["tasks"] if self.collector.estimate is not None else {}
        for task, control in self._rates.items():
            control.hint(str(found.get(task, {}).get("fps", "the task's")))

    def _load(self) -> None:
        collector = self.collector

        def chosen(path: Any) -> None:
            collector.attempt(lambda: collector.load_job(path))

        self.dialogs.ask("Load a job", "Load", chosen, collector.home)

    def _save(self) -> None:
        collector = self.collector

        def chosen(path: Any) -> None:
            collector.attempt(lambda: collector.save_job(path))

        self.dialogs.ask("Save the job", "Save", chosen, collector.home, "job.yaml")
