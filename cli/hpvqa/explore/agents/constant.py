"""The best constant list of actions: does it matter at all what is seen?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from hpvqa.explore.agents.base import NOTHING, Rule, Training, actions, taken
from hpvqa.explore.belief.plan import answer
from hpvqa.explore.game import State
from hpvqa.explore.observer import Observer
from hpvqa.explore.protocol import Decision, Turn
from hpvqa.explore.scene import Action

_MOST = 6
"""Longest list [actions]."""
_SCENES = 80
"""Most training scenes of a family that are looked at."""
_GAIN = 1e-6


@dataclass(frozen=True, order=True)
class Word:
    """An action whatever the scene: turn left; lift the second thing that can be lifted."""

    kind: str
    which: str

    def among(self, offered: Sequence[Action]) -> Action | None:
        """The action that it means here; None where there is none."""
        return next((action for word, action in words(offered) if word == self), None)


def words(offered: Iterable[Action]) -> list[tuple[Word, Action]]:
    """Each action by what it is called in a list."""
    counts: dict[str, int] = defaultdict(int)
    found = []
    for action in offered:
        which = action.target
        if action.kind in ("pick", "move", "uncover"):
            counts[action.kind] += 1
            which = str(counts[action.kind])
        found.append((Word(action.kind, which), action))
    return found


class Constant(Rule):
    """Carries out a list of actions that was best for its family of training scenes, then gives the likelier answer.

    Of the list, what cannot be done is left out. It reads perfectly what it sees, so it is an upper bound.
    """

    name = "constant"
    privileged = True
    learns = True

    def __init__(self, seed: int, training: Training = NOTHING) -> None:
        super().__init__(seed, training)
        families: dict[str, list[Observer]] = defaultdict(list)
        for observer in training.observers:
            families[observer.game.scene.family].append(observer)
        self._lists = {family: best_list(observers[:_SCENES]) for family, observers in sorted(families.items())}

    @property
    def details(self) -> Mapping[str, JsonValue]:
        """The lists."""
        return {family: [f"{word.kind} {word.which}" for word in found] for family, found in self._lists.items()}

    def choose(self, turn: Turn, rng: np.random.Generator) -> Decision:
        """The next of the list that can be done, or an answer."""
        observer = self.observer(turn)
        left = _left(observer, self._lists.get(observer.game.scene.family, ()), turn.step)
        offered = [option.action for option in actions(turn)]
        action = next(filter(None, (word.among(offered) for word in left)), None)
        if action is None or turn.steps_left == 1:
            return taken(turn, answer(observer.belief(observer.state(turn.history))))
        return taken(turn, action)


def _left(observer: Observer, found: Sequence[Word], steps: int) -> Sequence[Word]:
    """What is left of a list after so many steps."""
    state, done, left = observer.game.start(), 0, list(found)
    while left and done < steps:
        action = left.pop(0).among(observer.game.actions(state))
        if action is not None:
            state, done = observer.game.after(state, action), done + 1
    return left


def best_list(observers: Sequence[Observer]) -> tuple[Word, ...]:
    """The list that lets most scenes be answered; one word after the other is added as long as that helps."""
    found: tuple[Word, ...] = ()
    states = [observer.game.start() for observer in observers]
    left = np.array([observer.game.scene.steps - 1 for observer in observers])
    best = _certainty(observers, states)
    while len(found) < _MOST and observers:
        # Who has no decision left but the answer does nothing more.
        offered = [
            dict(words(observer.game.actions(state))) if some else {}
            for observer, state, some in zip(observers, states, left, strict=True)
        ]
        tried = {}
        for word in sorted({word for one in offered for word in one}):
            after = [
                observer.game.after(state, one[word]) if word in one else state
                for observer, state, one in zip(observers, states, offered, strict=True)
            ]
            tried[word] = (_certainty(observers, after), after)
        if not tried:
            break
        word = max(tried, key=lambda one: tried[one][0])
        if tried[word][0] <= best + _GAIN:
            break
        best, states = tried[word]
        left -= [word in one for one in offered]
        found = (*found, word)
    return found


def _certainty(observers: Sequence[Observer], states: Sequence[State]) -> float:
    """How likely the likeliest answer is, on average."""
    chances = [
        max(observer.belief(state).answers().values()) for observer, state in zip(observers, states, strict=True)
    ]
    return float(np.mean(chances)) if chances else 0.0
