"""What happened in an episode: events found at physics rate, and how far a thing went."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import Field

from hpvqa.plain import Model
from hpvqa.scene.spec import UPRIGHT, Quat, Vec3


class Pose(NamedTuple):
    """Where a thing is, and how it is turned."""

    position: Vec3
    quat_wxyz: Quat = UPRIGHT

    @property
    def yaw(self) -> float:
        """By how much it is turned about the vertical, seen from above counterclockwise [rad]."""
        w, x, y, z = self.quat_wxyz
        return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


EventKind = Literal["first_touch", "held", "release", "impact", "apex", "rest"]


class Event(Model):
    """Something that happened at one moment, found at physics rate."""

    kind: EventKind
    t: float = Field(ge=0, description="Time since the start of the episode [s].")
    object: str = Field(description="Name of the thing that it happened to.")
    other: str | None = Field(default=None, description="What it touched: gripper or table.")
    position: Vec3 = Field(description="Centre of the thing at that moment [m].")
    speed_before: float = Field(ge=0, description="Speed just before [m/s]; along the normal for an impact.")
    speed_after: float = Field(ge=0, description="Speed just after [m/s]; along the normal for an impact.")
    t_resolution: float = Field(ge=0, description="How far off t may be [s]; 0 where the moment was solved for.")


def find_event(
    events: Sequence[Event], kind: str, name: str, other: str | None = None, after: float = 0.0
) -> Event | None:
    """The first event of a kind that happened to the thing called ``name`` at or after a time [s]."""
    for event in events:
        if event.kind == kind and event.object == name and event.t >= after and other in (None, event.other):
            return event
    return None


@dataclass(frozen=True)
class Span:
    """How far a thing went.

    Attributes:
        t: When the thing got to the end of it [s].
        seen: When it is best seen there, the robot out of the way [s].
        start: Where the thing's centre was, or would lie at rest [m].
        end: Where its centre is at both times [m].
        beside: On which side of the thing it is drawn, 1 for the robot's left and -1 for its right; None: outwards.
    """

    t: float
    seen: float
    start: Vec3
    end: Vec3
    beside: int | None = None

    @property
    def length(self) -> float:
        """From start to end [m]."""
        return math.dist(self.start, self.end)

    @property
    def words(self) -> str:
        """The length as a person writes it: 4.1 cm."""
        return f"{100 * self.length:.1f} cm"
