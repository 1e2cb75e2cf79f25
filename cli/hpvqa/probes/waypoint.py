"""What a robot is told to do: poses to move to, and how softly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.spec import Vec3

EFFECTIVE_MASS = 3.5
"""About what the arm weighs at the gripper [kg]; sets critical damping 2·sqrt(K·m)."""


@dataclass(frozen=True)
class Gains:
    """Cartesian impedance gains along and about the world's axes.

    Attributes:
        stiffness: Translational stiffness, shape (3,) [N/m].
        damping: Translational damping, shape (3,) [N s/m].
        rotational_stiffness: [N m/rad], the same about all axes.
        rotational_damping: [N m s/rad], the same about all axes.
    """

    stiffness: NDArray[np.float64]
    damping: NDArray[np.float64]
    rotational_stiffness: float
    rotational_damping: float

    @classmethod
    def of(cls, x: float, y: float, z: float, *, rotational_stiffness: float = 60.0) -> Gains:
        """Critically damped gains of these stiffnesses [N/m]."""
        stiffness = np.array([x, y, z])
        damping = 2.0 * np.sqrt(np.array([x, y, z]) * EFFECTIVE_MASS)
        return cls(stiffness, damping, rotational_stiffness, 0.1 * rotational_stiffness)


@dataclass(frozen=True)
class Waypoint:
    """A pose that the gripper moves to, on a straight line, starting and ending at rest.

    Attributes:
        phase: What the movement is for, in a word.
        position: Where the pinch point between the finger tips goes [m]; the gripper points down.
        duration: Time to get there from the waypoint before [s].
        closed: How far the gripper is asked to close: 0 is open, 1 is closed.
        gains: The arm follows by Cartesian impedance with these gains; stiffly, if there are none.
        thing: Name of the thing that this movement is about, if any.
        yaw: The gripper is turned about the vertical by this much [rad]; at 0 its fingers open along y.
    """

    phase: str
    position: Vec3
    duration: float
    closed: float
    gains: Gains | None = None
    thing: str | None = None
    yaw: float = 0.0


def minimum_jerk(time: float, duration: float) -> tuple[float, float]:
    """Share of the way done, and its rate [1/s], of a movement from rest to rest (Flash and Hogan 1985)."""
    if duration <= 0 or time >= duration:
        return 1.0, 0.0
    s = max(time, 0.0) / duration
    return s**3 * (10 - 15 * s + 6 * s * s), 30 * s * s * (1 - s) ** 2 / duration
