"""The rules of any scene."""

from __future__ import annotations

from hpvqa.explore.bench.game import BenchGame
from hpvqa.explore.game import Game
from hpvqa.explore.scene import Scene


def open_game(scene: Scene) -> Game:
    """The rules of a scene, whatever is hidden there."""
    return Game(scene) if scene.bench is None else BenchGame(scene)
