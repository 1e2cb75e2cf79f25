"""Drawing episode specs. The only source of chance in the whole system.

An episode's generator is keyed by (task, index, attempt), so that episode k is the same whoever draws it and in
whatever order. Which side holds the larger hidden value and which side goes first come from shuffled blocks of four:
balanced by construction, without a rhythm. A later attempt keeps all of these and draws only nuisance variables anew,
so that failures cannot select on the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hpvqa.scene.color import delta_e
from hpvqa.scene.materials import material_room
from hpvqa.scene.randomization import Randomization, Range
from hpvqa.scene.shift import UNSHIFTED, Shift
from hpvqa.scene.spec import (
    PLAIN,
    SIDES,
    CameraSpec,
    Color,
    EpisodeSpec,
    LightSpec,
    RoomSpec,
    Side,
    Thing,
    Vec3,
)

_BLOCK_KEY = 2**32 - 1
"""Stands where an episode's index would be in the key of a block; no index can be as large."""

_BEHIND_CONTRAST = 30.0
"""Where rooms are made of materials: least colour difference between an object and the floor or a wall."""
_COLOR_RANGE = (0.1, 0.9)
"""Colours keep clear of black and white, which shading and highlights would clip."""
_VIVID_KEY = 1
"""Ends the key of what draws vivid colours: whatever else is drawn stays as it is without them."""
_VIVID = 0.09
"""Each channel of a vivid colour is within this of 0 or 1."""


@dataclass(frozen=True)
class Drawn:
    """What was drawn for one episode, for a task to make things of.

    Attributes:
        larger: The answer: the side with the larger hidden value.
        first: The side that the robot acts on first.
        low: The smaller hidden value.
        high: The larger one.
        colors: Of the left and of the right thing.
        jitter: How far either starts from its place, in x and in y [m].
        rng: For whatever else the task draws.
    """

    larger: Side
    first: Side
    low: float
    high: float
    colors: tuple[Color, Color]
    jitter: tuple[tuple[float, float], tuple[float, float]]
    rng: np.random.Generator


class HiddenRanges(Protocol):
    """What a hidden property can be."""

    def draw_hidden(self, rng: np.random.Generator) -> tuple[float, float]:
        """Two values of the hidden property, the smaller one first."""


class Script(Protocol):
    """What sampling needs to know of a task."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def task_id(self) -> int:
        """Its number in the keys of generators."""

    @property
    def rougher(self) -> float | None:
        """By how much friction is raised for testing; None if it is not."""

    def things(self, drawn: Drawn) -> tuple[Thing, ...]:
        """The things of an episode, where they start."""

    def order(self, drawn: Drawn) -> tuple[str, ...]:
        """Names of the things that the robot acts on, in this order."""


def _generator(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def side_and_order(task_id: int, seed: int, index: int) -> tuple[Side, Side]:
    """The side with the larger hidden value, and the side that goes first.

    Every block of four holds each combination once, and every pair in it each answer once: the first episodes of a
    collection, if their number is even, have as many left as right answers. Failed ones are missing from a data set.
    """
    flips = _generator(seed, task_id, _BLOCK_KEY, index // 4).integers(2, size=4)
    pair, place = divmod(index % 4, 2)
    larger = place ^ int(flips[pair])
    first = pair ^ int(flips[2 + larger])
    return SIDES[larger], SIDES[first]


def _color(rng: np.random.Generator) -> Color:
    r, g, b = rng.uniform(*_COLOR_RANGE, 3)
    return (float(r), float(g), float(b))


def _contrasting(
    rng: np.random.Generator,
    room: RoomSpec,
    contrast: float,
    draw: Callable[[np.random.Generator], Color] = _color,
) -> Color:
    # At most a contrast of 60 may be asked for, and every table colour has colours that far away; colours that floors
    # and walls of materials have are close to each other. So this ends.
    behind = () if room.surfaces == PLAIN else (room.floor, *room.walls)
    while True:
        color = draw(rng)
        if delta_e(color, room.table) >= contrast and all(
            delta_e(color, other) >= min(contrast, _BEHIND_CONTRAST) for other in behind
        ):
            return color


def _vivid(rng: np.random.Generator, room: RoomSpec, contrast: float) -> tuple[Color, Color]:
    """Two colours that are never drawn otherwise, as different from each other as from the table."""
    while True:
        pair = [_contrasting(rng, room, contrast, _vivid_color) for _ in SIDES]
        if delta_e(*pair) >= contrast:
            return pair[0], pair[1]


def _vivid_color(rng: np.random.Generator) -> Color:
    r, g, b = np.abs(rng.integers(2, size=3) - rng.uniform(0.0, _VIVID, 3)).tolist()
    return (r, g, b)


def _plain_room(rng: np.random.Generator) -> RoomSpec:
    table, floor = _color(rng), _color(rng)
    return RoomSpec(table=table, floor=floor, walls=(_color(rng), _color(rng), _color(rng), _color(rng)))


def _uniform(rng: np.random.Generator, bounds: Range) -> float:
    return float(rng.uniform(*bounds))


def sample_episode(
    task: Script,
    ranges: HiddenRanges,
    randomization: Randomization,
    rig: str,
    cameras: tuple[CameraSpec, ...],
    *,
    seed: int,
    index: int,
    attempt: int = 0,
    shift: Shift = UNSHIFTED,
) -> EpisodeSpec:
    """Draw the spec of one episode.

    Args:
        task: The task.
        ranges: What its hidden property can be.
        randomization: Ranges of the nuisance variables.
        rig: Name of the camera rig.
        cameras: The rig's cameras for this task.
        seed: Seed of the collection.
        index: Number of the episode within its task, below 2**32 - 1.
        attempt: 0, or the number of the redraw.
        shift: What a collection for testing changes; its hidden values come from ``ranges``.
    """
    if not 0 <= index < _BLOCK_KEY:
        raise ValueError(f"an episode's index lies between 0 and {_BLOCK_KEY - 1}, {index} does not")
    larger, first = side_and_order(task.task_id, seed, index)
    rng = _generator(seed, task.task_id, index, 0)
    low, high = ranges.draw_hidden(rng)
    if attempt:
        rng = _generator(seed, task.task_id, index, attempt)

    room = material_room(rng) if randomization.look == "materials" else _plain_room(rng)
    left, right = (_contrasting(rng, room, randomization.object_contrast) for _ in SIDES)
    if shift.colors == "vivid":
        other = _generator(seed, task.task_id, index, attempt, _VIVID_KEY)
        left, right = _vivid(other, room, randomization.object_contrast)
    lamp: Vec3 = (
        _uniform(rng, randomization.light_x),
        _uniform(rng, randomization.light_y),
        _uniform(rng, randomization.light_z),
    )
    (ax, ay), (bx, by) = rng.uniform(-randomization.start_jitter, randomization.start_jitter, (2, 2)).tolist()
    drawn = Drawn(
        larger=larger,
        first=first,
        low=low,
        high=high,
        colors=(left, left if randomization.object_colors == "shared" else right),
        jitter=((ax, ay), (bx, by)),
        rng=rng,
    )
    things = task.things(drawn)
    if shift.friction == "rougher":
        more = task.rougher or 0.0
        things = tuple(thing.model_copy(update={"friction": thing.friction + more}) for thing in things)
    return EpisodeSpec(
        task=task.name,
        seed=seed,
        index=index,
        attempt=attempt,
        things=things,
        order=task.order(drawn),
        room=room,
        light=LightSpec(position=lamp),
        rig=rig,
        cameras=cameras,
        shift=shift.name,
    )
