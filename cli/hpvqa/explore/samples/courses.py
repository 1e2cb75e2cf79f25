"""Ways through a scene: an ideal observer's, some that go astray and recover, and mixtures of both."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from hpvqa.explore.belief.plan import look_ahead
from hpvqa.explore.observer import Observer
from hpvqa.explore.scene import Action, Scene

Way = Literal["ideal", "mixed", "noisy"]
WAYS: tuple[Way, ...] = get_args(Way)
"""ideal: always the best decision; mixed: any action instead every second time; noisy: two actions by chance, and then
the best decisions, so that recovery is seen."""
_WAYS = 1
"""Keeps the generators of ways apart from those of words."""
_SAMPLES_KEY = 2
"""Keeps the generators of samples apart from others with a scene's seed."""
_NOISE: dict[Way, tuple[float, int]] = {"ideal": (0.0, 0), "mixed": (0.5, 99), "noisy": (1.0, 2)}
"""How likely an action by chance is, and in how many of the first steps."""


def actions(observer: Observer, way: Way) -> tuple[Action, ...]:
    """What is done on a way through a scene, but for the answer at its end.

    Whoever goes it always has one decision left to answer.
    """
    scene, game = observer.game.scene, observer.game
    rng, state, done = generator(scene, _WAYS, WAYS.index(way)), game.start(), list[Action]()
    chance, first = _NOISE[way]
    while len(done) < scene.steps - 1:
        belief, offered = observer.belief(state), game.actions(state)
        action = look_ahead(game, state, belief)
        if len(done) < first and rng.random() < chance and offered:
            action = offered[int(rng.integers(len(offered)))]
        if action.kind == "answer":
            break
        state = game.after(state, action)
        done.append(action)
    return tuple(done)


def generator(scene: Scene, *key: int) -> np.random.Generator:
    """A generator of random numbers that belongs to a scene and a purpose."""
    return np.random.default_rng(
        np.random.SeedSequence(scene.seed, spawn_key=(_SAMPLES_KEY, scene.number, scene.index, *key))
    )
