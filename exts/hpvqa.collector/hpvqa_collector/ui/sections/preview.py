"""One sampled scene on the open stage."""

from __future__ import annotations

from functools import partial

import omni.ui as ui

from hpvqa_collector.options import HELP
from hpvqa_collector.ui import stage
from hpvqa_collector.ui.rows import button, option_control, row
from hpvqa_collector.ui.sections.base import Section
from hpvqa_collector.ui.style import GAP, ROW_HEIGHT


class PreviewSection(Section):
    """One sampled scene with its cameras on the open stage: what will be recorded."""

    title = "Preview"
    rebuilt_on = ("preview", "cameras", "job")

    def build(self) -> None:
        """Which episode, two buttons, and a button for each camera that was drawn."""
        collector = self.collector
        tasks = [task.name for task in collector.job.tasks]
        with row("Episode", HELP["preview_index"]):
            option_control(
                collector,
                "preview_task",
                "Task",
                "choice",
                HELP["preview_task"],
                tasks,
                identifier="preview.task",
                topic="cameras",
            )
            option_control(collector, "preview_index", "Number", "integer", HELP["preview_index"])
        with ui.HStack(height=0, spacing=GAP):
            button(
                "Preview on the stage",
                lambda: collector.attempt(collector.preview),
                "Draw the scene under /HiddenPhysicsPreview, in the session layer: your file is not changed.",
                "preview",
            )
            self._remove = button("Remove", self._erase, "Take the preview off the stage.", "preview.remove", width=90)
            self._remove.enabled = bool(collector.cameras_drawn)
        if collector.cameras_drawn:
            ui.Label("Look through", height=0, name="faint", tooltip="Lets the viewport see what the camera records.")
        names = list(collector.cameras_drawn)
        for start in range(0, len(names), 3):
            with ui.HStack(height=ROW_HEIGHT, spacing=GAP):
                for name in names[start : start + 3]:
                    action = partial(self._look, collector.cameras_drawn[name])
                    button(name, action, f"Let the viewport look through {name}.", f"preview.look.{name}")
                for _ in range(len(names), start + 3):
                    ui.Spacer()

    def _erase(self) -> None:
        self.collector.spec = None
        self.collector.cameras_drawn = {}
        self.collector.attempt(stage.erase)
        self.collector.tell("preview")

    def _look(self, path: str) -> None:
        self.collector.attempt(lambda: stage.look_through(path))
