"""What a task is: a hidden property with its law of chance, a script of probes, and a question."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hpvqa.plain import Model
from hpvqa.probes.base import Probe
from hpvqa.probes.distribution import Distribution
from hpvqa.probes.events import Event, Pose, Span
from hpvqa.probes.waypoint import Waypoint
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.sampling import Drawn
from hpvqa.scene.shift import Shift
from hpvqa.scene.spec import EpisodeSpec, Side, Thing
from hpvqa.tasks.outcome import Measurement, Outcome
from hpvqa.tasks.paraphrases import load_paraphrases

Form = Literal["compare", "value"]
"""What a question asks for: which of two has more of it, or how much of it one thing has."""
FORMS: tuple[Form, ...] = get_args(Form)


_STEPS = 1001
_START_SPREAD = Randomization().start_jitter / 3**0.5
"""How far from its usual place a thing starts in x, as a standard deviation [m]."""


class Ranges(Model, ABC):
    """Base of what a task's hidden property can be: the only settings that a task has."""

    @abstractmethod
    def draw_hidden(self, rng: np.random.Generator) -> tuple[float, float]:
        """Two values of the hidden property, the smaller one first."""

    @abstractmethod
    def possible(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which pairs of a smaller and a larger value can be drawn; arrays of any one shape."""


class Task(ABC):
    """Base of all tasks: everything that differs between them, so that nobody else knows one by name."""

    name: ClassVar[str]
    task_id: ClassVar[int]
    """Part of the key of every random number of this task: never changed, never reused."""
    title: ClassVar[str]
    hidden: ClassVar[str]
    """Which property of a thing is asked for."""
    hidden_range: ClassVar[tuple[float, float]]
    """Everything that the hidden property can be by default, for reports by decile."""
    unit: ClassVar[str]
    """Of the hidden property; empty if it is a plain number."""
    question: ClassVar[str]
    """Which of two has more of it."""
    value_question: ClassVar[str]
    """How much of it one thing has, which stands where {thing} is; names the unit and what a sign means."""
    asked_unit: ClassVar[str]
    """In which that is asked, since a person would not always choose the one of the files."""
    asked_scale: ClassVar[float] = 1.0
    """What one of ``unit`` is in it."""
    default_fps: ClassVar[int]
    probe: ClassVar[Probe]
    """What the robot does to each of the things, one after the other."""
    ranges: ClassVar[type[Ranges]]
    beyond: ClassVar[Ranges | None] = None
    """Ranges outside of the usual ones, in which all goes well too, for testing only; None: there are none."""
    rougher: ClassVar[float | None] = None
    """By how much the friction of all things is raised for testing; None: it shows in nothing, or is asked for."""
    views: ClassVar[str] = ""
    """Name of another task whose cameras see this one well: they film it where a rig names none for it."""

    @abstractmethod
    def things(self, drawn: Drawn) -> tuple[Thing, ...]:
        """The things of an episode, where they start."""

    @abstractmethod
    def examples(self) -> tuple[Thing, ...]:
        """What the things look like, and about where they start, for whoever may know nothing of an episode."""

    @abstractmethod
    def order(self, drawn: Drawn) -> tuple[str, ...]:
        """Names of the things that the robot acts on, in this order."""

    @abstractmethod
    def answer(self, spec: EpisodeSpec) -> Side:
        """The true answer, from the plan."""

    @abstractmethod
    def answer_from(self, measurement: Measurement) -> Side:
        """The answer that follows from a measurement alone."""

    @abstractmethod
    def gap(self, spec: EpisodeSpec) -> float:
        """How far apart the hidden values of both answers are."""

    @abstractmethod
    def log_odds(
        self, spec: EpisodeSpec, events: Sequence[Event], times: Sequence[float], places: Mapping[str, Sequence[Pose]]
    ) -> float:
        """How sure an observer of single moments can be that the answer is left.

        The observer knows when the robot acted, and how the world works; where the things are it knows at some
        moments alone, to a millimetre or so.

        Args:
            spec: The episode's plan; its hidden values are not used.
            events: Everything that happened, by time; only what comes before the hidden property shows is used.
            times: The moments [s], ascending.
            places: Where each thing was then [m], by name.

        Returns:
            Natural logarithm of the odds; 0 where nothing can be told.
        """

    def log_likelihood(
        self,
        spec: EpisodeSpec,
        name: str,
        values: NDArray[np.float64],
        events: Sequence[Event],
        times: Sequence[float],
        places: Sequence[Pose],
    ) -> NDArray[np.float64]:
        """How well values of the hidden property of one thing agree with what was seen of it, shape (n,).

        Where no moment is before the hidden property shows, the observer still knows where things start, give or take
        what is drawn: so a last picture alone may tell something.

        Args:
            spec: The episode's plan; neither its hidden values nor its places are used.
            name: Which thing.
            values: The values, shape (n,).
            events: As for ``log_odds``.
            times: The same.
            places: Where this thing was then [m].
        """
        contact = self.probe.contact(events, name)
        missed = bool(times) and contact is not None and times[0] > contact
        if missed:
            (usual,) = (thing.position for thing in self.examples() if thing.name == name)
            times, places = (0.0, *times), (Pose(usual, (1.0, 0.0, 0.0, 0.0)), *places)
        blur = _START_SPREAD if missed else 0.0
        return self.probe.log_likelihood(spec.thing(name), self.hidden, values, events, times, places, blur=blur)

    def waypoints(self, spec: EpisodeSpec) -> tuple[Waypoint, ...]:
        """The robot's plan. The first waypoint, of duration 0, is where the gripper starts.

        Nothing in it depends on the hidden property.

        Raises:
            ValueError: The probe cannot be done to one of the things.
        """
        plan = [self.probe.begin()]
        for number, name in enumerate(spec.order):
            thing = spec.thing(name)
            if trouble := self.probe.trouble(thing):
                raise ValueError(f"{self.name}: {trouble}")
            plan += self.probe.waypoints(thing, first=number == 0)
        return (*plan, *self.probe.end(plan[-1]))

    def duration(self, spec: EpisodeSpec) -> float:
        """Length of an episode [s]; the same for every episode of the task."""
        return sum(waypoint.duration for waypoint in self.waypoints(spec))

    def measure(self, spec: EpisodeSpec, events: Sequence[Event], final: Mapping[str, Pose]) -> Measurement:
        """What the hidden property did.

        Args:
            spec: The episode's plan; its hidden values are not used.
            events: Everything that happened, by time.
            final: Where each thing was at the end [m], by name.
        """
        values = {thing.name: self.probe.measure(thing, events, final[thing.name]) for thing in spec.things}
        return Measurement(quantity=self.probe.quantity, values=values)

    def span(self, spec: EpisodeSpec, events: Sequence[Event], measurement: Measurement, name: str) -> Span:
        """How far one thing went, which shows its hidden property.

        Args:
            spec: The episode's plan; its hidden values are not used.
            events: Everything that happened, by time.
            measurement: What ``measure`` found in the same episode.
            name: Which thing.
        """
        return self.probe.span(spec.thing(name), events, measurement.of(name), self.duration(spec))

    def mishap(self, spec: EpisodeSpec, events: Sequence[Event], final: Mapping[str, Pose]) -> str | None:
        """What went wrong with the robot or a thing, in words; None if nothing did."""
        found = (self.probe.mishap(thing, events, final[thing.name]) for thing in spec.things)
        return next((reason for reason in found if reason is not None), None)

    def check(self, spec: EpisodeSpec, events: Sequence[Event], final: Mapping[str, Pose]) -> Outcome:
        """Compare what happened with what the label says should have."""
        reason = self.mishap(spec, events, final)
        if reason is not None:
            return Outcome(ok=False, reason=reason)
        measurement = self.measure(spec, events, final)
        if self.answer_from(measurement) != self.answer(spec):
            reason = f"the {measurement.quantity} contradicts the label"
        return Outcome(ok=reason is None, reason=reason, measurement=measurement)

    @cached_property
    def grid(self) -> NDArray[np.float64]:
        """All values of the hidden property that are told apart, of those that can be drawn by default; ascending."""
        values = np.linspace(*self.hidden_range, _STEPS)
        low, high = np.meshgrid(values, values, indexing="ij")
        possible = self.ranges().possible(low, high)
        return values[possible.any(axis=0) | possible.any(axis=1)]

    def believed(self, name: str, measured: Distribution, sharpness: float) -> Distribution:
        """What a measurement says of the hidden property of a thing, by the probe's law.

        Args:
            name: Which thing.
            measured: What is believed of what the probe measures.
            sharpness: How far the law may be off, as a standard deviation.
        """
        return measured.cause(self.grid, self._expected[name], sharpness)

    @cached_property
    def _expected(self) -> dict[str, NDArray[np.float64]]:
        return {thing.name: self.probe.expected(thing, self.hidden, self.grid) for thing in self.examples()}

    @cached_property
    def rises(self) -> bool:
        """Whether what is measured rises with the hidden property, by the probe's law."""
        low, high = self.probe.expected(self.examples()[0], self.hidden, np.array(self.hidden_range))
        return bool(high > low)

    def unfit(self, shift: Shift) -> str | None:
        """Why a shift makes no sense for this task, in words; None if it does."""
        if shift.values == "beyond" and self.beyond is None:
            return "it has no hidden values outside of the usual ones"
        if shift.friction == "rougher" and self.rougher is None:
            return "friction shows in nothing that is seen, or is what is asked for"
        return None

    def hidden_value(self, spec: EpisodeSpec, name: str) -> float:
        """The hidden property of one thing."""
        return spec.thing(name).hidden(self.hidden)

    def values(self, spec: EpisodeSpec) -> dict[str, float]:
        """The hidden property of every thing, by name."""
        return {name: self.hidden_value(spec, name) for name in spec.names}

    def quantity(self) -> str:
        """The hidden property with its unit, as beside an axis: mass [kg]."""
        words = self.hidden.replace("_", " ")
        return f"{words} [{self.unit}]" if self.unit else words

    def asked_value(self, thing: Thing) -> float:
        """The hidden property of a thing, in the unit that is asked for."""
        return self.asked_scale * thing.hidden(self.hidden)

    def paraphrases(self, form: Form) -> tuple[str, ...]:
        """Other words for the question; none by default. In ``value`` questions {thing} stands for the thing."""
        return load_paraphrases(self.name).of(form)

    def words_for(self, value: float) -> str:
        """A value of the hidden property, as a person writes it: 3.21 kg."""
        return f"{value:.2f} {self.unit}".rstrip()
