"""Splits: by episode, even, crossed, repeatable; and the paper's Table 1 from specs alone."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hpvqa.dataset.splits import SPLITS, Stratum, choose_eval, default_eval_count, split_specs, uneven
from hpvqa.errors import UsageError
from hpvqa.recipe import Recipe, load_recipe, validate_recipe
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.sampling import sample_episode
from hpvqa.scene.spec import SIDES, EpisodeSpec
from hpvqa.tasks import TASKS
from tests.factories import make_spec

CELLS = [Stratum(answer, first) for answer in SIDES for first in SIDES]
MEMBERS = st.dictionaries(st.integers(0, 10_000), st.sampled_from(CELLS), max_size=60)


def paper_specs() -> tuple[Recipe, list[EpisodeSpec]]:
    recipe = load_recipe("paper")
    rig = load_rig(recipe.rig)
    specs = [
        sample_episode(
            TASKS[name], wanted.ranges, recipe.randomization, rig.name, rig.cameras(name), seed=recipe.seed, index=index
        )
        for name, wanted in recipe.named_tasks().items()
        for index in range(wanted.episodes)
    ]
    return recipe, specs


@pytest.mark.slow
def test_the_paper_recipe_yields_table_1() -> None:
    recipe, specs = paper_specs()
    splits = split_specs(specs, recipe, recipe.seed)
    rows = Counter()
    sides = Counter()
    for spec in specs:
        split = splits[spec.task, spec.index]
        rows[spec.task, split] += len(spec.cameras)
        sides[spec.task, split, TASKS[spec.task].answer(spec)] += 1
    assert rows == {("push", "train"): 861, ("push", "eval"): 217, ("drop", "train"): 700, ("drop", "eval"): 175}
    assert sum(rows[task, "train"] for task in TASKS) == 1561
    assert sum(rows[task, "eval"] for task in TASKS) == 392
    assert rows.total() == 1953
    for task, split in itertools.product(TASKS, SPLITS):
        left, right = (sides[task, split, side] for side in SIDES)
        assert abs(left - right) == (left + right) % 2, (task, split, left, right)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.slow
def test_a_collection_in_whole_blocks_is_even_in_every_cell_of_every_split(seed: int) -> None:
    specs = [make_spec(task, index, seed=seed) for task in TASKS for index in range(32)]
    splits = split_specs(specs, Recipe(), seed)
    found = Counter(
        (spec.task, splits[spec.task, spec.index], TASKS[spec.task].answer(spec), spec.order[0]) for spec in specs
    )
    for (task, split, _, _), count in found.items():
        # One thing alone is always the first, so that its strata are twice as large.
        share = 1 if len(TASKS[task].values(make_spec(task, 0))) > 1 else 2
        assert count == share * (2 if split == "eval" else 6)


@given(MEMBERS, st.data(), st.integers(0, 2**40))
def test_answers_are_as_even_as_they_can_be(members: dict[int, Stratum], data: st.DataObject, seed: int) -> None:
    count = data.draw(st.integers(0, len(members)))
    chosen = choose_eval(members, count, seed, 1)
    assert len(chosen) == count
    assert chosen <= members.keys()
    total = Counter(stratum.answer for stratum in members.values())
    left = sum(members[index].answer == "left" for index in chosen)

    def imbalance(left: int) -> tuple[int, int]:
        rest_left = total["left"] - left
        return abs(2 * left - count), abs(2 * rest_left - (len(members) - count))

    possible = range(max(0, count - total["right"]), min(total["left"], count) + 1)
    assert imbalance(left) == min(imbalance(other) for other in possible)


@given(MEMBERS, st.integers(0, 12), st.integers(0, 2**40))
@example(dict(enumerate((CELLS[1], CELLS[2], CELLS[2], CELLS[0]))), 3, 0)
def test_no_other_choice_is_more_even(members: dict[int, Stratum], count: int, seed: int) -> None:
    """All choices compared: answers first, in the evaluation split before the training split; then the order."""
    count = min(count, len(members))
    sizes = Counter(members.values())
    chosen = Counter(members[index] for index in choose_eval(members, count, seed, 1))

    def unevenness(quotas: tuple[int, ...]) -> tuple[int, ...]:
        a, b, c, d = quotas
        e, f, g, h = (sizes[stratum] - quota for stratum, quota in zip(CELLS, quotas, strict=True))
        answers = abs(a + b - c - d), abs(e + f - g - h)
        return *answers, abs(a - b) + abs(c - d), abs(a + c - b - d), abs(e - f) + abs(g - h)

    possible = itertools.product(*(range(min(count, sizes[stratum]) + 1) for stratum in CELLS))
    best = min(unevenness(quotas) for quotas in possible if sum(quotas) == count)
    assert unevenness(tuple(chosen[stratum] for stratum in CELLS)) == best


@given(MEMBERS, st.integers(0, 2**40))
def test_the_order_of_collection_does_not_matter(members: dict[int, Stratum], seed: int) -> None:
    count = len(members) // 3
    backwards = dict(reversed(members.items()))
    assert choose_eval(members, count, seed, 1) == choose_eval(backwards, count, seed, 1)


def test_seed_and_task_make_a_difference() -> None:
    members = dict(enumerate(CELLS * 10))
    first = choose_eval(members, 10, 0, 1)
    assert choose_eval(members, 10, 0, 1) == first
    assert choose_eval(members, 10, 1, 1) != first
    assert choose_eval(members, 10, 0, 2) != first


def test_most_of_the_evaluation_split_stays_when_episodes_are_added() -> None:
    before = choose_eval(dict(enumerate(CELLS * 10)), 10, 5, 1)
    after = choose_eval(dict(enumerate(CELLS * 11)), 12, 5, 1)
    assert len(before & after) >= 7


@given(st.integers(0, 5000))
def test_a_quarter_is_for_evaluation_and_an_even_number(episodes: int) -> None:
    count = default_eval_count(episodes)
    assert count % 2 == 0
    assert 0 <= count <= episodes
    assert abs(count - episodes / 4) <= 1 or count == 2 > episodes / 4
    assert count > 0 or episodes < 2


def test_too_few_episodes_for_the_recipe_are_refused() -> None:
    recipe = validate_recipe({"tasks": {"push": {"eval_episodes": 5}}}, "test")
    specs = [make_spec("push", index) for index in range(4)]
    with pytest.raises(UsageError, match="wants 5 episodes of push for evaluation, but there are only 4"):
        split_specs(specs, recipe, 0)


def test_unevenness_is_said() -> None:
    assert uneven(["left", "right"]) is None
    assert uneven(["left", "right", "right"]) is None
    assert uneven(["left"] * 3 + ["right"]) == "3 left and 1 right"
