"""The exact posterior and expected gain, against brute force, and what must not change them."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpvqa.explore.belief.posterior import Belief, all_worlds, answer_first
from hpvqa.explore.questions import Group, Program, Term
from hpvqa.explore.scene import Item, Place
from hpvqa.explore.words import Look

LOOKS = tuple(Look(shape=shape, color=color) for shape in ("cube", "sphere") for color in ("red", "green", "blue"))
RED = Group(color="red")
PROGRAMS = {
    "query": Program(form="query", attribute="color", terms=(Term(group=Group(shape="cube")),)),
    "exist": Program(form="exist", terms=(Term(group=Group(shape="cube", color="red")),)),
    "count": Program(form="count", terms=(Term(group=Group(area="left", color="red")),)),
    "compare": Program(form="compare", terms=(Term(group=RED), Term(group=Group(color="blue")))),
    "math_count": Program(form="math_count", terms=(Term(group=RED, without=Group(shape="sphere")),)),
    "math_compare": Program(
        form="math_compare",
        terms=(Term(group=RED, plus=1), Term(group=Group(color="blue"))),
    ),
}


def place(number: int, contents: tuple[Look | None, ...] = (*LOOKS, None)) -> Place:
    chances = tuple(1 / len(contents) for _ in contents)
    y = 0.1 if number % 2 else -0.1
    return Place(name=f"place{number}", words="there", position=(0.5, y, 0.0), contents=contents, chances=chances)


def item(look: Look, y: float = 0.2) -> Item:
    return Item(thing=look.thing("item1", (0.5, y, 0.016)), look=look)


def brute_force(program: Program, places: list[Place], seen: set[int], samples: int, rng: np.random.Generator) -> float:
    """Expected gain by playing it out: draw a world, look, and count the answers of all that agree."""
    worlds, chances = all_worlds(places, {})
    codes = program.codes([], places, worlds)
    kept = [number for number in range(len(worlds)) if codes[number] >= 0]
    by_answer = Counter(int(codes[number]) for number in kept)
    total = {answer: sum(chances[n] for n in kept if codes[n] == answer) for answer in by_answer}
    weight = {n: chances[n] / total[int(codes[n])] / len(total) for n in kept}
    left = 0.0
    drawn = rng.choice(kept, samples, p=[weight[n] for n in kept])
    cache: dict[tuple[int, ...], float] = {}
    for number in drawn:
        key = tuple(int(worlds[number][p]) for p in sorted(seen))
        if key not in cache:
            agree = [n for n in kept if tuple(int(worlds[n][p]) for p in sorted(seen)) == key]
            mass: Counter[int] = Counter()
            for n in agree:
                mass[int(codes[n])] += weight[n]
            whole = sum(mass.values())
            cache[key] = -sum(m / whole * math.log2(m / whole) for m in mass.values())
        left += cache[key]
    return math.log2(len(total)) - left / samples


@pytest.mark.parametrize("form", PROGRAMS)
@pytest.mark.slow
def test_expected_gain_is_that_of_brute_force(form: str) -> None:
    places = [place(1), place(2), place(3)]
    belief = Belief.first(PROGRAMS[form], [], places, {})
    rng = np.random.default_rng(0)
    for seen in ({0}, {1}, {0, 2}, {0, 1, 2}):
        assert belief.gain(seen) == pytest.approx(brute_force(PROGRAMS[form], places, seen, 6000, rng), abs=0.02)


def test_each_possible_answer_is_alike_at_first() -> None:
    belief = Belief.first(PROGRAMS["count"], [item(LOOKS[0])], [place(1), place(2), place(3)], {})
    assert belief.answers() == pytest.approx({"1": 1 / 3, "2": 1 / 3, "3": 1 / 3})
    assert belief.entropy == pytest.approx(math.log2(3))
    assert not belief.sufficient


def test_what_is_seen_decides() -> None:
    places = [place(1), place(2)]
    belief = Belief.first(PROGRAMS["exist"], [], places, {})
    red_cube, nothing = 0, len(LOOKS)
    assert belief.see((red_cube, nothing), {0}).answers() == pytest.approx({"yes": 1.0})
    after = belief.see((nothing, nothing), {0})
    assert 0 < after.entropy < belief.entropy
    # Half of the yes has its cube at each place, but for both; the no is as likely as before.
    assert after.see((nothing, nothing), {1}).answers() == pytest.approx({"no": 1.0})
    with pytest.raises(ValueError, match="impossible"):
        after.see((red_cube, nothing), {0})


def test_a_query_knows_that_there_is_exactly_one() -> None:
    belief = Belief.first(PROGRAMS["query"], [], [place(1), place(2)], {})
    assert set(belief.answers()) == {"red", "green", "blue"}
    cubes = [[look is not None and look.shape == "cube" for look in (*LOOKS, None)][n] for n in range(7)]
    assert {sum(cubes[number] for number in world) for world in belief.worlds.tolist()} == {1}


@settings(max_examples=40, deadline=None)
@given(form=st.sampled_from(sorted(PROGRAMS)), seed=st.integers(0, 2**20), count=st.integers(1, 3))
def test_gain_is_never_negative_and_grows(form: str, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    places = [place(number + 1) for number in range(count)]
    belief = Belief.first(PROGRAMS[form], [item(LOOKS[int(rng.integers(len(LOOKS)))])], places, {})
    some = set(np.flatnonzero(rng.random(count) < 0.5).tolist())
    assert 0 <= belief.gain(some) <= belief.gain(range(count)) + 1e-12
    assert belief.gain(range(count)) == pytest.approx(belief.entropy)
    world = belief.worlds[int(rng.integers(len(belief.worlds)))].tolist()
    assert belief.see(world, some).see(world, range(count)).sufficient


@settings(max_examples=30, deadline=None)
@given(form=st.sampled_from(sorted(PROGRAMS)), order=st.permutations(range(7)))
def test_the_order_of_contents_does_not_matter(form: str, order: list[int]) -> None:
    contents = (*LOOKS, None)
    one = Belief.first(PROGRAMS[form], [], [place(1), place(2)], {})
    other = Belief.first(PROGRAMS[form], [], [place(1, tuple(contents[n] for n in order)), place(2)], {})
    assert other.answers() == pytest.approx(one.answers())
    assert other.gain({0}) == pytest.approx(one.gain({0}))


def test_answer_first_keeps_worlds_in_proportion() -> None:
    chances = answer_first(np.array([0, 0, 1]), np.array([0.1, 0.3, 0.6]))
    assert chances == pytest.approx([0.125, 0.375, 0.5])
