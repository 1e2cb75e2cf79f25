"""The plan of one episode: plain data that any simulator can realise.

Units are metres, kilograms and seconds; z points up, the table top is z = 0, the robot's base is the origin and faces
+x, so that the robot's left is +y. Quaternions are (w, x, y, z). Colours are sRGB in [0, 1].
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from hpvqa.plain import Model

SPEC_VERSION: Literal[1] = 1

Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")

Surface = Literal["plain", "wood", "fabric", "plastic"]
SURFACES: tuple[Surface, ...] = get_args(Surface)
PLAIN: tuple[Surface, Surface, Surface] = ("plain", "plain", "plain")

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Color = tuple[Unit, Unit, Unit]
Vec3 = tuple[float, float, float]
Quat = tuple[float, float, float, float]


def other_side(side: Side) -> Side:
    """The opposite side."""
    return "right" if side == "left" else "left"


class ObjectSpec(Model):
    """One of the two objects of an episode."""

    shape: Literal["cube", "sphere"]
    size: float = Field(gt=0, description="Half the edge of a cube or the radius of a sphere [m].")
    position: Vec3 = Field(description="Centre at the start [m].")
    mass: float = Field(gt=0, description="Mass [kg].")
    friction: float = Field(ge=0, description="Effective Coulomb friction of the pair object and table [1].")
    restitution: Unit = Field(description="Effective coefficient of restitution of the pair object and table [1].")
    color: Color = Field(description="Surface colour (sRGB).")


class LightSpec(Model):
    """The one lamp of the room."""

    position: Vec3 = Field(description="Centre of the lamp [m].")


class RoomSpec(Model):
    """Looks of everything that is not robot or object. Walls in the order +x, +y, -x, -y."""

    table: Color
    floor: Color
    walls: tuple[Color, Color, Color, Color]
    surfaces: tuple[Surface, Surface, Surface] = Field(
        default=PLAIN, description="What the table, the floor and the walls are made of."
    )

    @model_serializer(mode="wrap")
    def _as_ever(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Plain surfaces are not written: such a room has always looked like this, checksums included."""
        data: dict[str, Any] = write(self)
        if self.surfaces == PLAIN:
            del data["surfaces"]
        return data


class CameraSpec(Model):
    """A camera of a rig. Orientation in the OpenGL convention: it looks along its -z, +y is up in the image."""

    name: str
    position: Vec3 = Field(description="Optical centre [m].")
    quat_wxyz: Quat = Field(description="Orientation, camera to world (w, x, y, z).")
    focal_length: float = Field(gt=0, description="Focal length [mm] on a 20.955 mm wide aperture.")
    near: float = Field(default=0.01, gt=0, description="Near clipping distance [m].")


class EpisodeSpec(Model):
    """Everything about one episode that was decided before it ran."""

    schema_version: Literal[1] = SPEC_VERSION
    task: str = Field(description="Name of the task, such as push or drop.")
    seed: int = Field(ge=0, description="Seed of the whole collection.")
    index: int = Field(ge=0, description="Number of the episode within its task.")
    attempt: int = Field(ge=0, description="0, or how often nuisance variables were drawn anew after a failure.")
    first: Side = Field(description="The side that the robot acts on first.")
    left: ObjectSpec
    right: ObjectSpec
    room: RoomSpec
    light: LightSpec
    rig: str = Field(description="Name of the camera rig.")
    cameras: tuple[CameraSpec, ...]

    def object(self, side: Side) -> ObjectSpec:
        """The object on one side."""
        return self.left if side == "left" else self.right

    @property
    def order(self) -> tuple[Side, Side]:
        """Both sides, in the order in which the robot acts on them."""
        return (self.first, other_side(self.first))
