"""What happened in an episode: events, and whether they bear out the label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from hpvqa.plain import Model
from hpvqa.scene.spec import Side, Vec3

EventKind = Literal["first_touch", "release", "impact", "apex", "rest"]


class Event(Model):
    """Something that happened at one moment, found at physics rate."""

    kind: EventKind
    t: float = Field(ge=0, description="Time since the start of the episode [s].")
    object: Side = Field(description="The object that it happened to.")
    other: str | None = Field(default=None, description="What it touched: gripper or table.")
    position: Vec3 = Field(description="Centre of the object at that moment [m].")
    speed_before: float = Field(ge=0, description="Speed just before [m/s]; along the normal for an impact.")
    speed_after: float = Field(ge=0, description="Speed just after [m/s]; along the normal for an impact.")
    t_resolution: float = Field(ge=0, description="How far off t may be [s]; 0 where the moment was solved for.")


class Measurement(Model):
    """What the hidden property did to each object, from physics states and events."""

    quantity: Literal["displacement", "rebound_ratio"]
    left: float
    right: float

    def of(self, side: Side) -> float:
        """The value of one object."""
        return self.left if side == "left" else self.right


@dataclass(frozen=True)
class Span:
    """How far an object went.

    Attributes:
        t: When the object got to the end of it [s].
        seen: When it is best seen there, the robot out of the way [s].
        start: Where the object's centre was, or would lie at rest [m].
        end: Where its centre is at both times [m].
    """

    t: float
    seen: float
    start: Vec3
    end: Vec3

    @property
    def length(self) -> float:
        """From start to end [m]."""
        return math.dist(self.start, self.end)

    @property
    def words(self) -> str:
        """The length as a person writes it: 4.1 cm."""
        return f"{100 * self.length:.1f} cm"


class Outcome(Model):
    """Whether an episode went as its label says, and the measured evidence."""

    ok: bool
    reason: str | None = Field(default=None, description="Why the episode failed, in words.")
    measurement: Measurement | None = None
