"""One sampled scene on the open stage."""

from __future__ import annotations

from functools import partial

import omni.ui as ui

from hpvqa_collector.options import HELP
from hpvqa_collector.ui import stage
from hpvqa_collector.ui.rows import button, in_columns, option_control, row
from hpvqa_collector.ui.sections.base import Section
from hpvqa_collector.ui.style import GAP, ROW_HEIGHT

_COLUMNS, _HEIGHT = 3, 84
"""Cameras beside each other, and how high their pictures are [pixels]."""


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
                "Draw the scene under /HiddenPhysics, in the session layer: your file is not changed.",
                "preview",
            )
            self._remove = button("Remove", self._erase, "Take the preview off the stage.", "preview.remove", width=90)
            self._remove.enabled = bool(collector.scene.cameras)
        if collector.scene.cameras:
            ui.Label("Look through", height=0, name="faint", tooltip="Lets the viewport see what the camera records.")
        in_columns(list(collector.scene.cameras), _COLUMNS, self._camera)

    def _camera(self, name: str) -> None:
        """What a camera sees, and a button that lets the viewport see it."""
        scene = self.collector.scene
        picture = scene.pictures.get(name)
        with ui.VStack(height=0, spacing=2):
            if picture is not None and picture.is_file():
                ui.ImageWithProvider(
                    str(picture),
                    height=_HEIGHT,
                    fill_policy=ui.IwpFillPolicy.IWP_PRESERVE_ASPECT_FIT,
                    identifier=f"preview.picture.{name}",
                    tooltip="What it records at the start, as the embedded simulator draws it.",
                )
            else:
                ui.Label(
                    "..." if scene.waiting else "no picture",
                    height=_HEIGHT,
                    alignment=ui.Alignment.CENTER,
                    name="faint",
                    tooltip="The picture is being drawn." if scene.waiting else scene.failed,
                    identifier=f"preview.none.{name}",
                )
            action = partial(self._look, scene.cameras[name])
            with ui.HStack(height=ROW_HEIGHT):
                button(name, action, f"Let the viewport look through {name}.", f"preview.look.{name}")

    def _erase(self) -> None:
        self.collector.scene.forget()
        self.collector.attempt(stage.erase)
        self.collector.tell("preview")

    def _look(self, path: str) -> None:
        self.collector.attempt(lambda: stage.look_through(path))
