"""How far lists of actions go that are fixed before a scene begins, and carried out without looking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from hpvqa.explore.game import Game
from hpvqa.explore.scene import Moment

LONGEST_LIST = 6
"""Of actions; what cannot be done in a scene is left out there."""
_WIDTH = 32
"""So many lists are made longer, those that tell most."""
_DIGITS = 9
"""Gains that differ in later digits are equal."""
_MIRRORED = {"left": "right", "right": "left"}

Word = tuple[str, str]
"""A kind of action; of the viewer its direction too, of the robot nothing: deeds have no order of their own."""
Course = tuple[Moment, frozenset[int], frozenset[str], int]
"""How far a list has come: where, what is known, to what deeds were done, and how many actions were carried out."""
Courses = Mapping[Course, float]
"""How likely each is."""


class Lists:
    """Lists of actions for all that may be hidden behind one first view.

    A list says where the viewer goes, and which kinds of deeds the robot does, but not to what: deeds have an order of
    their own in each scene, so "lift the first cover and the third" is to lift any two. Layouts come as often as their
    mirror images, so a list is worth as much as it and its own mirror image are on average.

    Args:
        game: A scene; what is really hidden does not matter.
    """

    def __init__(self, game: Game) -> None:
        self._game, self._start = game, game.start()
        self._belief = game.belief(self._start)
        self._ways: dict[Moment, Mapping[Word, list[tuple[str, Moment]]]] = {}
        self._certainties: dict[frozenset[int], float] = {}

    def best(self, most: int) -> float:
        """In which share of all that may be hidden the best list makes the answer certain.

        It is searched for from the shortest on, so it need not be the very best.

        Args:
            most: So many actions are carried out at most.
        """
        first: Courses = {(self._start.moment, self._start.known, frozenset(), 0): 1.0}
        front, share = [(first, first)], 0.0
        for _ in range(LONGEST_LIST):
            longer: dict[tuple[frozenset[tuple[Course, float]], ...], tuple[Courses, Courses]] = {}
            for one, other in front:
                for word in sorted(self._words(one) | {_mirrored(word) for word in self._words(other)}):
                    both = self._after(one, word, most), self._after(other, _mirrored(word), most)
                    longer[tuple(frozenset(courses.items()) for courses in both)] = both
            front = sorted(longer.values(), key=self._gain, reverse=True)[:_WIDTH]
            share = max([share, *map(self._certainty, front)])
        return share

    def _words(self, courses: Iterable[Course]) -> set[Word]:
        return {word for moment, *_ in courses for word in self._from(moment)}

    def _after(self, courses: Courses, word: Word, most: int) -> Courses:
        found: dict[Course, float] = defaultdict(float)
        for course, chance in courses.items():
            moment, known, done, number = course
            ways = self._from(moment).get(word, []) if number < most else []
            # To each thing once: whether it stands aside already is not known without looking.
            ways = [(thing, there) for thing, there in ways if thing not in done]
            for thing, there in ways:
                after = there, known | self._game.revealed(there), done | {thing} - {""}, number + 1
                found[after] += chance / len(ways)
            if not ways:
                found[course] += chance
        return found

    def _from(self, moment: Moment) -> Mapping[Word, list[tuple[str, Moment]]]:
        """What each word may mean: the thing that the robot takes, if any, and where it leads."""
        if moment not in self._ways:
            found: dict[Word, list[tuple[str, Moment]]] = defaultdict(list)
            for action, there in self._game.graph.moves(moment):
                viewer = "viewer" in action.kind
                word = (action.kind, action.target if viewer else "")
                found[word].append(("" if viewer else action.target, there))
            self._ways[moment] = found
        return self._ways[moment]

    def _gain(self, both: tuple[Courses, Courses]) -> float:
        total = sum(chance * self._belief.gain(known) for one in both for (_, known, *_), chance in one.items())
        return round(total, _DIGITS)

    def _certainty(self, both: tuple[Courses, Courses]) -> float:
        return sum(chance * self._certain(known) for one in both for (_, known, *_), chance in one.items()) / len(both)

    def _certain(self, known: frozenset[int]) -> float:
        if known not in self._certainties:
            self._certainties[known] = self._belief.certainty(known)
        return self._certainties[known]


def _mirrored(word: Word) -> Word:
    kind, way = word
    return kind, _MIRRORED.get(way, way)
