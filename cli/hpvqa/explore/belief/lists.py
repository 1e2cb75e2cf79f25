"""How far deeds go that are chosen without looking: a list of actions that is fixed before a scene begins."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from hpvqa.explore.game import Game
from hpvqa.explore.scene import Deed, Moment

Kinds = tuple[tuple[str, int], ...]
"""How many deeds there are of each kind."""


def blind_shares(games: Sequence[Game], most: int) -> tuple[float, ...]:
    """The largest share of some scenes in which so many deeds of each kind tell the answer, whichever they are.

    Deeds have no order of their own, so that a list, such as "lift the first cover and the third", does no better on
    average. The viewer stays where it is.

    Args:
        games: Scenes with one layout and one beginning.
        most: So many deeds at most.

    Returns:
        The share for no deed at all, for one at most, for two at most, and so on; of most + 1 values.
    """
    scene, start = games[0].scene, games[0].start()
    beliefs = [game.belief(start) for game in games]
    enough: dict[frozenset[int], float] = {}
    solved: dict[Kinds, list[float]] = defaultdict(list)
    for kinds, moments in _ways(scene.deeds, start.moment, most):
        known = start.known.union(*map(games[0].revealed, moments))
        if known not in enough:
            seen = [
                belief.see(game.scene.contents, known - start.known)
                for game, belief in zip(games, beliefs, strict=True)
            ]
            enough[known] = sum(belief.sufficient for belief in seen) / len(seen)
        solved[kinds].append(enough[known])
    shares = [0.0] * (most + 1)
    for kinds, found in solved.items():
        for number in range(sum(count for _, count in kinds), most + 1):
            shares[number] = max(shares[number], sum(found) / len(found))
    return tuple(shares)


def _ways(deeds: Sequence[Deed], start: Moment, most: int) -> Iterator[tuple[Kinds, list[Moment]]]:
    """Sets of deeds that can be done, how many there are of each kind, and the moments through which they lead."""
    for mask in range(1 << len(deeds)):
        chosen = [number for number in range(len(deeds)) if mask >> number & 1]
        if len(chosen) > most:
            continue
        done, moments = set(start.done), [start]
        # What stands on top comes first.
        for number in sorted(chosen, key=lambda number: len(deeds[number].after)):
            if not set(deeds[number].after) <= done:
                break
            done = done ^ {number} if deeds[number].kind == "move" else done | {number}
            moments.append(Moment(view=start.view, done=tuple(sorted(done))))
        else:
            yield tuple(sorted(Counter(deeds[number].kind for number in chosen).items())), moments
