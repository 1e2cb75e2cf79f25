"""Newton's impact law at the table, with the moment of contact located inside the step.

MuJoCo's soft contact misses a coefficient of restitution by up to a fifth at practical time steps. Where a falling
sphere meets the table within a step, its height and speed at the step's end are therefore replaced by those of a sphere
that hits at the exact moment, loses speed by the law v' = -e v, and flies on for the rest of the step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MIN_SPEED = 0.1
"""Slower approaches [m/s] are left to the ordinary contact, which brings the sphere to rest."""


@dataclass(frozen=True)
class Bounce:
    """A located impact.

    Attributes:
        delay: From the beginning of the step to the contact [s].
        speed_before: Approach speed [m/s].
        speed_after: Separation speed [m/s].
        height: Of the sphere's lowest point at the end of the step [m].
        velocity: At the end of the step, as the integrator keeps it [m/s].
    """

    delay: float
    speed_before: float
    speed_after: float
    height: float
    velocity: float


def bounce(height: float, velocity: float, restitution: float, gravity: float, timestep: float) -> Bounce | None:
    """The impact of a sphere in free fall within one step, if there is one.

    The integrator is semi-implicit: its velocity belongs to half a step earlier than its position, hence the half steps
    of gravity when entering and leaving continuous time.

    Args:
        height: Of the sphere's lowest point above the table at the beginning of the step [m].
        velocity: Vertical velocity at the beginning of the step, upwards [m/s].
        restitution: Coefficient of restitution.
        gravity: Positive [m/s²].
        timestep: Length of the step [s].
    """
    if height <= 0 or velocity > -MIN_SPEED:
        return None
    start = velocity - gravity * timestep / 2
    contact = -math.sqrt(start * start + 2 * gravity * height)
    delay = (start - contact) / gravity
    rest = timestep - delay
    if rest <= 0:
        return None
    after = -restitution * contact
    return Bounce(
        delay=delay,
        speed_before=-contact,
        speed_after=after,
        height=max(after * rest - gravity * rest * rest / 2, 0.0),
        velocity=after - gravity * rest + gravity * timestep / 2,
    )
