"""How a probe's outcome can be seen: what a thing does in the pictures, for whoever measures it there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Moved:
    """A thing stands elsewhere along x at the end than at the start.

    Attributes:
        furthest: It goes less far than this [m].
    """

    furthest: float


@dataclass(frozen=True)
class Path:
    """A thing goes up and down above its place.

    Attributes:
        values: Values of the hidden property that are thought possible, ascending, shape (n,).
        height: How high it is above its place at rest [m], shape (n, t), for values, shape (n,), and times since the
            path's moment [s], shape (t,).
        before: It is on the path for this long before that moment [s] ...
        after: ... and for this long after it [s].
        top: It never gets as high as this above its place [m].
    """

    values: Array
    height: Callable[[Array, Array], Array]
    before: float
    after: float
    top: float


Trace = Moved | Path
