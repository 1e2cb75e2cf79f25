"""What an ideal observer knows at each turn of a scene, and what each option is worth to it."""

from __future__ import annotations

from collections.abc import Sequence

from hpvqa.explore.belief.plan import best, gains, rates
from hpvqa.explore.belief.posterior import Belief
from hpvqa.explore.game import State
from hpvqa.explore.games import open_game
from hpvqa.explore.protocol import Step
from hpvqa.explore.scene import Action, Scene


class Observer:
    """Looks over the shoulder of whoever plays one scene.

    Args:
        scene: The scene.

    Attributes:
        game: Its rules.
    """

    def __init__(self, scene: Scene) -> None:
        self.game = open_game(scene)
        self._first = self.game.start()
        self._beliefs: dict[frozenset[int], Belief] = {}
        self._values: dict[State, dict[Action, float]] = {}

    def state(self, history: Sequence[Step]) -> State:
        """How far the scene has come after some steps."""
        state = self._first
        for step in history:
            if step.chosen is not None and not step.chosen.answers:
                state = self.game.after(state, step.chosen.action)
        return state

    def belief(self, state: State) -> Belief:
        """What is believed there."""
        if state.known not in self._beliefs:
            first = self._beliefs.get(self._first.known)
            contents = self.game.contents
            self._beliefs[state.known] = (
                self.game.belief(state) if first is None else first.see(contents, state.known - self._first.known)
            )
        return self._beliefs[state.known]

    def gains(self, state: State) -> dict[Action, float]:
        """Expected information about the answer in each action that can be done [bit]."""
        return gains(self.game, state, self.belief(state))

    def values(self, state: State) -> dict[Action, float]:
        """The same an action, along the best way that begins with it [bit an action].

        What shows nothing by itself may be the first step to what does.
        """
        if state not in self._values:
            self._values[state] = rates(self.game, state, self.belief(state))
        return self._values[state]

    def best(self, state: State) -> tuple[Action, ...]:
        """The actions of the highest value; none once the answer is certain."""
        return () if self.belief(state).sufficient else best(self.values(state))

    def unhidden(self, state: State, after: State) -> frozenset[int]:
        """Numbers of what is known for the first time and asked about: places that hold it, or readings of it."""
        return frozenset(number for number in after.known - state.known if self.game.asked_about(number))
