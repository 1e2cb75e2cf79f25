"""Drawing scenes, in groups of four: two twins with one first view, and two whose first view suffices.

Layout, first view and question come first; then the answer, each alike; then what is hidden, given the answer. A scene
is kept only if all checks hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hpvqa.explore.ask import draw_program
from hpvqa.explore.belief.plan import look_ahead, play
from hpvqa.explore.belief.posterior import all_worlds
from hpvqa.explore.game import Game
from hpvqa.explore.layouts.layout import Layout, draw_layout
from hpvqa.explore.layouts.types import TYPES, LayoutType
from hpvqa.explore.questions import FORMS, NOTHING, Form, Program
from hpvqa.explore.reveal import Bits, Table, to_hex
from hpvqa.explore.scene import FAMILIES, Deed, Family, Moment, Place, Question, Scene, View

GROUP = 4
"""Scenes of a group."""
STEPS = 8
"""Most decisions in a scene, the answer included."""
_DRAW_KEY = 0
_LONGEST = 7
"""Most actions of an ideal plan."""
_LOOKS = 4
"""Both twins together need at least so many actions, or one more than there are places."""
_ACTIONS = (5, 8)
_ANSWERS = (2, 5)
_DONE = 6
"""At most so many deeds are done before a scene begins."""
_TRIES = 400
_PROGRAMS = 12
"""Questions that are tried for one layout."""
_SWITCH = 25
"""After so many layouts another form of question is tried."""
_PATTERN = (0, 1, 2, 8, 3, 4, 9, 5, 6, 8, 7, 9)
"""Types of a family's groups, over and over: a third is of the two that are kept for evaluation."""


def type_of(family: Family, group: int) -> LayoutType:
    """The type of a group's layout."""
    return TYPES[family][_PATTERN[group % len(_PATTERN)]]


class Prepared:
    """A layout with what is seen of it.

    Args:
        layout: The layout.

    Attributes:
        worlds: Everything that may be hidden, shape (n, places).
        chances: How likely that is, shape (n,).

    Raises:
        ValueError: What is seen depends on what is hidden.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._table = Table(layout.items, layout.places, layout.deeds)
        self._bits = [[self._reveal(view, place) for place in layout.places] for view in layout.views]
        self.worlds, self.chances = all_worlds(layout.places, {})

    def _reveal(self, view: View, place: Place) -> Bits:
        bits = self._table.reveal(view, place.name)
        if bits is None:
            raise ValueError("what is seen depends on what is hidden")
        return bits

    def seen(self, start: Moment) -> tuple[int, ...]:
        """Numbers of the places that are seen at a moment."""
        return tuple(number for number, bits in enumerate(self._bits[start.view]) if bits[start.mask])

    def choices(self, start: Moment) -> int:
        """How many actions are offered at a moment with which a scene begins."""
        shown = self._shown[start.view]
        return len(self.layout.views[start.view].exits) + sum(
            set(deed.after) <= set(start.done) and bool(shown[number][start.mask])
            for number, deed in enumerate(self.layout.deeds)
        )

    @cached_property
    def reveals(self) -> tuple[tuple[str, ...], ...]:
        """For each view and place, the sets of deeds in which it is seen."""
        return tuple(tuple(map(to_hex, row)) for row in self._bits)

    @cached_property
    def shows(self) -> tuple[tuple[str, ...], ...]:
        """The same for each view and the thing of each deed, while that is not done."""
        return tuple(tuple(map(to_hex, row)) for row in self._shown)

    @cached_property
    def _shown(self) -> list[list[Bits]]:
        return [
            [self._show(number, deed) for deed in enumerate(self.layout.deeds)]
            for number in range(len(self.layout.views))
        ]

    def _show(self, view: int, numbered: tuple[int, Deed]) -> Bits:
        number, deed = numbered
        for place, bits in zip(self.layout.places, self._bits[view], strict=True):
            if place.name == deed.thing:
                return np.asarray(bits & (np.arange(len(bits)) >> number & 1 == 0))
        return self._table.show(self.layout.views[view], deed.thing)


def draw_group(family: Family, group: int, seed: int) -> Iterator[tuple[Scene, ...]]:
    """Groups of four scenes that may take a place, one after the other; the first that passes all checks is kept.

    Args:
        family: The family.
        group: Number of the group within the family.
        seed: Of the whole draw.
    """
    kind = type_of(family, group)
    turn = group + group // len(_PATTERN)
    for attempt in range(_TRIES):
        key = (_DRAW_KEY, FAMILIES.index(family), group, attempt)
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
        layout = draw_layout(kind, rng)
        if layout is None:
            continue
        try:
            prepared = Prepared(layout)
        except ValueError:
            continue
        form = FORMS[(turn + attempt // _SWITCH) % len(FORMS)]
        for _ in range(_PROGRAMS):
            scenes = _scenes(prepared, form, group, seed, rng)
            if scenes is not None:
                yield scenes
                break


@dataclass(frozen=True)
class _Asked:
    """A question about a layout, and its answer in every world."""

    prepared: Prepared
    program: Program
    codes: NDArray[np.int64]

    def fits(self, known: Sequence[int], world: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which worlds agree with one in what is seen, and with the question."""
        same = (self.prepared.worlds[:, list(known)] == world[list(known)]).all(axis=1)
        return np.asarray(same & (self.codes != NOTHING))

    def certain(self, known: Sequence[int]) -> NDArray[np.bool_]:
        """In which worlds the answer follows from what is seen."""
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
    prepared: Prepared, form: Form, group: int, seed: int, rng: np.random.Generator
) -> tuple[Scene, ...] | None:
    """Four scenes about one question; None where it cannot be asked so."""
    layout = prepared.layout
    program = draw_program(form, layout.places, rng)
    codes = program.codes([(item.look, item.left) for item in layout.items], layout.places, prepared.worlds)
    asked = _Asked(prepared, program, codes)
    if (codes == NOTHING).all():
        return None
    starts: dict[tuple[int, ...], list[Moment]] = {}
    for start in _starts(prepared):
        starts.setdefault(prepared.seen(start), []).append(start)
    shown = [list(starts)[number] for number in rng.permutation(len(starts))]
    # The more is hidden the better, for both.
    for seen in sorted(shown, key=len):
        among = asked.fits(seen, asked.draw(codes != NOTHING, rng))
        answers = np.unique(codes[among])
        if not _ANSWERS[0] <= len(answers) <= _ANSWERS[1]:
            continue
        twins = [asked.draw(among & (codes == answer), rng) for answer in rng.permutation(answers)[:2]]
        enough = _sufficient(asked, sorted(shown, key=lambda other: abs(len(other) - len(seen))), answers, rng)
        if len(enough) < 2:
            return None
        first = starts[seen][int(rng.integers(len(starts[seen])))]
        others = [(starts[which][int(rng.integers(len(starts[which])))], world) for which, world in enough]
        four = [(first, twins[0]), (first, twins[1]), *others]
        words = tuple(program.word(int(code)) for code in answers)
        scenes = [_planned(_scene(asked, words, group, seed, number, *one)) for number, one in enumerate(four)]
        kept = tuple(scene for scene in scenes if scene is not None)
        return kept if len(kept) == len(scenes) and _long_enough(kept) else None
    return None


def _long_enough(scenes: Sequence[Scene]) -> bool:
    """Whether both twins together need enough looks."""
    return sum(len(scene.plan) - 1 for scene in scenes) >= min(len(scenes[0].places) + 1, _LOOKS)


def _starts(prepared: Prepared) -> list[Moment]:
    """Where a scene may begin: from any view, with a few things put aside."""
    deeds = prepared.layout.deeds
    masks = [
        done for done in _subsets(len(deeds), _DONE) if all(set(deeds[number].after) <= set(done) for number in done)
    ]
    starts = [Moment(view=view, done=done) for view in range(len(prepared.layout.views)) for done in masks]
    return [start for start in starts if _ACTIONS[0] <= prepared.choices(start) <= _ACTIONS[1]]


def _subsets(count: int, most: int) -> Iterator[tuple[int, ...]]:
    for mask in range(1 << count):
        if mask.bit_count() <= most:
            yield tuple(number for number in range(count) if mask >> number & 1)


def _sufficient(
    asked: _Asked, shown: Sequence[tuple[int, ...]], answers: NDArray[np.int64], rng: np.random.Generator
) -> list[tuple[tuple[int, ...], NDArray[np.int64]]]:
    """For two answers each, what a first view shows, and a world in which the answer follows from it."""
    found = []
    for answer in rng.permutation(answers)[:2]:
        for seen in shown:
            fits = asked.certain(seen) & (asked.codes == answer)
            if fits.any():
                found.append((seen, asked.draw(fits, rng)))
                break
    return found


def _scene(
    asked: _Asked,
    words: tuple[str, ...],
    group: int,
    seed: int,
    number: int,
    start: Moment,
    world: NDArray[np.int64],
) -> Scene:
    layout, prepared = asked.prepared.layout, asked.prepared
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
        steps=STEPS,
    )


def _planned(scene: Scene) -> Scene | None:
    """The scene with its ideal plan; None where that is too long."""
    game = Game(scene)
    state = game.start()
    belief = game.belief(state)
    if belief.sufficient != scene.sufficient:
        return None
    if not belief.sufficient and set(belief.answers()) != set(scene.question.options):
        return None
    course = play(game, look_ahead, _LONGEST + 1)
    plan = tuple(action for _, _, action in course)
    if plan[-1].target != scene.question.answer or (len(plan) == 1) != scene.sufficient:
        return None
    return scene.model_copy(update={"plan": plan})


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
        "things are cubes, spheres and cylinders; boards, covers and panels do not count. "
        "Left and right are the robot's, which faces the viewer at the start, and mean where a thing is at first."
    )
