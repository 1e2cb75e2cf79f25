"""The table of cameras: a rig that is edited row by row, with cameras that are switched off kept aside."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from hpvqa_collector.check import checked
from hpvqa_collector.errors import BadInputError
from hpvqa_collector.fields import Field

_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")

Camera = dict[str, Any]
"""A camera as a rig file describes it."""


class CameraTable:
    """The cameras of every task, each of them on or off.

    Args:
        fields: The settings of a camera, by name.
        rig: A rig as plain data, or the table as it was stored.
    """

    def __init__(
        self, fields: Mapping[str, Field], rig: Mapping[str, Any], off: Mapping[str, Any] | None = None
    ) -> None:
        self._fields = fields
        self.name = str(rig["name"])
        self.description = str(rig.get("description", ""))
        self._cameras = {
            task: [{key: value for key, value in camera.items() if value is not None} for camera in cameras]
            for task, cameras in rig["tasks"].items()
        }
        self._off = {task: set((off or {}).get(task, ())) for task in self._cameras}
        self.edited = False
        """Whether it differs from the rig that it was made from."""

    def rows(self, task: str) -> list[tuple[Camera, bool]]:
        """The cameras of a task, and whether each is on."""
        off = self._off.get(task, set())
        return [(copy.deepcopy(camera), camera["name"] not in off) for camera in self._cameras.get(task, [])]

    def set_on(self, task: str, name: str, on: bool) -> None:
        """Switch a camera on or off.

        Raises:
            BadInputError: None would be left on.
        """
        off = self._off.setdefault(task, set())
        if not on and all(camera["name"] in off | {name} for camera in self._cameras[task]):
            raise BadInputError(f"At least one camera of {task} must be on")
        (off.discard if on else off.add)(name)
        self.edited = True

    def change(self, task: str, name: str, key: str, value: Any) -> None:
        """Change one setting of a camera; a point to look at takes the place of an orientation, and the other way.

        Raises:
            BadInputError: The value does not fit, or the name is taken.
        """
        camera = self._find(task, name)
        value = checked(self._fields[key], value)
        if key in {"focal_length", "near"} and value <= 0:
            raise BadInputError(f"{self._fields[key].title} must be greater than 0, not {value:g}")
        if key == "name":
            self._check_name(task, value)
            if name in self._off.get(task, set()):
                self._off[task] = self._off[task] - {name} | {value}
        if key == "look_at":
            camera.pop("quat_wxyz", None)
        if key == "quat_wxyz":
            camera.pop("look_at", None)
            camera.pop("up", None)
        camera[key] = value
        self.edited = True

    def add(self, task: str, camera: Camera) -> str:
        """Add a camera; its name is made into one that is free.

        Returns:
            The name that it got.
        """
        stem = (
            "_".join(re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", camera["name"]).lower()))
            or "camera"
        )
        taken = {other["name"] for other in self._cameras.setdefault(task, [])}
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}_{number}", number + 1
        self._cameras[task].append({**camera, "name": name})
        self.edited = True
        return name

    def remove(self, task: str, name: str) -> None:
        """Take a camera out.

        Raises:
            BadInputError: It is the last one that is on.
        """
        self.set_on(task, name, on=False)
        self._cameras[task] = [camera for camera in self._cameras[task] if camera["name"] != name]
        self._off[task].discard(name)

    def rig(self) -> dict[str, Any]:
        """The rig of the cameras that are on."""
        tasks = {task: [camera for camera, on in self.rows(task) if on] for task in self._cameras}
        name = self.name if not self.edited or self.name.endswith("-edited") else f"{self.name}-edited"
        return {"name": name, "description": self.description, "tasks": tasks}

    def stored(self) -> dict[str, Any]:
        """Everything, for the next session."""
        return {
            "rig": {"name": self.name, "description": self.description, "tasks": copy.deepcopy(self._cameras)},
            "off": {task: sorted(names) for task, names in self._off.items()},
            "edited": self.edited,
        }

    @classmethod
    def restored(cls, fields: Mapping[str, Field], stored: Mapping[str, Any]) -> CameraTable:
        """The table of an earlier session."""
        table = cls(fields, stored["rig"], stored["off"])
        table.edited = bool(stored["edited"])
        return table

    def _find(self, task: str, name: str) -> Camera:
        return next(camera for camera in self._cameras[task] if camera["name"] == name)

    def _check_name(self, task: str, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise BadInputError(
                f"A camera's name has small letters, digits and single underscores; {name!r} does not fit"
            )
        if any(camera["name"] == name for camera in self._cameras[task]):
            raise BadInputError(f"There is a camera {name!r} already")
