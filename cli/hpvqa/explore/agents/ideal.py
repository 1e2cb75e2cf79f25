"""Agents that know the exact posterior: they read pictures perfectly."""

from __future__ import annotations

import numpy as np

from hpvqa.explore.agents.base import Rule, actions, taken
from hpvqa.explore.belief.plan import Policy, answer, greedy, look_ahead
from hpvqa.explore.game import State
from hpvqa.explore.observer import Observer
from hpvqa.explore.protocol import Decision, Turn
from hpvqa.explore.scene import Action

_FAR = 6
"""Longest way to something hidden that is looked for [actions]."""


class _Ideal(Rule):
    privileged = True
    policy: Policy

    def choose(self, turn: Turn, rng: np.random.Generator) -> Decision:
        """What the policy does."""
        observer = self.observer(turn)
        state = observer.state(turn.history)
        belief = observer.belief(state)
        if turn.steps_left == 1 or not actions(turn):
            return taken(turn, answer(belief))
        return taken(turn, type(self).policy(observer.game, state, belief))


class IdealGreedy(_Ideal):
    """Answers once that is certain; until then, takes the action that tells most at once."""

    name = "ideal-greedy"
    policy = staticmethod(greedy)


class Ideal(_Ideal):
    """Answers once that is certain; until then, begins the way that tells most an action."""

    name = "ideal"
    policy = staticmethod(look_ahead)


class UnhideOracle(Rule):
    """Knows the truth, and un-hides things that are asked about until none is hidden: what the paper calls gain.

    Then it gives the likelier answer. To look where nothing is gains it nothing, so it never does.
    """

    name = "unhide-oracle"
    privileged = True

    def choose(self, turn: Turn, rng: np.random.Generator) -> Decision:
        """The first step of the shortest way to something hidden, or an answer."""
        observer = self.observer(turn)
        state = observer.state(turn.history)
        first = _way(observer, state) if turn.steps_left > 1 else None
        return taken(turn, first or answer(observer.belief(state)))


def _way(observer: Observer, state: State) -> Action | None:
    """The first action of the shortest way that un-hides most; None where nothing is left to un-hide."""
    game = observer.game
    frontier = dict(game.moves(state))
    ways: list[tuple[Action, State]] = list(frontier.items())
    seen = {state, *frontier.values()}
    for _ in range(_FAR):
        found = [(len(observer.unhidden(state, there)), first) for first, there in ways]
        most = max((count for count, _ in found), default=0)
        if most:
            return next(first for count, first in found if count == most)
        longer = []
        for first, there in ways:
            for after in game.moves(there).values():
                if after not in seen:
                    seen.add(after)
                    longer.append((first, after))
        ways = longer
    return None
