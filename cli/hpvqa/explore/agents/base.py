"""What agents that are rules share: they choose an option of one turn at a time."""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pydantic import JsonValue

from hpvqa.explore.observer import Observer
from hpvqa.explore.protocol import Brief, Decision, Option, Turn
from hpvqa.explore.scene import Action


@dataclass(frozen=True)
class Training:
    """What an agent learns from.

    Attributes:
        observers: One for each training scene.
    """

    observers: tuple[Observer, ...] = ()


NOTHING = Training()


class Rule(ABC):
    """An agent that is a rule and looks at no picture.

    Args:
        seed: Of all that it draws.
        training: What it learns from, if it learns.
    """

    name: str
    """What it is called."""
    batch_size = 256
    looks = False
    privileged = False
    learns = False
    """Whether it needs training scenes."""

    def __init__(self, seed: int, training: Training = NOTHING) -> None:
        self._seed = seed
        self._observers: dict[str, Observer] = {}

    @property
    def details(self) -> Mapping[str, JsonValue]:
        """Everything about it that its decisions depend on."""
        return {}

    def load(self, tell: Callable[[str], None]) -> None:  # noqa: B027 - rules have nothing to load
        """Nothing takes long."""

    def begin(self, briefs: Sequence[Brief]) -> None:
        """Hear of scenes; only privileged rules look at more than the question."""
        if self.privileged:
            self._observers |= {brief.key: Observer(brief.scene) for brief in briefs}

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """Choose for each turn by itself, and take the time."""
        return [self._timed(turn) for turn in turns]

    def close(self) -> None:  # noqa: B027
        """Nothing is held."""

    def _timed(self, turn: Turn) -> Decision:
        start = time.perf_counter()
        return replace(self.choose(turn, self._rng(turn)), seconds=time.perf_counter() - start)

    def _rng(self, turn: Turn) -> np.random.Generator:
        """Chance of one turn, whatever was decided before."""
        digest = hashlib.sha256(turn.brief.key.encode()).digest()
        key = (int.from_bytes(digest, "big"), turn.step)
        return np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=key))

    def observer(self, turn: Turn) -> Observer:
        """The ideal observer of a turn's scene; for privileged rules."""
        return self._observers[turn.brief.key]

    @abstractmethod
    def choose(self, turn: Turn, rng: np.random.Generator) -> Decision:
        """Decide one turn.

        Args:
            turn: The turn.
            rng: For what is drawn.
        """


def answers(turn: Turn) -> list[Option]:
    """The options that end a scene."""
    return [option for option in turn.options if option.answers]


def actions(turn: Turn) -> list[Option]:
    """The options that do not."""
    return [option for option in turn.options if not option.answers]


def any_of(options: Sequence[Option], rng: np.random.Generator) -> Decision:
    """One of some options, each alike."""
    return Decision(options[int(rng.integers(len(options)))].letter)


def taken(turn: Turn, action: Action) -> Decision:
    """The option that stands for an action; whatever answer there is where it is not offered."""
    letter = next((option.letter for option in turn.options if option.action == action), None)
    return Decision(letter or answers(turn)[0].letter)
