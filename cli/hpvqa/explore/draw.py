"""Drawing scenes, in groups of four: two twins with one first view, and two whose first view suffices.

Layout, first view and question come first; then the answer, each alike; then what is hidden, given the answer. A scene
is kept only if all checks hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hpvqa.explore.ask import draw_program
from hpvqa.explore.belief.lists import Lists
from hpvqa.explore.belief.plan import lengths, look_ahead, play
from hpvqa.explore.game import Game
from hpvqa.explore.graph import Graph
from hpvqa.explore.layouts.layout import Layout, draw_layout
from hpvqa.explore.layouts.types import TYPES, LayoutType
from hpvqa.explore.prepared import Beginning, Prepared
from hpvqa.explore.questions import FORMS, NOTHING, Form, Program
from hpvqa.explore.scene import FAMILIES, Action, Family, Moment, Question, Scene

GROUP = 4
"""Scenes of a group."""
BLIND = {1: 0.5, 0: 2 / 3}
"""With so many more decisions than an ideal observer needs at most, no list of actions that is fixed before may tell
the answer in a larger share of what may be hidden. The more is granted if it may be."""
_EQUAL = 1e-9
"""Values that differ by less are equal."""
_DRAW_KEY = 0
_LONGEST = 7
"""Most actions of an ideal plan."""
MOST_STEPS = _LONGEST + max(BLIND) + 1
"""Most decisions of any scene, the answer included."""
_LOOKS = 4
"""Two twins need at least so many actions on average, or one more than there are places;"""
_MANY = 6
"""those of half of all groups so many, where that is found among the first layouts."""
_HIDDEN = 2
"""So many places at least that the answer may depend on are hidden at first from twins."""
_ANSWERS = (2, 5)
_TRIES = 400
_SHARE = 0.5
_PROGRAMS = 12
"""Questions that are tried for one layout."""
_PLANNED = 2
"""So many ways to begin are planned for one question, of those with equally much hidden."""
_SWITCH = 8
"""After so many layouts another form of question is tried."""
_PATTERN = (0, 8, 1, 2, 9, 3, 4, 8, 5, 6, 9, 7)
"""Types of a family's groups, over and over: a third is of the two that are kept for evaluation."""


def type_of(family: Family, group: int) -> LayoutType:
    """The type of a group's layout."""
    return TYPES[family][_PATTERN[group % len(_PATTERN)]]


def draw_group(
    family: Family, group: int, seed: int, account: Counter[str] | None = None
) -> Iterator[tuple[Scene, ...]]:
    """Groups of four scenes that may take a place, one after the other; the first that passes all checks is kept.

    Args:
        family: The family.
        group: Number of the group within the family.
        seed: Of the whole draw.
        account: Counts the layouts that are rejected, by why that is.
    """
    kind, rejected = type_of(family, group), Counter[str]() if account is None else account
    turn = group + group // len(_PATTERN)
    key = (_DRAW_KEY, FAMILIES.index(family), group)
    many = _generator(seed, key).random() < _SHARE
    for attempt in range(_TRIES):
        rng = _generator(seed, (*key, attempt))
        layout = draw_layout(kind, rng)
        if layout is None:
            rejected["things do not fit on the table"] += 1
            continue
        try:
            prepared = Prepared(layout)
        except ValueError as error:
            rejected[str(error)] += 1
            continue
        least = _MANY if many and attempt < _SWITCH else min(len(layout.places) + 1, _LOOKS)
        form = FORMS[(turn + attempt // _SWITCH) % len(FORMS)]
        for _ in range(_PROGRAMS):
            scenes = _scenes(prepared, form, least, (group, seed), rng)
            if scenes is not None:
                yield scenes
                break
        else:
            rejected["no question has four scenes"] += 1


def _generator(seed: int, key: tuple[int, ...]) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


@dataclass(frozen=True)
class _Asked:
    """A question about a layout, and its answer in every world."""

    prepared: Prepared
    program: Program
    codes: NDArray[np.int64]
    _certain: dict[tuple[int, ...], NDArray[np.bool_]] = field(default_factory=dict)

    def fits(self, known: Sequence[int], world: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which worlds agree with one in what is seen, and with the question."""
        same = (self.prepared.worlds[:, list(known)] == world[list(known)]).all(axis=1)
        return np.asarray(same & (self.codes != NOTHING))

    def certain(self, known: tuple[int, ...]) -> NDArray[np.bool_]:
        """In which worlds the answer follows from what is seen."""
        if known not in self._certain:
            self._certain[known] = self._follows(known)
        return self._certain[known]

    def _follows(self, known: tuple[int, ...]) -> NDArray[np.bool_]:
        # What is seen, as one number: no place has more than sixteen contents.
        columns = self.prepared.worlds[:, list(known)]
        _, shown = np.unique(columns @ (16 ** np.arange(columns.shape[1])), return_inverse=True)
        real = self.codes != NOTHING
        most, least = (np.full(shown.max() + 1, number) for number in (np.iinfo(np.int64).min, np.iinfo(np.int64).max))
        np.maximum.at(most, shown[real], self.codes[real])
        np.minimum.at(least, shown[real], self.codes[real])
        return np.asarray(real & (most == least)[shown])

    def draw(self, among: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
        """One of some worlds, by their chances."""
        chances = np.where(among, self.prepared.chances, 0.0)
        number = rng.choice(len(chances), p=chances / chances.sum())
        return np.asarray(self.prepared.worlds[number])


def _scenes(
    prepared: Prepared, form: Form, least: int, numbers: tuple[int, int], rng: np.random.Generator
) -> tuple[Scene, ...] | None:
    """Four scenes about one question; None where it cannot be asked so.

    Args:
        prepared: The layout.
        form: What kind of question.
        least: So many actions both twins need at least, together.
        numbers: Of the group within its family, and the seed.
        rng: For everything that is drawn.
    """
    layout = prepared.layout
    program = draw_program(form, layout.places, rng)
    codes = program.codes([(item.look, item.left) for item in layout.items], layout.places, prepared.worlds)
    # Places that the answer may depend on.
    marks = ({program.marks(look, place.left) for look in place.contents} for place in layout.places)
    matter = frozenset(number for number, values in enumerate(marks) if len(values) > 1)
    asked = _Asked(prepared, program, codes)
    if (codes == NOTHING).all():
        return None
    ways, tried = list(prepared.beginnings), Counter[int]()

    def hidden_and_seen(way: Beginning) -> tuple[int, int]:
        return -len(matter - set(way.seen)), -len(way.seen)

    # The more is hidden that matters the better; and of the rest the less: so that as much can be hidden where the
    # first view suffices.
    for way in sorted((ways[number] for number in rng.permutation(len(ways))), key=hidden_and_seen):
        hidden = len(matter - set(way.seen))
        if hidden < _HIDDEN or tried[hidden] == _PLANNED or 2 * prepared.actions(way, matter) < least:
            continue
        four = _four(asked, way, rng)
        if four is None:
            continue
        answers, begun = four
        words = tuple(program.word(int(code)) for code in answers)
        drawn = [_scene(asked, words, (*numbers, number), *one) for number, one in enumerate(begun)]
        scenes = planned(drawn, prepared.graph, least)
        if scenes is not None:
            return scenes
        tried[hidden] += 1
    return None


def _four(
    asked: _Asked, way: Beginning, rng: np.random.Generator
) -> tuple[NDArray[np.int64], list[tuple[Moment, NDArray[np.int64]]]] | None:
    """Codes of the possible answers, and a moment and a world for two twins and for two whose first view suffices.

    All four are offered the same at first: that tells nothing of whether the first view suffices.

    Args:
        asked: The question.
        way: How the twins begin.
        rng: For everything that is drawn.
    """
    prepared, codes = asked.prepared, asked.codes
    shown = asked.draw(codes != NOTHING, rng)
    among = asked.fits(way.seen, shown)
    answers = np.unique(codes[among])
    if not _ANSWERS[0] <= len(answers) <= _ANSWERS[1]:
        return None
    same = asked.fits(prepared.places(way.offer), shown)
    others = sorted(prepared.alike[way.offer], key=lambda other: abs(len(other.seen) - len(way.seen)))
    enough: dict[int, tuple[Beginning, NDArray[np.bool_]]] = {}
    # For every answer, whichever are drawn below: else answers for which this is harder would be rarer.
    for answer in answers.tolist():
        ways = ((other, same & asked.certain(other.seen) & (codes == answer)) for other in others)
        found = next(((other, fits) for other, fits in ways if fits.any()), None)
        if found is None:
            return None
        enough[answer] = found
    moments = prepared.beginnings[way]
    first = moments[int(rng.integers(len(moments)))]
    begun = [(first, asked.draw(among & (codes == answer), rng)) for answer in rng.permutation(answers)[:2]]
    for answer in rng.permutation(answers)[:2].tolist():
        other, fits = enough[answer]
        # As many things are put aside as for the twins, as far as possible.
        start = min(prepared.beginnings[other], key=lambda moment: abs(len(moment.done) - len(first.done)))
        begun.append((start, asked.draw(fits, rng)))
    return answers, begun


def _scene(
    asked: _Asked,
    words: tuple[str, ...],
    numbers: tuple[int, int, int],
    start: Moment,
    world: NDArray[np.int64],
) -> Scene:
    layout, prepared = asked.prepared.layout, asked.prepared
    group, seed, number = numbers
    code = asked.codes[(prepared.worlds == world).all(axis=1)][0]
    text, answer = asked.program.text(), asked.program.word(int(code))
    return Scene(
        family=layout.kind.family,
        type=layout.kind.name,
        held_out=layout.kind.held_out,
        seed=seed,
        index=GROUP * group + number,
        group=group,
        twin=GROUP * group + (number ^ 1),
        sufficient=number >= 2,
        room=layout.room,
        light=layout.light,
        items=tuple(layout.items),
        places=tuple(layout.places),
        contents=tuple(world.tolist()),
        views=layout.views,
        deeds=tuple(layout.deeds),
        start=start,
        question=Question(text=text, program=asked.program, options=words, answer=answer),
        rules=rules(layout),
        reveals=prepared.reveals,
        shows=prepared.shows,
        plan=(),
        steps=1,
    )


def planned(scenes: Sequence[Scene], graph: Graph, least: int) -> tuple[Scene, ...] | None:
    """The scenes with their ideal plans, and with as many decisions as they need; None where they do not fit.

    Whether they fit depends on what may be hidden alone, and not on what is: else some answers would be rarer.

    Args:
        scenes: Two twins, and two whose first view suffices.
        graph: Where they can go from where.
        least: So many actions two twins need at least, on average.
    """
    games = [Game(scene, graph) for scene in scenes]
    needed = lengths(games[0], _LONGEST)
    most = max(needed)
    if most > _LONGEST or 2 * sum(number * share for number, share in needed.items()) < least - _EQUAL:
        return None
    lists = Lists(games[0])
    if lists.best(most) > BLIND[0] + _EQUAL:
        return None
    spare = int(lists.best(most + 1) <= BLIND[1] + _EQUAL)
    return tuple(
        game.scene.model_copy(update={"plan": _plan(game, most + 1), "steps": most + spare + 1}) for game in games
    )


def _plan(game: Game, steps: int) -> tuple[Action, ...]:
    return tuple(action for _, _, action in play(game, look_ahead, steps))


def rules(layout: Layout) -> str:
    """What an agent must know of where things may be hidden."""
    hiders = {place.words.split()[0] for place in layout.places}
    where = [
        words
        for word, words in (
            ("behind", "behind each large cube, large cylinder or panel"),
            ("beneath", "beneath each board"),
            ("under", "under each cover"),
            ("at", "beyond the left and the right edge of the first picture"),
        )
        if word in hiders
    ]
    holds = "there is exactly one thing beneath each board; " if "beneath" in hiders else ""
    return (
        f"Things may be hidden {', and '.join(where)}, one at most at each such place, and nowhere else; {holds}"
        "things are cubes, spheres and cylinders, plain or chequered; boards, covers and panels do not count. "
        "Left and right are the robot's, which faces the viewer at the start, and mean where a thing is at first."
    )
