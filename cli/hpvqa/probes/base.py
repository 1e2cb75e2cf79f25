"""What a probe is: one experiment on one thing, whatever property it is done for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.events import Event, EventKind, Pose, Span, find_event
from hpvqa.probes.traces import Trace
from hpvqa.probes.waypoint import Waypoint
from hpvqa.scene.spec import Thing, Vec3

Array = NDArray[np.float64]


class Probe(ABC):
    """Base of all probes. Nothing that a probe plans depends on what cannot be seen of the thing."""

    name: ClassVar[str]
    title: ClassVar[str]
    """What the robot does, for a person."""
    shapes: ClassVar[frozenset[str]]
    """Shapes of things that it can be done to."""
    quantity: ClassVar[str]
    """What is measured."""
    sharpness: ClassVar[float]
    """An observer of single moments knows what is measured to this much, as a standard deviation."""
    accuracy: ClassVar[float]
    """The largest error of ``law`` over all values that the shipped tasks draw, in the unit of what is measured."""
    from_start: ClassVar[bool] = False
    """Whether what is measured is counted from where a thing stood on the table, which differs between episodes."""
    story: ClassVar[tuple[tuple[EventKind, str], ...]]
    """The events that tell what became of a thing, each after the one before it, and how a person calls them."""
    axis: ClassVar[Literal["x", "y", "z"]]
    """The coordinate of a thing's centre in which the outcome shows."""
    axis_label: ClassVar[str]
    displays: ClassVar[tuple[str, ...]] = ()
    """Phases in which the thing is away from where it stood along ``axis``, whatever its hidden properties."""

    hover: ClassVar[Vec3]
    """Where the gripper starts a script [m], and, where nothing else is said, ends it."""
    closed: ClassVar[float]
    """How far it is closed there: 0 is open, 1 is closed."""
    back: ClassVar[float] = 0.6
    """Time to get back there [s]."""

    def begin(self) -> Waypoint:
        """Where the gripper starts, of duration 0, when this is the first probe of a script."""
        return Waypoint("home", self.hover, 0.0, self.closed)

    @abstractmethod
    def waypoints(self, thing: Thing, *, first: bool) -> tuple[Waypoint, ...]:
        """What the robot does.

        Args:
            thing: What it is done to.
            first: Whether the gripper comes from where it starts, and not from another thing.
        """

    def end(self, last: Waypoint) -> tuple[Waypoint, ...]:
        """What follows after the ``last`` waypoint of a script whose last probe this is: back to the start."""
        return (Waypoint("home", self.hover, self.back, self.closed),)

    def contact(self, events: Sequence[Event], name: str) -> float | None:
        """When hidden properties of a thing first act [s]: at the gripper's first touch; None if they never did."""
        touch = find_event(events, "first_touch", name, "gripper")
        return None if touch is None else touch.t

    @abstractmethod
    def mishap(self, thing: Thing, events: Sequence[Event], final: Pose) -> str | None:
        """What went wrong with the robot or the thing, in words; None if nothing did.

        Args:
            thing: What it was done to; its hidden values are not used.
            events: Everything that happened, by time.
            final: Where the thing was at the end [m].
        """

    @abstractmethod
    def measure(self, thing: Thing, events: Sequence[Event], final: Pose) -> float:
        """What hidden properties did, with the arguments of ``mishap``."""

    @abstractmethod
    def span(self, thing: Thing, events: Sequence[Event], measured: float, duration: float) -> Span:
        """How far the thing went.

        Args:
            thing: What it was done to; its hidden values are not used.
            events: Everything that happened, by time.
            measured: What ``measure`` found in the same episode.
            duration: Length of the episode [s].
        """

    @abstractmethod
    def law(self, thing: Thing) -> float:
        """What should be measured, by theory or a table of measurements, from all properties of the thing."""

    @abstractmethod
    def seen(
        self, thing: Thing, events: Sequence[Event], times: Sequence[float], places: Sequence[Pose]
    ) -> float | None:
        """What an observer of single moments would measure; None where it cannot.

        Args:
            thing: What it was done to; its hidden values are not used.
            events: Everything that happened, by time; only what comes before hidden properties act is used.
            times: The moments [s], ascending.
            places: Where the thing was then [m].
        """

    @abstractmethod
    def trace(self, thing: Thing, hidden: str) -> Trace:
        """How it can be seen in pictures what value the property called ``hidden`` has."""

    def trouble(self, thing: Thing) -> str | None:
        """Why this cannot be done to a thing, in words; None if it can."""
        return None if thing.shape in self.shapes else f"one cannot {self.name} a {thing.noun}"

    def expected(self, thing: Thing, hidden: str, values: Array) -> Array:
        """What should be measured if the property called ``hidden`` had these values, shape (n,)."""
        return np.array([self.law(thing.with_hidden(hidden, float(value))) for value in values])

    def log_likelihood(
        self,
        thing: Thing,
        hidden: str,
        values: Array,
        events: Sequence[Event],
        times: Sequence[float],
        places: Sequence[Pose],
        *,
        blur: float = 0.0,
    ) -> Array:
        """How well values of a hidden property agree with what an observer of single moments saw, shape (n,).

        Where what is measured is counted from where the thing stood, ``blur`` says how far off that may be [m].
        """
        seen = self.seen(thing, events, times, places)
        if seen is None:
            return np.zeros(len(values))
        sharpness = np.hypot(self.sharpness, blur) if self.from_start else self.sharpness
        off = (seen - self.expected(thing, hidden, values)) / sharpness
        return np.asarray(-0.5 * off**2)
