"""How elastic a sphere is: which fall and bounces its looks on an upright ruler agree with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.spec import SIDES, Side
from hpvqa.vlm.pixels.belief import Belief
from hpvqa.vlm.pixels.bounce import RESTITUTION, support
from hpvqa.vlm.pixels.locate import find
from hpvqa.vlm.pixels.ruler import likeness, ruler
from hpvqa.vlm.pixels.solid import SPHERE
from hpvqa.vlm.pixels.survey import Survey

_SHARPNESS = 4.0
"""How much likelier a path is that one more frame speaks for, as a logarithm."""


def restitutions(seen: Survey, frames: Iterable[NDArray[np.uint8]], fps: float) -> dict[Side, Belief]:
    """The coefficient of restitution of each sphere that was found."""
    rulers = {}
    for side in SIDES:
        place = find(seen.start, seen.always, seen.view, SPHERE, side)
        if place is not None:
            rulers[side] = ruler(seen.view, *place)
    strips: dict[Side, list[NDArray[np.float32]]] = {side: [] for side in rulers}
    for frame in frames:
        for side, samples in rulers.items():
            strips[side].append(samples.read(frame))
    return {side: _restitution(np.stack(strip), fps) for side, strip in strips.items()}


def _restitution(strips: NDArray[np.float32], fps: float) -> Belief:
    evidence = support(likeness(strips), np.arange(len(strips)) / fps)
    return Belief.from_log(RESTITUTION, np.logaddexp.reduce(_SHARPNESS * evidence, axis=0))
