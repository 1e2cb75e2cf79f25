"""How elastic a sphere is: which fall and bounces its looks on an upright ruler agree with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.spec import SIDES, Side
from hpvqa.vlm.pixels.belief import Belief
from hpvqa.vlm.pixels.bounce import RESTITUTION, support
from hpvqa.vlm.pixels.locate import find, presence
from hpvqa.vlm.pixels.ruler import Strip, at_rest, likeness, ruler
from hpvqa.vlm.pixels.solid import SPHERE
from hpvqa.vlm.pixels.survey import Survey

_SHARPNESS = 4.0
"""How much likelier a path is that one more frame speaks for, as a logarithm."""
_STILL_THERE = 0.8
"""The sphere is at rest wherever its place looks this much like it did at first."""
_NEW_LOOK = 10.0
"""Another look of the sphere is kept when it differs this much from those before [grey levels]."""


def restitutions(seen: Survey, frames: Iterable[NDArray[np.uint8]], fps: float) -> dict[Side, Belief]:
    """The coefficient of restitution of each sphere that was found."""
    places = {side: find(seen.start, seen.always, seen.view, SPHERE, side) for side in SIDES}
    found = {side: place for side, place in places.items() if place is not None}
    rulers = {side: ruler(seen.view, *place) for side, place in found.items()}
    strips: dict[Side, list[Strip]] = {side: [] for side in found}
    for frame in frames:
        for side, samples in rulers.items():
            strips[side].append(samples.read(frame))
    return {side: _restitution(np.stack(strips[side]), _resting(seen, found[side]), fps) for side in found}


def _resting(seen: Survey, place: tuple[float, float]) -> list[int]:
    """Numbers of frames that show the sphere at rest, the first one among them."""
    x, y = np.array(place[:1]), np.array(place[1:])
    scores = {number: presence(look, seen.always, seen.view, SPHERE, x, y)[0] for number, look in seen.looks.items()}
    return [number for number, score in scores.items() if score >= _STILL_THERE * scores[0]]


def _restitution(strips: Strip, resting: list[int], fps: float) -> Belief:
    # Light and shadow change as the robot moves, so the sphere may have more than one look.
    looks: list[Strip] = []
    for number in resting:
        look = at_rest(strips[number])
        if all(np.nanmean(np.abs(look - other)) > _NEW_LOOK for other in looks):
            looks.append(look)
    alike = np.maximum.reduce([likeness(strips, look) for look in looks])
    evidence = support(alike, np.arange(len(strips)) / fps)
    return Belief.from_log(RESTITUTION, np.logaddexp.reduce(_SHARPNESS * evidence, axis=0))
