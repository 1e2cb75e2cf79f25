"""The paired permutation test, Holm's correction and calibration."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, fisher_exact, permutation_test

from hpvqa.evaluate.statistics.calibration import brier_score, calibration_error, equal_mass_bins
from hpvqa.evaluate.statistics.combine import difference_interval
from hpvqa.evaluate.statistics.equality import equality_p
from hpvqa.evaluate.statistics.independence import fisher_p
from hpvqa.evaluate.statistics.interval import tally
from hpvqa.evaluate.statistics.permutation import holm, sign_flip_p

probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=8)


@given(st.lists(st.integers(-7, 7), max_size=8))
def test_the_exact_p_is_that_of_all_signs(changes: list[int]) -> None:
    sums = [abs(np.dot(signs, changes)) for signs in product((-1, 1), repeat=len(changes))]
    expected = np.mean([total >= abs(sum(changes)) for total in sums])
    assert sign_flip_p(changes) == pytest.approx(expected)
    assert sign_flip_p([-change for change in changes]) == pytest.approx(expected)


def test_it_is_the_one_of_scipy() -> None:
    changes = np.array([3, -1, 7, 2, 0, 4, -2, 5, 1])
    found = permutation_test((changes,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(changes) == pytest.approx(found.pvalue)


def test_episodes_of_one_row_are_a_sign_test() -> None:
    assert sign_flip_p([1] * 15 + [-1] * 5 + [0] * 30) == pytest.approx(binomtest(15, 20).pvalue)


def test_many_episodes_are_exact_too() -> None:
    assert sign_flip_p([7] * 16) == 2 / 2**16
    assert sign_flip_p([7] * 300) == pytest.approx(2.0**-299)
    assert sign_flip_p([]) == sign_flip_p([0] * 300) == 1


def test_seven_views_of_an_episode_are_one_sample() -> None:
    assert sign_flip_p([7, 7, 7, -7]) == sign_flip_p([1, 1, 1, -1]) == 10 / 16


@pytest.mark.slow
def test_without_a_difference_p_is_about_uniform() -> None:
    rng = np.random.default_rng(2)
    found = np.array([sign_flip_p(rng.integers(-7, 8, 25)) for _ in range(800)])
    for level in (0.05, 0.2, 0.5, 0.8):
        assert np.mean(found <= level) == pytest.approx(level, abs=0.05)


@given(st.integers(0, 12), st.integers(0, 12), st.data())
def test_the_test_of_independence_is_the_one_of_scipy(left: int, right: int, data: st.DataObject) -> None:
    hits, alarms = data.draw(st.integers(0, left)), data.draw(st.integers(0, right))
    table = [[hits, left - hits], [alarms, right - alarms]]
    assert fisher_p(hits, left, alarms, right) == pytest.approx(fisher_exact(table).pvalue)
    assert fisher_p(alarms, right, hits, left) == fisher_p(hits, left, alarms, right)
    # Left is called right.
    assert fisher_p(right - alarms, right, left - hits, left) == fisher_p(hits, left, alarms, right)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1, 1]


@given(probabilities)
def test_holm_keeps_the_order_and_lies_between_p_and_bonferroni(p: list[float]) -> None:
    adjusted = holm(p)
    for one, corrected in zip(p, adjusted, strict=True):
        assert one <= corrected <= min(len(p) * one, 1) + 1e-12
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
    assert holm(p[::-1]) == adjusted[::-1]


@given(st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.51, 0.9, 1.0]) | st.floats(0, 1), max_size=60))
def test_bins_hold_every_row_once_in_order(values: list[float]) -> None:
    bins = equal_mass_bins(values)
    assert sorted(np.concatenate([*bins, []]).tolist()) == list(range(len(values)))
    assert len(bins) <= 10
    sets = [{values[number] for number in rows} for rows in bins]
    assert all(max(a) < min(b) for a, b in pairwise(sets))


def test_bins_hold_equally_many() -> None:
    assert [len(rows) for rows in equal_mass_bins(np.random.default_rng(0).random(200))] == [20] * 10
    # Equal values stay together, where most of them belong.
    assert [len(rows) for rows in equal_mass_bins([0.1] * 4 + [0.2] * 4 + [0.3] * 2, bins=2)] == [4, 6]


def test_opposite_values_fall_into_opposite_bins() -> None:
    # Fifteen in ten bins: borders run through rows, one of them through the row in the middle.
    values = [number / 16 for number in range(1, 16)]
    sizes = [len(rows) for rows in equal_mass_bins(values)]
    assert sizes == sizes[::-1]
    assert len(sizes) == 9


def test_brier_and_calibration_by_hand() -> None:
    assert brier_score([0.8, 0.4], [True, False]) == pytest.approx((0.04 + 0.16) / 2)
    assert brier_score([0.5] * 6, [True, False] * 3) == 0.25
    # Two bins that differ from the truth by 0.1 and by 0.3.
    assert calibration_error([0.1] * 10 + [0.8] * 10, [False] * 10 + [True] * 5 + [False] * 5) == pytest.approx(0.2)


def test_true_probabilities_are_calibrated_and_sure_ones_are_not() -> None:
    rng = np.random.default_rng(4)
    p = rng.random(20_000)
    happened = rng.random(20_000) < p
    assert calibration_error(p, happened) < 0.02
    assert brier_score(p, happened) == pytest.approx(1 / 6, abs=0.01)
    assert calibration_error(np.where(p > 0.5, 0.99, 0.01), happened) == pytest.approx(0.24, abs=0.02)


def failing(k: int, views: int, p: float, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Changes from a run that fails by whole episodes to one that fails by single rows; both are correct with p."""
    by_episode = np.repeat(rng.random(k) < p, views)
    by_row = rng.random(k * views) < p
    return (by_row.astype(int) - by_episode).tolist(), np.repeat(np.arange(k), views).tolist()


@pytest.mark.parametrize(("k", "p"), [pytest.param(15, 0.9, marks=pytest.mark.long), (60, 0.99)])
@pytest.mark.slow
def test_runs_of_equal_accuracy_that_err_in_different_ways(k: int, p: float) -> None:
    rng = np.random.default_rng(7)
    drawn = [failing(k, 7, p, rng) for _ in range(400)]
    equal = np.mean([equality_p(*rows) < 0.05 for rows in drawn])
    flipped = np.mean([sign_flip_p(tally(*rows).sums) < 0.05 for rows in drawn])
    assert equal <= 0.06
    assert flipped > 0.09, "else the plain sign flip would do"


@pytest.mark.slow
def test_the_test_of_equality_is_the_dual_of_the_interval() -> None:
    rng = np.random.default_rng(9)
    above = 0
    for _ in range(40):
        rows = failing(12, 3, 0.6, rng)
        p, flipped = equality_p(*rows), sign_flip_p(tally(*rows).sums)
        assert flipped <= p <= 1
        if flipped < p < 1:
            above += 1
            for level, inside in ((1 - p * 1.001, False), (1 - p * 0.999, True)):
                found = difference_interval(*rows, level=level)
                assert (found.low <= 0 <= found.high) == inside
    assert above


def test_equality_of_runs_that_surely_differ() -> None:
    clusters = list(range(6))
    assert equality_p([1] * 6, clusters) == 2 / 2**6
    assert equality_p([0] * 6, clusters) == 1
    assert equality_p([1] * 300, range(300)) == pytest.approx(2.0**-299)
