"""Where scenes are played: what follows an action, from the scene's own tables or from simulators."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

import numpy as np

from hpvqa.explore.bench.game import BenchGame
from hpvqa.explore.game import Game, State
from hpvqa.explore.games import open_game
from hpvqa.explore.protocol import Shot
from hpvqa.explore.robot import plan
from hpvqa.explore.scene import Action, Scene
from hpvqa.explore.world import Outcome

_NO_PICTURE = np.zeros((0, 0, 3), np.uint8)


class Stage(Protocol):
    """Plays many scenes at a time; what follows comes later."""

    def begin(self, key: str, scene: Scene) -> Future[Outcome]:
        """Begin a scene.

        Raises:
            RunError: A worker died.
        """

    def act(self, key: str, action: Action) -> Future[Outcome]:
        """Do something in a scene that has begun.

        Raises:
            RunError: A worker died.
        """

    def end(self, key: str) -> None:
        """Forget a scene."""

    def close(self) -> None:
        """Release everything."""


class Tables:
    """What follows from the tables of a scene, without pictures: what is seen is exactly what a rendering shows.

    Args:
        describe: Puts what is seen into words; None: nothing is shown.
    """

    def __init__(self, describe: Callable[[Game, State], str] | None = None) -> None:
        self._describe = describe
        self._games: dict[str, tuple[Game, State]] = {}

    def begin(self, key: str, scene: Scene) -> Future[Outcome]:
        """Begin a scene."""
        game = open_game(scene)
        return self._outcome(key, game, game.start(), game.opening, 0.0)

    def act(self, key: str, action: Action) -> Future[Outcome]:
        """Do something."""
        game, state = self._games[key]
        after = game.after(state, action)
        return self._outcome(key, game, after, game.sentence(action), _robot_seconds(game, action))

    def end(self, key: str) -> None:
        """Forget a scene."""
        self._games.pop(key, None)

    def close(self) -> None:
        """Nothing is held."""

    def _outcome(self, key: str, game: Game, state: State, after: str, seconds: float) -> Future[Outcome]:
        self._games[key] = game, state
        words = "" if self._describe is None else self._describe(game, state)
        shot = Shot(_NO_PICTURE, game.scene.views[state.moment.view].words, after, words)
        future: Future[Outcome] = Future()
        future.set_result(Outcome(shot, None, seconds, 0.0))
        return future


def _robot_seconds(game: Game, action: Action) -> float:
    """How long the robot would be at work [s]."""
    if isinstance(game, BenchGame):
        return game.robot_seconds(action)
    deed = next((deed for deed in game.scene.deeds if deed.thing == action.target), None)
    if deed is None:
        return 0.0
    scene = game.scene
    items = {item.thing.name: item.thing for item in scene.items}
    hidden = {p.name: p.thing(look) for p, look in zip(scene.places, scene.looks, strict=True) if look is not None}
    thing = (items | hidden)[deed.thing]
    return plan(thing, np.array(thing.position), deed.to).duration
