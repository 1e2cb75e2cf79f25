"""What a task is: a hidden property, a plan for the robot, a question, and how to tell that it worked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from hpvqa.plain import Model
from hpvqa.scene.spec import SIDES, Color, EpisodeSpec, ObjectSpec, Side, Vec3
from hpvqa.tasks.outcome import Event, EventKind, Measurement, Outcome, Span

Phase = Literal["home", "approach", "descend", "grasp", "push", "settle", "lift", "release", "retreat", "watch"]


@dataclass(frozen=True)
class Waypoint:
    """A pose that the gripper moves to, on a straight line, starting and ending at rest.

    Attributes:
        phase: What the movement is for.
        position: Where the pinch point between the finger tips goes [m]; the gripper points down.
        duration: Time to get there from the waypoint before [s].
        closed: How far the gripper is asked to close: 0 is open, 1 is closed.
        compliant: Whether the arm follows by Cartesian impedance, soft along +x, instead of stiffly.
        object: The object that this movement is about, if any.
    """

    phase: Phase
    position: Vec3
    duration: float
    closed: float
    compliant: bool = False
    object: Side | None = None


class Task(Model, ABC):
    """Base of all tasks. Class variables say what the task is; fields are the ranges of its hidden property."""

    name: ClassVar[str]
    task_id: ClassVar[int]
    """Part of the key of every random number of this task: never changed, never reused."""
    title: ClassVar[str]
    hidden: ClassVar[Literal["mass", "restitution"]]
    hidden_range: ClassVar[tuple[float, float]]
    """Everything that the hidden property can be by default, for reports by decile."""
    unit: ClassVar[str]
    """Of the hidden property; empty if it is a plain number."""
    story: ClassVar[tuple[tuple[EventKind, str], ...]]
    """The events that tell what became of an object, each after the one before it, and how a person calls them."""
    axis: ClassVar[Literal["x", "y", "z"]]
    """The coordinate of an object's centre in which the hidden property shows."""
    axis_label: ClassVar[str]
    question: ClassVar[str]
    default_fps: ClassVar[int]
    start_x: ClassVar[float] = 0.4
    start_y: ClassVar[float] = 0.2
    """The left object starts at (start_x, start_y) [m], the right one at (start_x, -start_y)."""

    @abstractmethod
    def draw_hidden(self, rng: np.random.Generator) -> tuple[float, float]:
        """Two values of the hidden property, the smaller one first."""

    @classmethod
    @abstractmethod
    def build_object(cls, hidden: float, x: float, y: float, color: Color) -> ObjectSpec:
        """The object with this hidden value, resting on the table at (x, y) [m]."""

    @classmethod
    @abstractmethod
    def waypoints(cls, spec: EpisodeSpec) -> tuple[Waypoint, ...]:
        """The robot's plan. The first waypoint, of duration 0, is where the gripper starts.

        Nothing in it depends on the hidden property.
        """

    @classmethod
    @abstractmethod
    def measure(cls, spec: EpisodeSpec, events: Sequence[Event], final: Mapping[Side, Vec3]) -> Measurement:
        """What the hidden property did.

        Args:
            spec: The episode's plan; its hidden values are not used.
            events: Everything that happened, by time.
            final: Where both objects were at the end [m].
        """

    @classmethod
    @abstractmethod
    def span(cls, spec: EpisodeSpec, events: Sequence[Event], measurement: Measurement, side: Side) -> Span:
        """How far one object went, which shows its hidden property.

        Args:
            spec: The episode's plan; its hidden values are not used.
            events: Everything that happened, by time.
            measurement: What ``measure`` found in the same episode.
            side: Which object.
        """

    @classmethod
    @abstractmethod
    def answer_from(cls, measurement: Measurement) -> Side:
        """The answer that follows from a measurement alone."""

    @classmethod
    @abstractmethod
    def log_odds(
        cls, spec: EpisodeSpec, events: Sequence[Event], times: Sequence[float], places: Mapping[Side, Sequence[Vec3]]
    ) -> float:
        """How sure an observer of single moments can be that the left object has the larger hidden value.

        The observer knows when the robot acted, and how the world works; where both objects are it knows at some
        moments alone, to a millimetre or so.

        Args:
            spec: The episode's plan; its hidden values are not used.
            events: Everything that happened, by time; only what comes before the hidden property shows is used.
            times: The moments [s], ascending.
            places: Where both objects were then [m].

        Returns:
            Natural logarithm of the odds; 0 where nothing can be told.
        """

    @classmethod
    @abstractmethod
    def mishap(cls, spec: EpisodeSpec, events: Sequence[Event], final: Mapping[Side, Vec3]) -> str | None:
        """What went wrong with the robot or an object, in words; None if nothing did."""

    @classmethod
    def duration(cls, spec: EpisodeSpec) -> float:
        """Length of an episode [s]; the same for every episode of the task."""
        return sum(waypoint.duration for waypoint in cls.waypoints(spec))

    @classmethod
    def hidden_value(cls, spec: EpisodeSpec, side: Side) -> float:
        """The hidden property of one object."""
        return float(getattr(spec.object(side), cls.hidden))

    @classmethod
    def quantity(cls) -> str:
        """The hidden property with its unit, as beside an axis: mass [kg]."""
        return f"{cls.hidden} [{cls.unit}]" if cls.unit else cls.hidden

    @classmethod
    def words_for(cls, value: float) -> str:
        """A value of the hidden property, as a person writes it: 3.21 kg."""
        return f"{value:.2f} {cls.unit}".rstrip()

    @classmethod
    def gap(cls, spec: EpisodeSpec) -> float:
        """How far apart both hidden values are."""
        return abs(cls.hidden_value(spec, "left") - cls.hidden_value(spec, "right"))

    @classmethod
    def answer(cls, spec: EpisodeSpec) -> Side:
        """The true answer: the side with the larger hidden value."""
        return max(SIDES, key=lambda side: cls.hidden_value(spec, side))

    @classmethod
    def check(cls, spec: EpisodeSpec, events: Sequence[Event], final: Mapping[Side, Vec3]) -> Outcome:
        """Compare what happened with what the label says should have."""
        reason = cls.mishap(spec, events, final)
        if reason is not None:
            return Outcome(ok=False, reason=reason)
        measurement = cls.measure(spec, events, final)
        if cls.answer_from(measurement) != cls.answer(spec):
            reason = f"the {measurement.quantity} contradicts the label"
        return Outcome(ok=reason is None, reason=reason, measurement=measurement)


def find_event(
    events: Sequence[Event], kind: str, side: Side, other: str | None = None, after: float = 0.0
) -> Event | None:
    """The first event of a kind that happened to the object on ``side`` at or after a time [s]."""
    for event in events:
        if event.kind == kind and event.object == side and event.t >= after and other in (None, event.other):
            return event
    return None
