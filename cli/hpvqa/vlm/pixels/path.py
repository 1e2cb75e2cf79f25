"""Which path up or down a thing took where it stands: which one its looks on an upright ruler agree with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.distribution import Distribution
from hpvqa.probes.traces import Path
from hpvqa.scene.spec import Thing
from hpvqa.vlm.pixels.locate import Solid, find, presence
from hpvqa.vlm.pixels.table import Survey
from hpvqa.vlm.pixels.view import Samples, View

STEP = 0.025 / 6
"""Pitch of the ruler [m]."""
TICK = 1 / 120
"""Grid of the path's moment, and of time since it [s]."""
_CORE = 5 / 6
"""This share of what moves is compared, from its middle on."""
_DRIFT = 2
"""It may wander sideways by this many steps."""
_DIFFERENT = 35.0
"""Colours this far apart are simply different [grey levels]."""
_SHARPNESS = 4.0
"""How much likelier a path is that one more frame speaks for, as a logarithm."""
_LEAST_SUPPORT = 0.5
"""A path that fewer frames than this speak for was not seen, and what stands there may be something else."""
_STILL_THERE = 0.8
"""The thing is at rest wherever its place looks this much like it did at first."""
_NEW_LOOK = 10.0
"""Another look of the thing is kept when it differs this much from those before [grey levels]."""

Strip = NDArray[np.float32]


@dataclass(frozen=True)
class Ruler:
    """An upright ruler behind what moves: the part of each frame where it can be.

    Attributes:
        rest: Height of its centre at rest [m].
        below: How many steps of the ruler it can go down ...
        above: ... and up.
        wide: How many steps of it are compared to either side of its middle ...
        tall: ... and up and down.
        rounded: Whether only the disc within them is.
    """

    rest: float
    below: int
    above: int
    wide: int
    tall: int
    rounded: bool

    @classmethod
    def of(cls, path: Path) -> Ruler:
        """The ruler for what moves on a path."""
        wide, tall = (max(1, round(_CORE * path.size[i] / 2 / STEP)) for i in (0, 2))
        return cls(path.rest, round(-path.bottom / STEP), round(path.top / STEP), wide, tall, path.rounded)

    def samples(self, view: View, x: float, y: float) -> Samples:
        """Points on an upright plane through (x, y) [m] that faces the camera, shape (heights, sideways)."""
        sight = np.array([x, y, self.rest]) - view.position
        sideways = np.cross(sight, [0.0, 0.0, 1.0])
        if np.linalg.norm(sideways) < 0.1 * np.linalg.norm(sight):
            sideways = view.axes[:, 0]
        sideways /= np.linalg.norm(sideways)
        reach = self.wide + _DRIFT
        across = np.arange(-reach, reach + 1) * STEP
        up = np.arange(-self.below - self.tall, self.above + self.tall + 1) * STEP + self.rest
        points = np.array([x, y, 0.0]) + up[:, None, None] * [0.0, 0.0, 1.0] + across[None, :, None] * sideways
        return view.samples(points)

    def at_rest(self, strip: Strip) -> Strip:
        """What is compared as it looks at rest, from what the ruler shows, shape (2 tall + 1, 2 wide + 1, 3)."""
        return strip[self.below : self.below + 2 * self.tall + 1, _DRIFT : _DRIFT + 2 * self.wide + 1]

    def likeness(self, strips: Strip, look: Strip) -> NDArray[np.float32]:
        """How much every height looks like the thing.

        Args:
            strips: What the ruler shows in each frame, shape (frames, heights + 2 tall, 2 (wide + drift) + 1, 3).
            look: What the thing looks like, as from `at_rest`.

        Returns:
            From 0 to 1, shape (frames, heights); at rest it is at height ``below``.
        """
        count = self.below + self.above + 1
        total = np.zeros((len(strips), count, 2 * _DRIFT + 1), np.float32)
        offsets = self._offsets()
        for i, j in offsets:
            part = strips[:, i : i + count, j : j + 2 * _DRIFT + 1]
            difference = np.abs(part - look[i, j]).mean(axis=-1)
            total += np.where(np.isfinite(difference), np.minimum(difference, _DIFFERENT), _DIFFERENT)
        return np.asarray(1 - total.min(axis=-1) / (_DIFFERENT * len(offsets)), np.float32)

    def _offsets(self) -> list[tuple[int, int]]:
        """The steps that are compared, from the lower left corner."""
        tall, wide = range(-self.tall, self.tall + 1), range(-self.wide, self.wide + 1)
        return [
            (i + self.tall, j + self.wide)
            for i in tall
            for j in wide
            if not self.rounded or math.hypot(i / self.tall, j / self.wide) <= 1 + 1e-9
        ]


def values_of(
    seen: Survey, frames: Iterable[NDArray[np.uint8]], fps: float, path: Path, things: Sequence[Thing]
) -> dict[str, Distribution]:
    """The hidden value of each thing that was found, by its path."""
    ruler = Ruler.of(path)
    found = {thing.name: _stand(seen, path, Solid.of(thing, path.base)) for thing in things}
    samples = {name: ruler.samples(seen.view, *stand.place) for name, stand in found.items() if stand is not None}
    strips: dict[str, list[Strip]] = {name: [] for name in samples}
    for frame in frames:
        for name, points in samples.items():
            strips[name].append(points.read(frame))
    beliefs = {
        name: _value(ruler, np.stack(strips[name]), stand.resting, fps, path)
        for name, stand in found.items()
        if stand is not None
    }
    return {name: belief for name, belief in beliefs.items() if belief is not None}


@dataclass(frozen=True)
class _Stand:
    """Where a thing stands, (x, y) [m], and numbers of frames that show it at rest, the first one among them."""

    place: tuple[float, float]
    resting: list[int]


def _stand(seen: Survey, path: Path, solid: Solid) -> _Stand | None:
    """Find a thing that goes away at some time, or whose base never does."""
    if path.base is not None:
        place = find(seen.always, None, seen.view, solid)
        return None if place is None else _Stand(place, [0, max(seen.looks)])
    place = find(seen.start, seen.always, seen.view, solid)
    if place is None:
        return None
    x, y = np.array(place[:1]), np.array(place[1:])
    scores = {number: presence(look, seen.always, seen.view, solid, x, y)[0] for number, look in seen.looks.items()}
    return _Stand(place, [number for number, score in scores.items() if score >= _STILL_THERE * scores[0]])


def _value(ruler: Ruler, strips: Strip, resting: list[int], fps: float, path: Path) -> Distribution | None:
    # Light and shadow change as the robot moves, so the thing may have more than one look.
    looks: list[Strip] = []
    for number in resting:
        look = ruler.at_rest(strips[number])
        if all(np.nanmean(np.abs(look - other)) > _NEW_LOOK for other in looks):
            looks.append(look)
    alike = np.maximum.reduce([ruler.likeness(strips, look) for look in looks])
    evidence = support(alike, ruler.below, np.arange(len(strips)) / fps, path)
    if evidence.max() < _LEAST_SUPPORT:
        return None
    return Distribution.from_log(path.values, np.logaddexp.reduce(_SHARPNESS * evidence, axis=0))


def support(alike: NDArray[np.float32], rest: int, times: NDArray[np.float64], path: Path) -> NDArray[np.float64]:
    """How much the frames speak for every moment of the path and every hidden value.

    Args:
        alike: How much every height looks like the thing, shape (frames, heights).
        rest: Which of the heights is that at rest.
        times: When the frames were taken [s], shape (frames,).
        path: How the hidden value shows.

    Returns:
        Shape (moments, values), in frames.
    """
    # What counts is how much better a height looks than the place of rest: a thing that never left proves nothing.
    better = alike - alike[:, rest : rest + 1]
    ticks = np.arange(-round(path.before / TICK), round(path.after / TICK) + 1)
    heights = path.height(path.values, np.asarray(ticks * TICK, float))
    rows = np.clip(np.rint(heights / STEP).astype(int) + rest, 0, alike.shape[1] - 1)
    moments = np.arange(0, times[-1] + TICK, TICK)
    result = np.zeros((len(moments), len(path.values)))
    for number, moment in enumerate(moments):
        tick = np.rint((times - moment) / TICK).astype(int) - ticks[0]
        frames = np.flatnonzero((tick >= 0) & (tick < len(ticks)))
        result[number] = better[frames, rows[:, tick[frames]]].sum(axis=1)
    return result
