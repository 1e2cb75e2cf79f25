"""The cameras of the rig, as a table."""

from __future__ import annotations

from functools import partial
from typing import Any

import omni.ui as ui

from hpvqa_collector.fields import Field
from hpvqa_collector.rig import Camera
from hpvqa_collector.ui import stage
from hpvqa_collector.ui.rows import Control, button, option_control, row
from hpvqa_collector.ui.sections.base import Section
from hpvqa_collector.ui.style import GAP, ROW_HEIGHT


class CamerasSection(Section):
    """The cameras that record every episode."""

    title = "Cameras"
    rebuilt_on = ("job", "cameras")
    refreshed_on = ("edited",)

    def build(self) -> None:
        """The rig, the task whose cameras are shown, and two lines for each of them."""
        collector = self.collector
        self._sizes: list[ui.Label] = []
        field = collector.job.fields["rig",]
        name = Field(field.path, "Rig", field.description, "text", "paper")
        with row("Rig", field.description):
            Control(name, self._rig, self._choose, collector, topic="cameras")
            button("Load...", self._load, "Take the cameras of a YAML file.", "rig.load", width=56)
            button(
                "Save...", self._save, "Write the cameras that are on as a YAML file for --rig.", "rig.save", width=56
            )
        if collector.table is not None and collector.table.description:
            ui.Label(collector.table.description, height=0, name="faint", word_wrap=True, identifier="rig.description")
        tasks = [task.name for task in collector.job.tasks]
        with row("Cameras of", "Every task has cameras of its own."):
            option_control(
                collector, "preview_task", "Task", "choice", "Whose cameras are listed.", tasks, topic="cameras"
            )
            button("From viewport", self._add_viewport, "Add the viewport's own camera.", "rig.viewport")
            button("From selection", self._add_selected, "Add the cameras that are selected.", "rig.selected")
        if collector.table is None:
            ui.Label("The cameras appear as soon as hpvqa has answered.", height=0, name="faint")
            return
        for camera, on in collector.table.rows(self._task):
            self._camera(camera, on)

    def refresh(self) -> None:
        """Show the resolution of the job with every camera."""
        width, height = self.collector.job.get(("resolution",))
        for label in self._sizes:
            label.text = f"{width}x{height}"

    @property
    def _task(self) -> str:
        return self.collector.options.preview_task

    def _camera(self, camera: Camera, on: bool) -> None:
        name = camera["name"]
        fields = self.collector.job.camera_fields
        switch = Field(("on",), "On", "Whether this camera records.", "switch", True)
        with ui.HStack(height=ROW_HEIGHT, spacing=GAP):
            self._control(switch, name, on, partial(self._switch, name))
            self._control(fields["name"], name, name)
            ui.Label("lens [mm]", width=60, name="faint", tooltip=fields["focal_length"].description)
            self._control(
                fields["focal_length"], name, camera.get("focal_length", fields["focal_length"].default), width=44
            )
            ui.Label("near [m]", width=54, name="faint", tooltip=fields["near"].description)
            self._control(fields["near"], name, camera.get("near", fields["near"].default), width=44)
            self._sizes.append(
                ui.Label("", width=62, name="faint", tooltip="All cameras have the resolution of the job (Task).")
            )
            button("x", partial(self._remove, name), f"Take {name} out of the rig.", f"camera.{name}.remove", width=22)
        with ui.HStack(height=ROW_HEIGHT, spacing=GAP):
            ui.Spacer(width=22)
            ui.Label("at [m]", width=40, name="faint", tooltip=fields["position"].description)
            self._control(fields["position"], name, camera["position"])
            aim = "look_at" if "look_at" in camera else "quat_wxyz"
            word = "sees [m]" if aim == "look_at" else "turned"
            ui.Label(word, width=54, name="faint", tooltip=fields[aim].description)
            self._control(fields[aim], name, camera[aim])
        up = camera.get("up", fields["up"].default)
        if aim == "look_at" and list(up) != list(fields["up"].default):
            # Two cameras in one place that see one point differ in this alone.
            with ui.HStack(height=ROW_HEIGHT, spacing=GAP):
                ui.Spacer(width=22)
                ui.Label("up", width=40, name="faint", tooltip=fields["up"].description)
                self._control(fields["up"], name, up)

    def _control(self, field: Field, camera: str, value: Any, write: Any = None, width: int = 0) -> None:
        key = field.path[0]
        Control(
            field if value is None or not field.optional else _required(field),
            lambda: value,
            write or partial(self._change, camera, key),
            self.collector,
            identifier=f"camera.{camera}.{key}",
            topic="cameras",
            width=width,
        )

    def _change(self, camera: str, key: str, value: Any) -> None:
        self._edit(lambda table: table.change(self._task, camera, key, value))

    def _switch(self, camera: str, on: bool) -> None:
        self._edit(lambda table: table.set_on(self._task, camera, on))

    def _remove(self, camera: str) -> None:
        self.collector.change_camera(lambda table: table.remove(self._task, camera))

    def _edit(self, change: Any) -> None:
        # Inside `Collector.attempt` already: what goes wrong is said there.
        self.collector.edit_table(change)

    def _rig(self) -> str:
        collector = self.collector
        if collector.table is not None and collector.table.edited:
            return str(collector.table.rig()["name"])
        rig = collector.job.get(("rig",))
        return rig if isinstance(rig, str) else str(rig["name"])

    def _choose(self, name: str) -> None:
        self.collector.choose_rig(name)

    def _load(self) -> None:
        collector = self.collector

        def chosen(path: Any) -> None:
            collector.attempt(lambda: collector.choose_rig(str(path)))

        self.dialogs.ask("Load a camera rig", "Load", chosen, collector.home)

    def _save(self) -> None:
        collector = self.collector

        def chosen(path: Any) -> None:
            collector.attempt(lambda: collector.save_rig(path))

        self.dialogs.ask("Save the camera rig", "Save", chosen, collector.home, "rig.yaml")

    def _add_viewport(self) -> None:
        self.collector.change_camera(lambda table: table.add(self._task, stage.viewport_camera()))

    def _add_selected(self) -> None:
        def add(table: Any) -> None:
            for camera in stage.selected_cameras():
                table.add(self._task, camera)

        self.collector.change_camera(add)


def _required(field: Field) -> Field:
    return Field(field.path, field.title, field.description, field.kind, field.default)
