"""Values are scored by how far they are off, whatever the order of the rows."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import spearmanr

from hpvqa.evaluate.prediction import Estimate, relative_error
from hpvqa.evaluate.statistics.rank import measured_rank, rank_correlation
from hpvqa.evaluate.statistics.resample import measured_median, median
from hpvqa.evaluate.values import ValueCell, pooled_values, score_values


def estimate(truth: float, said: float | None, episode: int = 0, camera: str = "a", **changes: Any) -> Estimate:
    fields = {
        "file_name": f"push/{episode}/{camera}.mp4#left",
        "question": "?",
        "answer": truth,
        "prediction": said,
        "is_correct": said is not None and relative_error(said, truth) <= 0.1,
        "split": "eval",
        "task": "push",
        "source": "data",
        "episode": episode,
        "camera": camera,
        "text": "",
        "seconds": 0.0,
        "error": None,
        "about": "left",
        "unit": "kg",
        "training_mean": 2.0,
    }
    return Estimate.model_validate(fields | changes)


def whole(rows: list[Estimate]) -> ValueCell:
    return score_values(rows)[0]


def test_errors_shares_and_ranks() -> None:
    rows = [estimate(1.0, 1.05, 0), estimate(2.0, 2.4, 1), estimate(4.0, 4.0, 2), estimate(5.0, 1.0, 3)]
    cell = whole(rows)
    # 5 %, 20 %, 0 % and 80 %: the smallest that half of them do not exceed is 5 %.
    assert cell.error == pytest.approx(0.05)
    assert (cell.within_10.share, cell.within_25.share) == (0.5, 0.75)
    assert cell.rank_correlation == pytest.approx(spearmanr([1, 2, 4, 5], [1.05, 2.4, 4.0, 1.0]).statistic)
    assert cell.error_interval is not None
    assert cell.error_interval.low <= cell.error <= cell.error_interval.high
    # 2 kg is off by 100 %, 0 %, 50 % and 60 %.
    assert cell.training_mean is not None
    assert (cell.training_mean.error, cell.training_mean.within_10) == (0.5, 0.25)


def test_a_tenth_is_close() -> None:
    cell = whole([estimate(1.0, 1.1), estimate(1.0, 0.9, 1), estimate(1.0, 1.1001, 2), estimate(-1.0, -0.95, 3)])
    assert cell.within_10.share == 0.75


def test_what_is_no_number_is_infinitely_far_off() -> None:
    cell = whole([estimate(1.0, None, 0), estimate(2.0, None, 1), estimate(3.0, 3.0, 2)])
    assert (cell.n, cell.invalid, cell.error) == (3, 2, None)
    assert cell.within_25.share == pytest.approx(1 / 3)
    cell = whole([estimate(1.0, None, 0), estimate(2.0, 2.2, 1), estimate(3.0, 3.0, 2)])
    assert cell.error == pytest.approx(0.1)


def test_what_could_not_be_answered_does_not_count() -> None:
    cell = whole([estimate(1.0, None, 0, error="does not decode"), estimate(2.0, 2.0, 1)])
    assert (cell.n, cell.invalid, cell.within_10.share) == (1, 0, 1.0)


def test_coverage_of_distributions() -> None:
    wide = {0.05: 0.0, 0.25: 0.9, 0.5: 1.0, 0.75: 1.1, 0.95: 2.0}
    cell = whole([estimate(truth, 1.0, n, quantiles=wide) for n, truth in enumerate((1.0, 0.5, 1.05, 3.0))])
    assert cell.coverage_50 is not None
    assert cell.coverage_90 is not None
    assert (cell.coverage_50.share, cell.coverage_90.share) == (0.5, 0.75)
    assert whole([estimate(1.0, 1.0)]).coverage_50 is None


def test_views_are_pooled_by_their_median() -> None:
    rows = [estimate(2.0, said, 0, camera) for said, camera in ((1.9, "a"), (9.0, "b"), (2.1, "c"), (None, "d"))]
    (row,) = pooled_values(rows)
    assert (row.prediction, row.is_correct) == (2.1, True)
    assert [(cell.by, cell.n) for cell in score_values(rows)] == [
        ("all", 4),
        *[("camera", 1)] * 4,
        ("pooled", 1),
    ]
    assert pooled_values([estimate(1.0, 1.0, 0), estimate(1.0, 1.0, 1)]) == []


def test_without_training_rows_no_mean_stands_beside() -> None:
    assert whole([estimate(1.0, 1.0, training_mean=None)]).training_mean is None


@pytest.mark.parametrize("truth", [math.nan, math.inf])
def test_a_truth_that_is_no_number_is_refused(truth: float) -> None:
    with pytest.raises(ValueError, match="number"):
        estimate(truth, None)


def test_only_0_is_close_to_0() -> None:
    cell = whole([estimate(0.0, 0.0), estimate(0.0, 1e-9, 1), estimate(0.0, None, 2), estimate(1.0, 0.0, 3)])
    assert (cell.within_10.share, cell.within_25.share, cell.error) == (0.25, 0.25, 1.0)
    cell = whole([estimate(0.0, 0.3, episode) for episode in range(3)])
    assert cell.training_mean is not None
    assert (cell.error, cell.training_mean.error, cell.training_mean.within_25) == (None, None, 0.0)
    assert ValueCell.model_validate_json(cell.model_dump_json()) == cell


numbers = st.floats(0.5, 50).map(lambda value: round(value, 2))
clustered = st.lists(st.tuples(numbers | st.none(), st.integers(0, 6)), min_size=1, max_size=12)


@settings(max_examples=20)
@given(clustered, st.integers(0, 2**32 - 1).map(random.Random))
def test_the_order_of_rows_does_not_matter(drawn: list[tuple[float | None, int]], chance: random.Random) -> None:
    rows = [estimate(1.0 + episode, said, episode, str(n)) for n, (said, episode) in enumerate(drawn)]
    found = {cell.value: cell for cell in score_values(rows)}
    assert {cell.value: cell for cell in score_values(chance.sample(rows, len(rows)))} == found


@given(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=30))
@pytest.mark.slow
def test_rank_correlation_is_that_of_scipy(pairs: list[tuple[float, float]]) -> None:
    rows = np.array(pairs)
    found = rank_correlation(rows, np.ones((1, len(rows))))[0]
    if len(set(rows[:, 0])) == 1 or len(set(rows[:, 1])) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(rows[:, 0], rows[:, 1]).statistic, abs=1e-9)


@given(st.lists(st.tuples(numbers, st.integers(0, 4)), min_size=1, max_size=12))
def test_drawing_a_row_twice_is_as_having_it_twice(drawn: list[tuple[float, int]]) -> None:
    values, counts = np.array([value for value, _ in drawn]), np.array([count for _, count in drawn], dtype=float)
    if counts.sum() == 0:
        return
    repeated = np.repeat(values, counts.astype(int))
    assert median(values, counts[None]) == median(repeated, np.ones((1, len(repeated))))
    both = np.stack([values, values[::-1]], axis=1)
    twice = np.repeat(both, counts.astype(int), axis=0)
    a, b = rank_correlation(both, counts[None]), rank_correlation(twice, np.ones((1, len(twice))))
    np.testing.assert_allclose(a, b, atol=1e-9)


def test_intervals_hold_the_value_behind_the_noise() -> None:
    """Of 100 small samples, the interval of the median holds the true one in at least 0.90."""
    rng = np.random.default_rng(0)
    held = 0
    for number in range(100):
        of_episode = rng.normal(size=24).repeat(3)
        rows = of_episode + 0.5 * rng.normal(size=72)
        _, interval = measured_median(rows, [n // 3 for n in range(72)], seed=number)
        assert interval is not None
        held += interval.low <= 0.0 <= interval.high
    assert held >= 90


@pytest.mark.slow
def test_the_interval_of_a_median_holds_it_with_few_episodes_whose_rows_scatter() -> None:
    """Eight episodes of seven views: the bootstrap alone holds the true median in 0.92 of all cases."""
    rng = np.random.default_rng(2)
    clusters = np.arange(8).repeat(7).tolist()
    truth = float(ndtri(0.75))
    held = 0
    for number in range(200):
        _, interval = measured_median(np.abs(rng.normal(size=56)), clusters, seed=number)
        assert interval is not None
        held += interval.low <= truth <= interval.high
    assert held >= 190


def test_an_interval_of_a_median_has_no_end_where_half_of_all_may_be_infinite() -> None:
    rows = np.array([0.1, 0.2, 0.3, 0.4, 0.5, np.inf, np.inf, np.inf])
    assert measured_median(rows, range(8), seed=0) == (0.4, None)


def test_the_interval_of_a_rank_correlation_holds_it_with_few_episodes_too() -> None:
    """Eight episodes that are ranked well: a bootstrap holds the true coefficient in 0.80 of all cases."""
    rng = np.random.default_rng(4)
    truth = 6 / math.pi * math.asin(0.9 / 2)
    held = 0
    for _ in range(200):
        of_episode = rng.normal(size=8).repeat(7)
        said = 0.9 * of_episode + 0.19**0.5 * rng.normal(size=56)
        _, interval = measured_rank(np.stack([said, of_episode], 1), np.arange(8).repeat(7).tolist())
        assert interval is not None
        held += interval.low <= truth <= interval.high
    assert held >= 186


def test_perfect_ranks_are_not_certain() -> None:
    rows = np.stack([np.arange(10.0), np.arange(10.0)], 1)
    value, interval = measured_rank(rows, range(10))
    assert value == pytest.approx(1.0)
    assert interval is not None
    assert 0.8 < interval.low < 0.97
    assert interval.high == 1.0
    turned = measured_rank(rows * [1, -1], range(10))[1]
    assert turned is not None
    assert (turned.low, turned.high) == pytest.approx((-interval.high, -interval.low))
    assert measured_rank(rows[:3], range(3))[1] is None
    assert measured_rank(np.ones((5, 2)), range(5)) == (None, None)
