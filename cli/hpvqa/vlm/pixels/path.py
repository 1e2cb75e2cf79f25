"""Which path above its place a thing took: which rise, fall or bounce its looks on an upright ruler agree with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.traces import Path
from hpvqa.scene.spec import Side
from hpvqa.vlm.pixels.belief import Belief
from hpvqa.vlm.pixels.locate import find, presence
from hpvqa.vlm.pixels.ruler import STEP, Strip, at_rest, likeness, ruler
from hpvqa.vlm.pixels.solid import Solid
from hpvqa.vlm.pixels.survey import Survey

TICK = 1 / 120
"""Grid of the path's moment, and of time since it [s]."""
_SHARPNESS = 4.0
"""How much likelier a path is that one more frame speaks for, as a logarithm."""
_STILL_THERE = 0.8
"""The thing is at rest wherever its place looks this much like it did at first."""
_NEW_LOOK = 10.0
"""Another look of the thing is kept when it differs this much from those before [grey levels]."""


def values_of(
    seen: Survey, frames: Iterable[NDArray[np.uint8]], fps: float, path: Path, solids: Mapping[Side, Solid]
) -> dict[Side, Belief]:
    """The hidden value of each thing that was found, by its path."""
    places = {side: find(seen.start, seen.always, seen.view, solid, side) for side, solid in solids.items()}
    found = {side: place for side, place in places.items() if place is not None}
    rulers = {side: ruler(seen.view, *place) for side, place in found.items()}
    strips: dict[Side, list[Strip]] = {side: [] for side in found}
    for frame in frames:
        for side, samples in rulers.items():
            strips[side].append(samples.read(frame))
    return {
        side: _value(np.stack(strips[side]), _resting(seen, place, solids[side]), fps, path)
        for side, place in found.items()
    }


def _resting(seen: Survey, place: tuple[float, float], solid: Solid) -> list[int]:
    """Numbers of frames that show the thing at rest, the first one among them."""
    x, y = np.array(place[:1]), np.array(place[1:])
    scores = {number: presence(look, seen.always, seen.view, solid, x, y)[0] for number, look in seen.looks.items()}
    return [number for number, score in scores.items() if score >= _STILL_THERE * scores[0]]


def _value(strips: Strip, resting: list[int], fps: float, path: Path) -> Belief:
    # Light and shadow change as the robot moves, so the thing may have more than one look.
    looks: list[Strip] = []
    for number in resting:
        look = at_rest(strips[number])
        if all(np.nanmean(np.abs(look - other)) > _NEW_LOOK for other in looks):
            looks.append(look)
    alike = np.maximum.reduce([likeness(strips, look) for look in looks])
    evidence = support(alike, np.arange(len(strips)) / fps, path)
    return Belief.from_log(path.values, np.logaddexp.reduce(_SHARPNESS * evidence, axis=0))


def support(alike: NDArray[np.float32], times: NDArray[np.float64], path: Path) -> NDArray[np.float64]:
    """How much the frames speak for every moment of the path and every hidden value.

    Args:
        alike: How much every height looks like the thing, shape (frames, heights).
        times: When the frames were taken [s], shape (frames,).
        path: How the hidden value shows.

    Returns:
        Shape (moments, values), in frames.
    """
    # What counts is how much better a height looks than the place of rest: a thing that never left proves nothing.
    better = alike - alike[:, :1]
    ticks = np.arange(-round(path.before / TICK), round(path.after / TICK) + 1)
    heights = path.height(path.values, np.asarray(ticks * TICK, float))
    rows = np.minimum(np.rint(heights / STEP).astype(int), alike.shape[1] - 1)
    moments = np.arange(0, times[-1] + TICK, TICK)
    result = np.zeros((len(moments), len(path.values)))
    for number, moment in enumerate(moments):
        tick = np.rint((times - moment) / TICK).astype(int) - ticks[0]
        frames = np.flatnonzero((tick >= 0) & (tick < len(ticks)))
        result[number] = better[frames, rows[:, tick[frames]]].sum(axis=1)
    return result
