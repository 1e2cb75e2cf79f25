"""The plan of one episode: plain data that any simulator can realise.

Units are metres, kilograms and seconds; z points up, the table top is z = 0, the robot's base is the origin and faces
+x, so that the robot's left is +y. Quaternions are (w, x, y, z). Colours are sRGB in [0, 1].
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from hpvqa.plain import Model

SPEC_VERSION: Literal[2] = 2

GRAVITY = 9.81
"""[m/s²], downwards, in every simulator."""

Side = Literal["left", "right"]
"""An answer; in a script of two things, also what they are called."""
SIDES: tuple[Side, Side] = ("left", "right")

Shape = Literal["box", "sphere", "cylinder", "spring", "cover"]
THING_NAME = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"

Surface = Literal["plain", "wood", "fabric", "plastic"]
SURFACES: tuple[Surface, ...] = get_args(Surface)
PLAIN: tuple[Surface, Surface, Surface] = ("plain", "plain", "plain")

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Color = tuple[Unit, Unit, Unit]
Vec3 = tuple[float, float, float]
Quat = tuple[float, float, float, float]
UPRIGHT: Quat = (1.0, 0.0, 0.0, 0.0)


def other_side(side: Side) -> Side:
    """The opposite side."""
    return "right" if side == "left" else "left"


Length = Annotated[float, Field(gt=0)]


class Thing(Model):
    """One of the things that a world holds besides robot and furniture."""

    name: str = Field(pattern=THING_NAME, description="What it is called: left, right, bar.")
    shape: Shape = Field(
        description="A box, a sphere, an upright cylinder, a fixed base with a plate on a spring above it, or a box "
        "without a bottom and with a knob on top, which covers things."
    )
    size: tuple[Length, Length, Length] = Field(description="Full size along its own axes [m].")
    position: Vec3 = Field(description="Centre at the start [m].")
    quat_wxyz: Quat = Field(default=UPRIGHT, description="Orientation at the start.")
    mass: float = Field(gt=0, description="Mass [kg].")
    center_of_mass: Vec3 = Field(default=(0.0, 0.0, 0.0), description="From its centre, along its own axes [m].")
    friction: float = Field(ge=0, description="Effective Coulomb friction of the pair thing and table [1].")
    restitution: Unit = Field(description="Effective coefficient of restitution of the pair thing and table [1].")
    stiffness: float | None = Field(default=None, gt=0, description="Of its spring [N/m]; null if it has none.")
    color: Color = Field(description="Surface colour (sRGB).")
    surface: Literal["plain", "chequered"] = Field(
        default="plain", description="One colour, or a lighter and a darker shade of it in squares."
    )

    @model_validator(mode="after")
    def _fits_its_shape(self) -> Self:
        if (self.shape == "spring") != (self.stiffness is not None):
            raise ValueError(f"{self.name!r}: a spring, and nothing else, has a stiffness")
        across = {"sphere": 3, "cylinder": 2}.get(self.shape, 0)
        if across and len(set(self.size[:across])) > 1:
            raise ValueError(f"{self.name!r}: a {self.shape} is as wide in one direction as in another")
        return self

    def hidden(self, name: str) -> float:
        """The value of a property by its name; of the centre of mass, how far it lies along the thing's y axis [m]."""
        value = getattr(self, name)
        return float(value[1] if name == "center_of_mass" else value)

    def with_hidden(self, name: str, value: float) -> Thing:
        """The same thing with another value of a property."""
        return self.model_copy(update={name: (0.0, value, 0.0) if name == "center_of_mass" else value})

    @property
    def half_height(self) -> float:
        """From its centre down to its lowest point, upright as it starts [m]."""
        return self.size[2] / 2

    @property
    def noun(self) -> str:
        """What a person calls it."""
        if self.shape != "box":
            return "plate" if self.shape == "spring" else self.shape
        return "cube" if len(set(self.size)) == 1 else "bar"

    @property
    def words(self) -> str:
        """The same, with its name: the left cube."""
        return f"the {self.name} {self.noun}" if self.name != self.noun else f"the {self.noun}"


class LightSpec(Model):
    """The one lamp of the room."""

    position: Vec3 = Field(description="Centre of the lamp [m].")
    shadows: bool = Field(
        default=True, description="Whether things cast shadows, which may tell what is hidden; the robot always does."
    )

    @model_serializer(mode="wrap")
    def _as_ever(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """That there are shadows is not written: there have always been some, checksums included."""
        data: dict[str, Any] = write(self)
        if self.shadows:
            del data["shadows"]
        return data


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


class WorldSpec(Model):
    """What a simulator realises."""

    things: tuple[Thing, ...] = Field(min_length=1, description="What the world holds; names differ.")
    room: RoomSpec
    light: LightSpec
    cameras: tuple[CameraSpec, ...]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len(set(self.names)) < len(self.things):
            raise ValueError("two things have the same name")
        return self

    def thing(self, name: str) -> Thing:
        """The thing of a name.

        Raises:
            KeyError: There is none.
        """
        for thing in self.things:
            if thing.name == name:
                return thing
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """What the things are called."""
        return tuple(thing.name for thing in self.things)


class EpisodeSpec(WorldSpec):
    """Everything about one episode that was decided before it ran."""

    schema_version: Literal[2] = SPEC_VERSION
    task: str = Field(description="Name of the task, such as push or drop.")
    seed: int = Field(ge=0, description="Seed of the whole collection.")
    index: int = Field(ge=0, description="Number of the episode within its task.")
    attempt: int = Field(ge=0, description="0, or how often nuisance variables were drawn anew after a failure.")
    order: tuple[str, ...] = Field(description="Names of the things that the robot acts on, in this order.")
    rig: str = Field(description="Name of the camera rig.")
    shift: str | None = Field(
        default=None, description="What it differs by from the usual episodes, for testing only; null: nothing."
    )

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_version(cls, data: Any) -> Any:
        """Version 1 had two objects, in fields called left and right."""
        return _upgraded(data) if isinstance(data, dict) and data.get("schema_version") == 1 else data

    @model_validator(mode="after")
    def _order_fits(self) -> Self:
        for name in self.order:
            if name not in self.names:
                raise ValueError(f"order names {name!r}, which no thing is called")
        return self

    @model_serializer(mode="wrap")
    def _as_ever(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """In the order in which a spec has always been written; of a usual episode no shift is."""
        data: dict[str, Any] = write(self)
        names = _WRITTEN if self.shift is None else (*_WRITTEN, "shift")
        return {name: data[name] for name in names}


_WRITTEN = ("schema_version", "task", "seed", "index", "attempt", "things", "order", "room", "light", "rig", "cameras")


def _upgraded(data: dict[str, Any]) -> dict[str, Any]:
    """A spec of version 1 in the form of today; what does not look like one is left for validation to find."""
    first, old = data.get("first"), {side: data.get(side) for side in SIDES}
    if first not in SIDES or not all(isinstance(item, dict) for item in old.values()):
        return data
    kept = {key: value for key, value in data.items() if key not in {"first", *SIDES}}
    return {
        **kept,
        "schema_version": SPEC_VERSION,
        "things": [_upgraded_object(side, item) for side, item in old.items() if isinstance(item, dict)],
        "order": [first, other_side("left" if first == "left" else "right")],
    }


def _upgraded_object(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 had cubes, and gave half of their edge, or the radius of a sphere."""
    size = data.get("size")
    full = [2 * size] * 3 if isinstance(size, int | float) else size
    shape = "box" if data.get("shape") == "cube" else data.get("shape")
    return {**data, "name": name, "shape": shape, "size": full}
