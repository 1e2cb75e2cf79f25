"""Camera rigs: YAML files that name the cameras of every task."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from hpvqa.errors import UsageError, nearest
from hpvqa.plain import Model, validated
from hpvqa.resources import read_named, recipes_dir
from hpvqa.scene.camera import look_at
from hpvqa.scene.spec import CameraSpec, Quat, Vec3

CAMERA_NAME = r"^[a-z0-9]+(_[a-z0-9]+)*$"


class RigCamera(Model):
    """One camera as a rig file describes it: an orientation, or a point to look at."""

    name: str = Field(pattern=CAMERA_NAME, description="Name of the camera and of its clips.")
    position: Vec3 = Field(description="Optical centre [m].")
    look_at: Vec3 | None = Field(default=None, description="Point in the centre of the image [m].")
    up: Vec3 = Field(default=(0.0, 0.0, 1.0), description="With look_at: the direction that is up in the image.")
    quat_wxyz: Quat | None = Field(
        default=None, description="Orientation in the OpenGL convention, instead of look_at."
    )
    focal_length: float = Field(default=24.0, gt=0, description="Focal length [mm] on a 20.955 mm wide aperture.")
    near: float = Field(default=0.01, gt=0, description="Near clipping distance [m].")

    @model_validator(mode="after")
    def _one_orientation(self) -> RigCamera:
        if (self.look_at is None) == (self.quat_wxyz is None):
            raise ValueError(f"camera {self.name!r} needs exactly one of look_at and quat_wxyz")
        self.resolve()
        return self

    def resolve(self) -> CameraSpec:
        """The camera with its orientation worked out."""
        quat = self.quat_wxyz
        if quat is None:
            assert self.look_at is not None  # noqa: S101 - the validator's promise, for the type checker
            quat = look_at(self.position, self.look_at, self.up)
        return CameraSpec(
            name=self.name, position=self.position, quat_wxyz=quat, focal_length=self.focal_length, near=self.near
        )


def _unique(cameras: object) -> object:
    if isinstance(cameras, list):
        names = [camera.get("name") for camera in cameras if isinstance(camera, dict)]
        twice = sorted({str(name) for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"camera names must differ, but {', '.join(twice)} occurs twice")
    return cameras


Cameras = Annotated[tuple[RigCamera, ...], BeforeValidator(_unique), Field(min_length=1)]


class Rig(Model):
    """A camera rig: for every task, the cameras that record it."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Name of the rig.")
    description: str = Field(default="", description="What the rig is for.")
    tasks: dict[str, Cameras] = Field(description="The cameras that record each task.")

    def cameras(self, task: str) -> tuple[CameraSpec, ...]:
        """The cameras of one task.

        Raises:
            UsageError: The rig has none for it.
        """
        if task not in self.tasks:
            raise UsageError(f"The rig {self.name!r} has no cameras for {task!r}; {nearest(task, self.tasks)}")
        return tuple(camera.resolve() for camera in self.tasks[task])


def rig_names() -> list[str]:
    """Names of the rigs that come with the package."""
    return sorted(path.stem for path in (recipes_dir() / "rigs").glob("*.yaml"))


def load_rig(name: str) -> Rig:
    """Read a rig by the name of a shipped one, or from a YAML file.

    Raises:
        UsageError: There is no such rig, or its file does not describe one.
    """
    data, source = read_named("camera rig", "rig", name, recipes_dir() / "rigs", rig_names())
    return validated(Rig, data, source)


def find_rig(choice: str | Rig) -> Rig:
    """The rig that a recipe means: itself, or that of a name or file.

    Raises:
        UsageError: There is no such rig, or its file does not describe one.
    """
    return choice if isinstance(choice, Rig) else load_rig(choice)
