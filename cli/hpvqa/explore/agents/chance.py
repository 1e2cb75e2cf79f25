"""Agents that choose by chance, with or without a fixed number of looks before they answer."""

from __future__ import annotations

import math

import numpy as np

from hpvqa.explore.agents.base import Rule, actions, answers, any_of
from hpvqa.explore.protocol import Decision, Turn


class Random(Rule):
    """Any option, each alike."""

    name = "random"

    def choose(self, turn: Turn, rng: np.random.Generator) -> Decision:
        """One of all."""
        chance = -math.log(len(turn.options))
        chosen = any_of(turn.options, rng)
        return Decision(chosen.letter, logprobs={option.letter: chance for option in turn.options})


class AlwaysAnswer(Rule):
    """Any answer, at once."""

    name = "always-answer"

    def choose(self, turn: Turn, rng: np.random.Generator) -> Decision:
        """One of the answers."""
        return any_of(answers(turn), rng)


class AlwaysAct(Rule):
    """Any action as long as there are steps left, then any answer."""

    name = "always-act"

    def choose(self, turn: Turn, rng: np.random.Generator) -> Decision:
        """One of the actions, or at last of the answers."""
        options = actions(turn) if turn.steps_left > 1 else []
        return any_of(options or answers(turn), rng)


class ActOnce(Rule):
    """Any action, then any answer."""

    name = "act-once"

    def choose(self, turn: Turn, rng: np.random.Generator) -> Decision:
        """One of the actions, or of the answers."""
        options = actions(turn) if turn.step == 0 else []
        return any_of(options or answers(turn), rng)


class SufficiencyKnown(Rule):
    """Any action until what was seen suffices, then any answer: it is told when, and understands nothing else."""

    name = "sufficiency-known"
    privileged = True

    def choose(self, turn: Turn, rng: np.random.Generator) -> Decision:
        """One of the actions, or of the answers."""
        observer = self.observer(turn)
        enough = observer.belief(observer.state(turn.history)).sufficient
        return any_of((not enough and actions(turn)) or answers(turn), rng)
