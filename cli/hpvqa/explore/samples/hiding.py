"""What hides a place from a view: by rays, the thing that stands in front of most of what may be there."""

from __future__ import annotations

import numpy as np

from hpvqa.explore.game import Game
from hpvqa.explore.rays import Sight, bodies
from hpvqa.explore.scene import Moment

EDGE = "the edge of the picture"


class Hiders:
    """Says what hides places of a scene; each is looked for once.

    Args:
        game: The scene.
    """

    def __init__(self, game: Game) -> None:
        self._game = game
        self._found: dict[tuple[Moment, int], str] = {}

    def hider(self, moment: Moment, place: int) -> str:
        """What hides a place that is not seen at a moment, in words."""
        key = (moment, place)
        if key not in self._found:
            self._found[key] = self._look(moment, place)
        return self._found[key]

    def _look(self, moment: Moment, place: int) -> str:
        game, scene = self._game, self._game.scene
        where = scene.places[place]
        look = max(filter(None, where.contents), key=lambda look: (look.full_size, look.words))
        sight = Sight.of(scene.views[moment.view].camera, bodies(where.thing(look)))
        moved = {scene.deeds[number].thing: scene.deeds[number].to for number in moment.done}
        hidden = {EDGE: int((~sight.inside).sum())}
        for item in scene.items:
            parts = [sight.hidden_by(body) for body in bodies(item.thing, at=moved.get(item.thing.name))]
            hidden[game.name(item.thing.name)] = int(np.any(parts, axis=0).sum())
        return max(hidden, key=lambda name: hidden[name])
