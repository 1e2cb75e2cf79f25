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
        values: Displacements that are thought possible [m], evenly spaced from 0, shape (n,).
    """

    values: Array


@dataclass(frozen=True)
class Turned:
    """A thing is turned about the vertical at the end, and stands elsewhere.

    Attributes:
        values: Turns that are thought possible, seen from above counterclockwise [rad], as far one way as the other,
            shape (n,).
        forward: Its centre is not further along x than this at the end [m] ...
        sideways: ... nor further to either side.
    """

    values: Array
    forward: float
    sideways: float


@dataclass(frozen=True)
class Path:
    """A thing, or a part of it, goes up and down where it stands.

    Attributes:
        values: Values of the hidden property that are thought possible, ascending, shape (n,).
        height: How high it is above its place at rest [m], shape (n, t), for values, shape (n,), and times since the
            path's moment [s], shape (t,).
        before: It is on the path for this long before that moment [s] ...
        after: ... and for this long after it [s].
        bottom: It never gets lower than this above its place at rest [m] ...
        top: ... nor higher.
        size: Full size of what moves [m].
        rest: Height of its centre above the table at rest [m].
        rounded: Whether it is a sphere.
        base: Full size of what stays below it on the table [m]; None where all of it goes.
    """

    values: Array
    height: Callable[[Array, Array], Array]
    before: float
    after: float
    bottom: float
    top: float
    size: tuple[float, float, float]
    rest: float
    rounded: bool = False
    base: tuple[float, float, float] | None = None


Trace = Moved | Turned | Path
