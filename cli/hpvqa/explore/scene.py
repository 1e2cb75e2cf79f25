"""A scene: everything about one piece of active reasoning that was decided before it is played, as plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, model_serializer, model_validator

from hpvqa.errors import RunError, UsageError
from hpvqa.explore.bench.spec import Bench
from hpvqa.explore.questions import Program
from hpvqa.explore.words import Look
from hpvqa.files import read_bytes, write_text
from hpvqa.plain import Model, explain
from hpvqa.scene.spec import THING_NAME, CameraSpec, LightSpec, RoomSpec, Thing, Vec3, WorldSpec

SCENE_VERSION: Literal[1] = 1
SCENES_PER_SHARD = 1000

Family = Literal["occlusion", "stack", "cover", "composite", "bench"]
HIDING: tuple[Family, ...] = ("occlusion", "stack", "cover", "composite")
"""Families in which things are hidden; in the others their properties are."""
FAMILIES: tuple[Family, ...] = (*HIDING, "bench")
"""All families; the number of each is part of keys of random numbers, so that new ones come last."""
Kind = Literal["answer", "move viewer", "turn viewer", "pick", "move", "uncover", "experiment"]


class Action(Model):
    """Something that can be chosen: an answer, another view, or what the robot does to a thing.

    Kind and target together name it within a scene, whatever its letter is at the moment.
    """

    kind: Kind
    target: str = Field(
        description="The answer, the direction of the viewer, the name of the thing, or of a probe and the thing."
    )


class Item(Model):
    """A thing that is there whatever is hidden."""

    thing: Thing
    look: Look

    @property
    def left(self) -> bool:
        """Whether it is on the robot's left."""
        return self.thing.position[1] > 0


class Place(Model):
    """Where something may be hidden; what is there, if anything, is called like the place."""

    name: str = Field(pattern=THING_NAME)
    words: str = Field(description="Where that is: beneath the white board.")
    position: Vec3 = Field(description="Middle of the underside of what may be there [m].")
    contents: tuple[Look | None, ...] = Field(min_length=1, description="What may be there; null: nothing.")
    chances: tuple[float, ...] = Field(description="How likely each is before a question is asked; they sum up to 1.")

    @model_validator(mode="after")
    def _chances_fit(self) -> Self:
        if len(self.chances) != len(self.contents) or abs(sum(self.chances) - 1) > 1e-9 or min(self.chances) <= 0:
            raise ValueError(f"{self.name}: the chances do not fit the contents")
        return self

    @property
    def left(self) -> bool:
        """Whether it is on the robot's left."""
        return self.position[1] > 0

    def thing(self, look: Look) -> Thing:
        """What is there if it looks so."""
        x, y, z = self.position
        return look.thing(self.name, (x, y, z + look.full_size[2] / 2))


class View(Model):
    """Where the viewer may be, and where it can go from there."""

    words: str = Field(description="Where that is, for a person.")
    camera: CameraSpec
    exits: tuple[tuple[Literal["move viewer", "turn viewer"], str, int], ...] = Field(
        description="Kind and direction of each step, and the number of the view that it leads to."
    )


class Deed(Model):
    """Something that the robot can do: it takes a thing from its place and puts it elsewhere.

    Done again, what was moved sideways comes back; what was put aside is taken up and put there again.
    """

    kind: Literal["pick", "move", "uncover"]
    thing: str = Field(description="Name of the item or the place.")
    to: Vec3 = Field(description="Where the thing's centre will be [m].")
    after: tuple[int, ...] = Field(default=(), description="Deeds that must be done before: what stands on top of it.")


class Moment(Model):
    """How far a scene has come: from where it is viewed, and which deeds are done."""

    view: int = Field(ge=0)
    done: tuple[int, ...] = Field(default=(), description="Numbers of deeds, ascending.")

    @property
    def mask(self) -> int:
        """The deeds that are done, one bit each."""
        return sum(1 << number for number in self.done)


class Question(Model):
    """What is asked."""

    text: str
    program: Program
    options: tuple[str, ...] = Field(min_length=2, description="All possible answers, in their natural order.")
    answer: str


class Scene(Model):
    """Everything about a scene; the simulator is only shown to agree with it."""

    schema_version: Literal[1] = SCENE_VERSION
    family: Family
    type: str = Field(description="Name of the layout.")
    held_out: bool = Field(description="Whether its type is kept for evaluation.")
    seed: int = Field(ge=0)
    index: int = Field(ge=0, description="Number of the scene within its family.")
    group: int = Field(
        ge=0, description="Number of its group: two twins with one first view, and two whose view suffices."
    )
    twin: int = Field(ge=0, description="Number of the scene with the same template and another answer.")
    sufficient: bool = Field(description="Whether the first view suffices.")
    room: RoomSpec
    light: LightSpec
    items: tuple[Item, ...]
    places: tuple[Place, ...]
    contents: tuple[int, ...] = Field(description="What is at each place: its number among what may be there.")
    views: tuple[View, ...]
    deeds: tuple[Deed, ...]
    start: Moment
    question: Question
    rules: str = Field(description="Where things may be hidden, and what counts, as agents are told.")
    reveals: tuple[tuple[str, ...], ...] = Field(
        description="For each view and place: the sets of done deeds in which the place is seen, whatever is there; "
        "bit m of the hexadecimal number stands for the deeds whose bits are set in m."
    )
    shows: tuple[tuple[str, ...], ...] = Field(
        description="The same for each view and the thing of each deed, where it then is."
    )
    plan: tuple[Action, ...] = Field(description="What an ideal observer does, the answer included.")
    steps: int = Field(ge=1, description="Most decisions, the answer included.")
    bench: Bench | None = Field(default=None, description="Experiments; null: there are none.")
    checksum: str = Field(default="", description="SHA-256 of this scene, as compact JSON without this field.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.contents) != len(self.places):
            raise ValueError("contents: one number for each place")
        for place, content in zip(self.places, self.contents, strict=True):
            if not 0 <= content < len(place.contents):
                raise ValueError(f"{place.name}: there is no content {content}")
        numbers = [exit_[2] for view in self.views for exit_ in view.exits]
        if not all(0 <= number < len(self.views) for number in (self.start.view, *numbers)):
            raise ValueError("there is no view of that number")
        if not all(0 <= number < len(self.deeds) for deed in self.deeds for number in deed.after):
            raise ValueError("there is no deed of that number")
        if not all(0 <= number < len(self.deeds) for number in self.start.done):
            raise ValueError("there is no deed of that number")
        for table, columns in ((self.reveals, len(self.places)), (self.shows, len(self.deeds))):
            if len(table) != len(self.views) or any(len(row) != columns for row in table):
                raise ValueError("reveals and shows: one row for each view")
            if any(int(word, 16) >> (1 << len(self.deeds)) for row in table for word in row):
                raise ValueError("reveals and shows: there are not so many deeds")
        if self.question.answer not in self.question.options:
            raise ValueError("the answer is none of the options")
        if self.bench is not None:
            kinds = {item.thing.name: item.look.shape for item in self.items}
            wrong = self.bench.trouble(len(self.views), kinds, self.question.program.compared)
            if wrong is not None:
                raise ValueError(wrong)
        return self

    @model_serializer(mode="wrap")
    def _as_ever(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Where there are no experiments nothing is written of them: so scenes have always been, checksums included."""
        data: dict[str, Any] = write(self)
        if self.bench is None:
            del data["bench"]
        return data

    @property
    def key(self) -> str:
        """Its name among all scenes of a folder."""
        return f"{self.family}-{self.index:06d}"

    @property
    def number(self) -> int:
        """The number of its family, for keys of random numbers."""
        return FAMILIES.index(self.family)

    @property
    def looks(self) -> tuple[Look | None, ...]:
        """What is at each place."""
        return tuple(place.contents[number] for place, number in zip(self.places, self.contents, strict=True))

    def world(self) -> WorldSpec:
        """What a simulator realises: everything where it is at the start, hidden or not."""
        hidden = [place.thing(look) for place, look in zip(self.places, self.looks, strict=True) if look is not None]
        moved = {self.deeds[number].thing: self.deeds[number].to for number in self.start.done}
        things = [
            thing.model_copy(update={"position": moved[thing.name]}) if thing.name in moved else thing
            for thing in (*(item.thing for item in self.items), *hidden)
        ]
        return WorldSpec(
            things=tuple(things),
            room=self.room,
            light=self.light,
            cameras=(self.views[self.start.view].camera,),
        )

    def digest(self) -> str:
        """The checksum that this scene should carry."""
        data = self.model_dump(mode="json", exclude={"checksum"})
        text = json.dumps(data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def sealed(self) -> Self:
        """The same scene with its checksum filled in."""
        return self.model_copy(update={"checksum": self.digest()})


def scene_file(worlds: Path, family: str, index: int) -> Path:
    """Where a scene lies inside a folder of worlds."""
    return worlds / family / f"{index // SCENES_PER_SHARD:03d}" / f"scene-{index:06d}.json"


def find_scenes(worlds: Path) -> Iterator[Path]:
    """Files of all scenes in a folder of worlds, by family and number."""
    for family in FAMILIES:
        yield from sorted((worlds / family).glob("[0-9]*/scene-*.json"))


def write_scene(path: Path, scene: Scene) -> None:
    """Write a scene, sealed, whole or not at all.

    Raises:
        RunError: The disk does not take it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(scene.sealed().model_dump(mode="json"), ensure_ascii=False) + "\n")


def read_scene(path: Path) -> Scene:
    """Read a scene.

    Raises:
        UsageError: There is none, it is damaged, or it was altered.
        RunError: The file cannot be read.
    """
    try:
        data: Any = read_bytes(path)
        scene = Scene.model_validate_json(data)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"There is no scene {path}; make some with `hpvqa explore draw`") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValidationError as error:
        raise UsageError(f"{path} is damaged ({explain(error)}); delete it and draw it again") from None
    if scene.checksum != scene.digest():
        raise UsageError(f"{path} was altered after it was drawn; delete it and draw it again")
    return scene
