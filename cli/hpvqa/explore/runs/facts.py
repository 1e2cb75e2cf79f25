"""What is to be seen in a picture, in words, for agents that are given text in place of pictures."""

from __future__ import annotations

from hpvqa.explore.game import Game
from hpvqa.explore.scene import Moment
from hpvqa.explore.words import with_article


def facts(game: Game, moment: Moment) -> str:
    """What a picture of a scene shows.

    Args:
        game: The scene.
        moment: From where it is viewed, and what is done.
    """
    scene = game.scene
    seen = game.revealed(moment)
    done = (scene.deeds[number] for number in moment.done)
    moved = {deed.thing: ", moved sideways" if deed.kind == "move" else ", put aside" for deed in done}
    standing = [
        f"{with_article(item.look.words)} on the robot's {_side(item.left)}{moved.get(item.thing.name, '')}"
        for item in scene.items
    ]
    places = [
        f"{place.words}, on the robot's {_side(place.left)}: "
        + ("not to be seen" if number not in seen else "nothing" if look is None else with_article(look.words))
        for number, (place, look) in enumerate(zip(scene.places, scene.looks, strict=True))
    ]
    return f"On the table are: {', '.join(standing)}. Places: {'; '.join(places)}."


def _side(left: bool) -> str:
    return "left" if left else "right"
