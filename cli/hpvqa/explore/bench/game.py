"""The course of a scene with experiments, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from hpvqa.explore.bench.belief import BenchBelief, Fact, outcomes
from hpvqa.explore.bench.methods import KINDS, METHODS, Kind, Method
from hpvqa.explore.bench.perform import planned
from hpvqa.explore.bench.spec import UNREAD, Bench, Comparison, Experiment
from hpvqa.explore.game import Game, State
from hpvqa.explore.graph import Graph
from hpvqa.explore.scene import Action, Item, Moment, Scene

_MIDDLE = 0.05
"""What stands no further than this [m] to a side stands on neither."""


class Readings(Graph):
    """Where the viewer can go, and what can be read then."""

    def __init__(self, scene: Scene, bench: Bench) -> None:
        super().__init__(scene.views, (), [()] * len(scene.views), [()] * len(scene.views))
        self._experiments = len(bench.experiments)
        self._views = len(scene.views)

    def fact(self, experiment: int, view: int) -> int:
        """The number of a reading."""
        return experiment * self._views + view

    def reach(self, moment: Moment, most: int) -> Mapping[frozenset[int], int]:
        """What can be read from here on, nothing or one reading, with the least number of actions that it takes."""
        found: dict[frozenset[int], int] = {frozenset(): 0}
        distances = {moment.view: 0}
        frontier = [moment.view]
        for length in range(1, most):
            frontier = [there for view in frontier for _, there in self._exits[view] if there not in distances]
            distances |= dict.fromkeys(frontier, length)
        for view, length in distances.items():
            for experiment in range(self._experiments):
                found[frozenset([self.fact(experiment, view)])] = length + 1
        return found


class BenchGame(Game):
    """The rules of a scene with experiments: what is known are readings, each of an experiment from a view."""

    def __init__(self, scene: Scene) -> None:
        assert scene.bench is not None  # noqa: S101 - as the class says
        self._bench = scene.bench
        self._readings = Readings(scene, scene.bench)
        super().__init__(scene, self._readings)
        self._items = {item.thing.name: item for item in scene.items}
        self._numbers = {one.target: number for number, one in enumerate(scene.bench.experiments)}
        self.contents = tuple(reading for one in scene.bench.experiments for reading in one.readings)

    @property
    def compared(self) -> Comparison:
        """What is asked."""
        compared = self.scene.question.program.compared
        assert compared is not None  # noqa: S101 - as the class says
        return compared

    def start(self) -> State:
        """Before the first decision: what the first clip shows is known."""
        view = self.scene.start.view
        return State(self.scene.start, frozenset(self._readings.fact(number, view) for number in self._bench.begun))

    def belief(self, state: State) -> BenchBelief:
        """What an ideal observer believes."""
        return self.before.see(self.contents, state.known)

    def moves(self, state: State) -> Mapping[Action, State]:
        """What follows each action that can be done: any experiment, and a step to another view."""
        found = {action: State(moment, state.known) for action, moment in self.graph.moves(state.moment)}
        for number, one in enumerate(self._bench.experiments):
            fact = self._readings.fact(number, state.moment.view)
            found[Action(kind="experiment", target=one.target)] = State(state.moment, state.known | {fact})
        return found

    def sentence(self, action: Action) -> str:
        """An action or an answer in words."""
        if action.kind != "experiment":
            return super().sentence(action)
        one = self.experiment(action)
        return METHODS[one.method].sentence.format(thing=self.name(one.thing))

    def name(self, thing: str) -> str:
        """What a person calls a thing."""
        look = self._items[thing].look
        return f"the {look.color} {look.shape}"

    def experiment(self, action: Action) -> Experiment:
        """The experiment that an action means."""
        return self._bench.experiments[self._numbers[action.target]]

    def method(self, action: Action) -> Method:
        """How it is made."""
        return METHODS[self.experiment(action).method]

    def robot_seconds(self, action: Action) -> float:
        """How long the robot is at work [s]."""
        if action.kind != "experiment":
            return 0.0
        return planned(self.method(action).probe, self._items[self.experiment(action).thing].thing).duration

    @property
    def begun(self) -> tuple[Action, ...]:
        """What is done before the first decision, and seen in the first clip."""
        return tuple(
            Action(kind="experiment", target=self._bench.experiments[number].target) for number in self._bench.begun
        )

    @cached_property
    def opening(self) -> str:  # type: ignore[override]
        """The same in words; empty if nothing is."""
        return "; ".join(map(self.sentence, self.begun))

    def asked_about(self, fact: int) -> bool:
        """Whether a reading is one of a thing that the question names."""
        return fact in self._facts

    def fact(self, number: int) -> str:
        """What a reading is called in records."""
        experiment, view = divmod(number, len(self.scene.views))
        return f"{self._bench.experiments[experiment].target} from view {view}"

    def told(self, state: State) -> str:
        """All that was read so far, in words."""
        things = ", ".join(f"{self.name(name)} {_side(item)}" for name, item in self._items.items())
        read = "; ".join(map(self._told, sorted(state.known))) or "nothing"
        return f"On the table are: {things}. Measured so far: {read}."

    def _told(self, number: int) -> str:
        experiment, view = divmod(number, len(self.scene.views))
        one = self._bench.experiments[experiment]
        method, name = METHODS[one.method], self.name(one.thing)
        where = f"as seen from {self.scene.views[view].words}"
        if one.readings[view] == UNREAD:
            return f"what {name} did could not be made out, {where} ({method.sentence.format(thing=name)})"
        spread = self._bench.sharpness[one.method][view].spread
        words = method.told.format(thing=name, value=method.value(one.readings[view]))
        return f"{words}, {where}, with a standard error of {spread:.1f}"

    @cached_property
    def before(self) -> BenchBelief:
        """What is believed before anything is read."""
        compared, kind = self.compared, self._kind(self.compared.things[0])
        values = len(kind.levels[compared.hidden])
        shape = (values, len(kind.nodes) // values)
        return BenchBelief.before(shape, len(compared.things), self._facts, self.scene.question.program)

    @cached_property
    def _facts(self) -> dict[int, Fact]:
        """What can be read of the things that are asked about."""
        compared, found = self.compared, {}
        for number, one in enumerate(self._bench.experiments):
            if one.thing not in compared.things:
                continue
            kind, method = self._kind(one.thing), METHODS[one.method]
            for view, sharpness in enumerate(self._bench.sharpness[one.method]):
                chances = kind.by(compared.hidden, outcomes(method, kind, sharpness))
                found[self._readings.fact(number, view)] = Fact(compared.things.index(one.thing), chances)
        return found

    def _kind(self, thing: str) -> Kind:
        return KINDS[self._items[thing].look.shape]


def _side(item: Item) -> str:
    if abs(item.thing.position[1]) < _MIDDLE:
        return "in the middle"
    return f"on the robot's {'left' if item.left else 'right'}"
