"""What no statistic may depend on: the order of rows, names of episodes, which run is first, what the sides are called.

Where a number stays the same, it does so to the last digit. Where a share becomes its complement, the last digit of
1 - x may be rounded.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.evaluate.bias import bias, flip_consistency, reliability
from hpvqa.evaluate.cameras import camera_tests
from hpvqa.evaluate.compare import Comparison, compare
from hpvqa.evaluate.perspective import View, perspectives
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.score import score
from hpvqa.evaluate.statistics.calibration import brier_score, calibration_error, equal_mass_bins, mean
from hpvqa.evaluate.statistics.combine import difference_interval, mean_interval
from hpvqa.evaluate.statistics.detection import SaidLeft, criterion, d_prime
from hpvqa.evaluate.statistics.equality import equality_p
from hpvqa.evaluate.statistics.interval import accuracy_interval, bootstrap_mean, effective_n, tally
from hpvqa.evaluate.statistics.permutation import holm, sign_flip_p
from hpvqa.evaluate.statistics.psychometric import fit_psychometric
from hpvqa.evaluate.views import pool
from hpvqa.scene.spec import Side, other_side
from tests.scored_rows import chances, predictions, row

T = TypeVar("T")
Chance = random.Random
PARTS = 64
"""Probabilities are multiples of 1/64, so that 1 - p is exact and so is what p says."""

shares = st.integers(0, PARTS).map(lambda part: part / PARTS)
runs = st.lists(predictions(shares), min_size=1, max_size=30, unique_by=lambda found: found.file_name)
clustered = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=40)
changed = st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.integers(0, 6)), min_size=1, max_size=40)


def shuffled(values: Sequence[T], chance: Chance) -> list[T]:
    return chance.sample(values, len(values))


def renamed(rows: Sequence[Prediction]) -> list[Prediction]:
    """Episodes with other numbers, in another order, of another source."""
    return [
        found.model_copy(
            update={"source": "other", "episode": 1000 - 7 * found.episode, "file_name": f"x{found.file_name}"}
        )
        for found in rows
    ]


def relabelled(rows: Sequence[Prediction]) -> list[Prediction]:
    """Left is called right and right left, in the truth and in the answers."""
    return [
        found.model_copy(
            update={
                "answer": other_side(found.answer),
                "prediction": None if found.prediction is None else other_side(found.prediction),
                "p_left": None if found.p_left is None else 1 - found.p_left,
                "logprobs": None
                if found.logprobs is None
                else {other_side(side): value for side, value in found.logprobs.items()},
            }
        )
        for found in rows
    ]


def keyed(found: Sequence[Any]) -> dict[Any, Any]:
    """Results by what they are about: their order is that in which rows come."""
    return {tuple(getattr(one, name, None) for name in ("task", "by", "value", "camera")): one for one in found}


def psychometric(rows: Sequence[Prediction]) -> object:
    known = [found for found in rows if found.gap is not None and found.error is None]
    return fit_psychometric(
        [found.gap or 0.0 for found in known],
        [found.is_correct for found in known],
        [found.cluster for found in known],
    )


def seen_from(found: Prediction) -> View | None:
    return {"a": "front", "b": "back", "c": "back"}[found.camera]  # type: ignore[return-value]


OF_A_RUN: dict[str, Callable[[Sequence[Prediction]], object]] = {
    "score": lambda rows: keyed(score(rows)),
    "bias": lambda rows: keyed(bias(rows)),
    "reliability": lambda rows: reliability(rows),
    "cameras": lambda rows: keyed(camera_tests(rows)),
    "perspective": lambda rows: keyed(perspectives(rows, seen_from)),
    "psychometric": psychometric,
}


@pytest.mark.parametrize("name", OF_A_RUN)
@given(rows=runs, chance=chances)
@pytest.mark.slow
def test_neither_the_order_of_rows_nor_names_of_episodes(name: str, rows: list[Prediction], chance: Chance) -> None:
    find = OF_A_RUN[name]
    found = find(rows)
    assert find(shuffled(rows, chance)) == found
    assert find(renamed(rows)) == found


@given(clustered, chances)
def test_statistics_of_a_share(rows: list[tuple[bool, int]], chance: Chance) -> None:
    other = shuffled(rows, chance)
    (correct, clusters), (again, numbers) = (tuple(zip(*those, strict=True)) for those in (rows, other))
    names = [f"episode {99 - number}" for number in numbers]
    assert accuracy_interval(again, names) == accuracy_interval(correct, clusters)
    assert effective_n(again, names) == effective_n(correct, clusters)
    counted, opposite = tally(correct, clusters), tally([not value for value in correct], clusters)
    assert (counted.variance, counted.robust_variance) == (opposite.variance, opposite.robust_variance)
    found, mirrored = (accuracy_interval(values, clusters) for values in (correct, [not value for value in correct]))
    assert found is not None
    assert mirrored is not None
    assert found.method == mirrored.method
    assert (found.low, found.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-9)


@given(changed, chances)
@pytest.mark.slow
def test_statistics_of_a_change(rows: list[tuple[int, int]], chance: Chance) -> None:
    other = shuffled(rows, chance)
    (change, clusters), (again, numbers) = (tuple(zip(*those, strict=True)) for those in (rows, other))
    found = difference_interval(change, clusters)
    assert difference_interval(again, [f"episode {99 - number}" for number in numbers]) == found
    back = difference_interval([-value for value in change], clusters)
    assert (back.low, back.high, back.method) == (-found.high, -found.low, found.method)
    sums = tally(change, clusters).sums
    p = equality_p(change, clusters)
    assert equality_p([-value for value in change], clusters) == equality_p(again, numbers) == p
    assert sign_flip_p(sums) == sign_flip_p(-sums) == sign_flip_p(tally(again, numbers).sums)


@given(st.lists(st.integers(-7, 7), min_size=60, max_size=80), chances)
@pytest.mark.slow
def test_the_permutation_test_of_many_episodes(changes: list[int], chance: Chance) -> None:
    p = sign_flip_p(changes)
    assert sign_flip_p(shuffled(changes, chance)) == p
    assert sign_flip_p([-change for change in changes]) == p


@given(st.lists(st.tuples(shares, st.booleans()), min_size=1, max_size=60), chances)
def test_statistics_of_probabilities(rows: list[tuple[float, bool]], chance: Chance) -> None:
    (p, happened), (q, occurred) = (tuple(zip(*those, strict=True)) for those in (rows, shuffled(rows, chance)))
    complement, otherwise = [1 - value for value in p], [not value for value in happened]
    for find in (brier_score, calibration_error):
        assert find(q, occurred) == find(p, happened) == find(complement, otherwise)
    sets = [sorted(rows_.tolist()) for rows_ in equal_mass_bins(p)]
    assert [sorted(rows_.tolist()) for rows_ in equal_mass_bins(complement)] == sets[::-1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), chances)
@pytest.mark.slow
def test_means_of_any_numbers(values: list[float], chance: Chance) -> None:
    assert mean(shuffled(values, chance)) == mean(values)
    assert holm(values) == [dict(zip(values, holm(values), strict=True))[value] for value in values]
    order = shuffled(range(len(values)), chance)
    assert holm([values[number] for number in order]) == [holm(values)[number] for number in order]


@given(st.lists(st.tuples(st.floats(-50, 0), st.floats(-50, 0)), min_size=1, max_size=8), chances)
def test_pooling(pairs: list[tuple[float, float]], chance: Chance) -> None:
    views: list[dict[Side, float] | None] = [{"left": left, "right": right} for left, right in pairs]
    assert pool(shuffled(views, chance)) == pool(views)


def by_what(found: Sequence[Comparison]) -> dict[tuple[str, str, str], Comparison]:
    return {(one.task, one.by, one.value): one for one in found}


@st.composite
def two_runs(draw: st.DrawFn) -> tuple[list[Prediction], list[Prediction]]:
    """Runs about the same rows, of which each may lack some."""
    a = draw(runs)
    b = [
        found if draw(st.booleans()) or found.prediction is None
        # The other run answers otherwise.
        else found.model_copy(
            update={"prediction": other_side(found.prediction), "is_correct": not found.is_correct}
        )
        for found in a
        if draw(st.integers(0, 4))
    ]  # fmt: skip
    return a, b


def comparable(a: Sequence[Prediction], b: Sequence[Prediction]) -> bool:
    return bool({row.file_name for row in a if row.error is None} & {row.file_name for row in b if row.error is None})


@given(two_runs(), chances)
@pytest.mark.slow
def test_comparisons(pair: tuple[list[Prediction], list[Prediction]], chance: Chance) -> None:
    a, b = pair
    if not comparable(a, b):
        return
    found = by_what(compare(a, b))
    assert by_what(compare(shuffled(a, chance), shuffled(b, chance))) == found
    assert by_what(compare(renamed(a), renamed(b))) == found
    assert by_what(compare(relabelled(a), relabelled(b))) == found
    back = by_what(compare(b, a))
    assert back.keys() == found.keys()
    for key, one in found.items():
        other = back[key]
        assert (other.a, other.b, other.difference) == (one.b, one.a, -one.difference)
        assert (other.interval.low, other.interval.high) == (-one.interval.high, -one.interval.low)
        same = ("p", "p_holm", "n", "episodes", "effective_n", "unpaired", "p_exchangeable", "few")
        assert all(getattr(other, name) == getattr(one, name) for name in same)


@given(two_runs(), chances)
def test_flip_consistency(pair: tuple[list[Prediction], list[Prediction]], chance: Chance) -> None:
    a, b = pair
    found, back = flip_consistency(a, b), flip_consistency(b, a)
    assert flip_consistency(shuffled(a, chance), shuffled(b, chance)) == found
    assert flip_consistency(renamed(a), renamed(b)) == found
    exchanged = {
        "mean_shift": None if found.mean_shift is None else -found.mean_shift,
        "plain_accuracy": found.swap_accuracy,
        "swap_accuracy": found.plain_accuracy,
    }
    assert back == found.model_copy(update=exchanged)


@given(runs)
@pytest.mark.slow
def test_other_names_for_the_sides_in_scores(rows: list[Prediction]) -> None:
    found, other = keyed(score(rows)), keyed(score(relabelled(rows)))
    names = {"left": "right", "right": "left"}
    for (task, by, value, camera), cell in found.items():
        turned = other[task, by, names[value] if by == "side" else value, camera]
        # Which answer counts as the majority's where both are as frequent is a convention.
        exempt = {"value", "majority", "majority_accuracy"}
        assert turned.model_dump(exclude=exempt) == cell.model_dump(exclude=exempt)


@given(runs)
@pytest.mark.slow
def test_other_names_for_the_sides_in_biases(rows: list[Prediction]) -> None:
    found, other = keyed(bias(rows)), keyed(bias(relabelled(rows)))
    assert found.keys() == other.keys()
    same = (
        "n",
        "invalid",
        "episodes",
        "effective_n",
        "balanced_accuracy",
        "balanced_interval",
        "d_prime",
        "brier",
        "ece",
    )
    for key, one in found.items():
        assert {name: getattr(other[key], name) for name in same} == {name: getattr(one, name) for name in same}
        assert other[key].criterion == (None if one.criterion is None else -one.criterion)


@given(runs)
@pytest.mark.slow
def test_other_names_for_the_sides_in_tests_of_cameras_and_perspective(rows: list[Prediction]) -> None:
    found, other = keyed(camera_tests(rows)), keyed(camera_tests(relabelled(rows)))
    for key, one in found.items():
        assert (other[key].p, other[key].p_holm, other[key].n) == (one.p, one.p_holm, one.n)
    assert keyed(perspectives(relabelled(rows), seen_from)) == keyed(perspectives(rows, seen_from))


@given(clustered, clustered)
@pytest.mark.slow
def test_signal_detection(hits: list[tuple[bool, int]], alarms: list[tuple[bool, int]]) -> None:
    def said(rows: list[tuple[bool, int]], word: bool) -> SaidLeft:
        values = [value == word for value, _ in rows]
        found = SaidLeft.of(values, [cluster for _, cluster in rows])
        assert found is not None
        return found

    left, right = said(hits, True), said(alarms, True)
    turned = said(alarms, False), said(hits, False)
    assert d_prime(*turned)[0] == d_prime(left, right)[0]
    assert criterion(*turned)[0] == -criterion(left, right)[0]
    a, b = (one.count / one.n for one in (left, right))
    assert mean_interval(a, left.interval, b, right.interval) == mean_interval(b, right.interval, a, left.interval)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=2, max_size=20), chances)
def test_the_bootstrap(counts: list[tuple[int, int]], chance: Chance) -> None:
    def found(clusters: Sequence[tuple[int, int]], sign: int) -> tuple[float, float]:
        values = [sign * (part < correct) for correct, size in clusters for part in range(size)]
        names = [number for number, (_, size) in enumerate(clusters) for _ in range(size)]
        return bootstrap_mean(tally(values, names), both=0, level=0.95, seed=0, resamples=200)

    low, high = found(counts, 1)
    assert found(shuffled(counts, chance), 1) == (low, high)
    assert found(counts, -1) == (-high, -low)


def test_seven_rows_of_a_failed_test() -> None:
    """Their variance, added up row by row, was -0.47184870742856916 or ...894 at the lower end, by their order."""
    a = [row("left", "left" if number < 4 else "right", number % 3, f"c{number}") for number in range(7)]
    b = [found.model_copy(update={"is_correct": number % 2 == 0}) for number, found in enumerate(a)]
    orders = [compare(shuffled(a, Chance(seed)), b)[0].interval for seed in range(20)]
    assert orders == orders[:1] * 20


def test_numbers_that_do_not_add_up_alike() -> None:
    values = [0.1, 0.2, 0.3]
    assert np.mean(values) != np.mean(values[::-1]), "else this test shows nothing"
    assert mean(values) == mean(values[::-1])
