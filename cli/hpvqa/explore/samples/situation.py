"""All that is exact about one step of a scene, for whoever writes a thought about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hpvqa.explore.belief.plan import AHEAD, answer, best, look_ahead
from hpvqa.explore.belief.posterior import Belief
from hpvqa.explore.game import State
from hpvqa.explore.observer import Observer
from hpvqa.explore.protocol import Option, Turn
from hpvqa.explore.samples.fields import NOTHING, Box
from hpvqa.explore.samples.hiding import Hiders
from hpvqa.explore.scene import Action, Moment, Scene

Boxes = Mapping[str, Box]
"""Of every thing that is seen in a picture, by its name."""
_FAR = 99
LEAST = 1e-9
"""Gains that differ by less [bit] are equal."""


@dataclass(frozen=True)
class Tracks:
    """What is remembered of one scene: its ideal observer, and what hides what.

    Attributes:
        observer: The observer.
        hiders: What hides places.
    """

    observer: Observer
    hiders: Hiders

    @classmethod
    def of(cls, scene: Scene) -> Tracks:
        """Of a scene."""
        observer = Observer(scene)
        return cls(observer, Hiders(observer.game))


class Situation:
    """One step.

    Args:
        tracks: What is remembered of the scene.
        turn: What the agent sees.
        boxes: What is seen in each picture of the turn; None where there are no pictures.
    """

    def __init__(self, tracks: Tracks, turn: Turn, boxes: Sequence[Boxes] | None) -> None:
        self.turn, self.boxes = turn, boxes
        self.scene: Scene = turn.brief.scene
        self.hiders = tracks.hiders
        self._observer = tracks.observer
        self.state = self._observer.state(turn.history)

    @cached_property
    def states(self) -> list[State]:
        """How far the scene had come at each picture."""
        history, chosen = self.turn.history, [n for n, step in enumerate(self.turn.history, 1) if step.chosen]
        return [self._observer.state(history[:number]) for number in (0, *chosen)]

    @cached_property
    def belief(self) -> Belief:
        """What an ideal observer believes."""
        return self._observer.belief(self.state)

    @cached_property
    def gains(self) -> Mapping[Action, float]:
        """Expected information about the answer in each action [bit]."""
        return self._observer.gains(self.state)

    @cached_property
    def decision(self) -> Option:
        """What an ideal observer chooses."""
        last = self.turn.steps_left == 1
        action = answer(self.belief) if last else look_ahead(self._observer.game, self.state, self.belief)
        return next(option for option in self.turn.options if option.action == action)

    def after(self, action: Action) -> State:
        """What follows an action."""
        return self._observer.game.after(self.state, action)

    def revealed(self, state: State) -> frozenset[int]:
        """Numbers of the places that are in view in a state."""
        return self._observer.game.revealed(state.moment)

    def possible(self, place: int) -> frozenset[str]:
        """What may be at a place, in words, as far as is known."""
        looks = self.scene.places[place].contents
        found = {looks[number] for number in set(self.belief.worlds[:, place].tolist())}
        return frozenset(NOTHING if look is None else look.words for look in found)

    @cached_property
    def open(self) -> tuple[int, ...]:
        """Numbers of the places that were never seen and may matter."""
        return tuple(number for number in self._unseen if self._matters(number))

    @cached_property
    def idle(self) -> tuple[int, ...]:
        """Numbers of the places that were never seen and do not matter."""
        return tuple(number for number in self._unseen if number not in self.open)

    @property
    def _unseen(self) -> list[int]:
        return [number for number in range(len(self.scene.places)) if number not in self.state.known]

    def _matters(self, place: int) -> bool:
        if self.belief.sufficient:
            return False
        program, where = self.scene.question.program, self.scene.places[place]
        numbers = set(self.belief.worlds[:, place].tolist())
        return len({program.marks(where.contents[number], where.left) for number in numbers}) > 1

    def gain_class(self, action: Action) -> str:
        """How much an action tells at once, beside the others: none, some or most."""
        if action.kind == "answer" or self.gains[action] <= LEAST:
            return "none"
        return "most" if action in best(self.gains) else "some"

    def nearer(self, after: State) -> tuple[int, ...]:
        """Numbers of the places that matter, are not seen yet, and are fewer actions away then."""
        now, then = self._away(self.state.moment), self._away(after.moment)
        return tuple(place for place in self.open if place not in after.known and then[place] < now[place])

    def _away(self, moment: Moment) -> Mapping[int, int]:
        """How many actions away each place is that matters."""
        reach = self._observer.game.graph.reach(moment, AHEAD - 1)
        return {place: min((n for seen, n in reach.items() if place in seen), default=_FAR) for place in self.open}

    def seen_in(self, place: int) -> int | None:
        """Number of the newest picture in which a known place is to be seen, from 0; None if there is none."""
        game, name = self._observer.game, self.scene.places[place].name
        for number in reversed(range(len(self.states))):
            if place not in game.revealed(self.states[number].moment):
                continue
            if self.boxes is None or self.scene.looks[place] is None or name in self.boxes[number]:
                return number
        return None
