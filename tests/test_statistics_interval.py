"""How sure an accuracy is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from hpvqa.evaluate.statistics.interval import (
    Interval,
    accuracy_interval,
    clopper_pearson,
    effective_n,
    sure_rows,
    tails,
    tally,
)
from tests.scored_rows import chances

rows_and_clusters = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=40)


def interval(right: list[int], sizes: list[int], **options: int) -> Interval:
    """Of clusters with so many right rows of so many."""
    found = accuracy_interval(*spread(right, sizes), **options)
    assert found is not None
    return found


def spread(right: list[int], sizes: list[int]) -> tuple[list[bool], list[int]]:
    correct = [number < count for count, size in zip(right, sizes, strict=True) for number in range(size)]
    return correct, np.repeat(np.arange(len(sizes)), sizes).tolist()


@given(st.integers(1, 60), st.data(), st.sampled_from([0.9, 0.95, 0.99]))
def test_binomial_intervals_are_those_of_scipy(n: int, data: st.DataObject, level: float) -> None:
    count = data.draw(st.integers(0, n))
    test = binomtest(count, n)
    assert clopper_pearson(count, n, level) == pytest.approx(tuple(test.proportion_ci(level, "exact")))


def test_sixteen_of_sixteen_episodes_leave_doubt() -> None:
    found = interval([7] * 16, [7] * 16)
    assert (found.low, found.high) == pytest.approx((0.7941, 1.0), abs=1e-4)
    assert found.method == "Clopper-Pearson"
    # The last episode may lack some views.
    assert interval([7] * 15 + [2], [7] * 15 + [2]) == found
    none = interval([0] * 16, [7] * 16)
    assert (none.low, none.high) == pytest.approx((0.0, 0.2059), abs=1e-4)


def test_episodes_that_agree_count_once() -> None:
    found = interval([7] * 10 + [0] * 6, [7] * 16)
    assert (found.low, found.high) == pytest.approx(tuple(binomtest(10, 16).proportion_ci(0.95, "exact")))
    assert found.method == "Clopper-Pearson"


def test_agreeing_episodes_of_unlike_size_weigh_by_their_rows() -> None:
    found = interval([100, 0, 0], [100, 1, 1])
    n = 102**2 / (100**2 + 2)
    assert (found.low, found.high) == pytest.approx(clopper_pearson(100 / 102 * n, n, 0.95))


def test_one_row_an_episode() -> None:
    found = interval([1] * 20 + [0] * 11, [1] * 31)
    assert (found.low, found.high) == pytest.approx(tuple(binomtest(20, 31).proportion_ci(0.95, "exact")))
    assert found.method == "Clopper-Pearson"


@pytest.mark.parametrize("n", [4, 15, 40])
@pytest.mark.parametrize("p", [0.5, 0.9, 0.99])
def test_one_row_an_episode_covers_the_truth(n: int, p: float) -> None:
    held = 0.0
    for count in range(n + 1):
        found = interval([1] * count + [0] * (n - count), [1] * n)
        held += float(binom.pmf(count, n, p)) * (found.low <= p <= found.high)
    assert held >= 0.95


def test_the_bootstrap_draws_whole_episodes() -> None:
    right, sizes = [7, 6, 0, 1, 7, 5, 0, 2, 7, 7, 1, 0, 6, 7, 0, 3, 7, 1], [7] * 18
    found = interval(right, sizes, resamples=40_000)
    assert found.method == "cluster bootstrap"
    shares = np.array(right) / 7
    drawn = np.random.default_rng(99).choice(shares, (40_000, 18)).mean(axis=1)
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, tails(0.95, 18)), abs=0.01)
    # As wide as Student's interval of the episodes' shares, and far wider than one that takes rows as independent.
    half = 2.1098 * shares.std(ddof=1) / 18**0.5
    assert found.high - found.low == pytest.approx(2 * half, rel=0.05)
    of_rows = clopper_pearson(sum(right), 18 * 7, 0.95)
    assert found.high - found.low > 1.8 * (of_rows[1] - of_rows[0])


def test_the_ends_of_few_clusters_are_further_out() -> None:
    assert tails(0.95, 10**6) == pytest.approx((0.025, 0.975), abs=1e-5)
    assert tails(0.95, 10)[0] == pytest.approx(0.00853, abs=1e-4)


def test_episodes_alike_by_chance_are_not_certain() -> None:
    found = interval([6] * 5, [7] * 5)
    of_rows = clopper_pearson(30, 35, 0.95)
    assert found.low < of_rows[0]
    assert found.high > of_rows[1]
    # Of many episodes, rows count in full.
    found = interval([6] * 5000, [7] * 5000)
    assert (found.low, found.high) == pytest.approx(clopper_pearson(30_000, 35_000, 0.95), abs=1e-4)


def test_one_episode_tells_next_to_nothing() -> None:
    found = interval([3], [7])
    assert found.low < 0.05
    assert found.high > 0.95
    assert accuracy_interval([], []) is None


def test_the_seed_decides() -> None:
    cases = ([7, 6, 0, 1, 7, 5], [7] * 6)
    assert interval(*cases, seed=3) == interval(*cases, seed=3)


@given(rows_and_clusters)
@pytest.mark.slow
def test_the_interval_holds_the_share(rows: list[tuple[bool, int]]) -> None:
    correct, clusters = zip(*rows, strict=True)
    found = accuracy_interval(correct, clusters, resamples=200)
    assert found is not None
    share = sum(correct) / len(correct)
    assert 0 <= found.low <= share + 1e-12
    assert share - 1e-12 <= found.high <= 1
    assert found.high - found.low > 0.05


@given(rows_and_clusters, chances)
def test_neither_the_order_of_rows_nor_names_of_clusters_matter(rows: list[tuple[bool, int]], chance: object) -> None:
    correct, clusters = zip(*rows, strict=True)
    shuffled = rows.copy()
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    again, names = [right for right, _ in shuffled], [("push", "data", 100 - cluster) for _, cluster in shuffled]
    assert accuracy_interval(correct, clusters, resamples=100) == accuracy_interval(again, names, resamples=100)
    assert effective_n(correct, clusters) == pytest.approx(effective_n(again, names))


@given(rows_and_clusters)
def test_wrong_mirrors_right(rows: list[tuple[bool, int]]) -> None:
    correct, clusters = zip(*rows, strict=True)
    found, other = (accuracy_interval(values, clusters) for values in (correct, [not right for right in correct]))
    assert found is not None
    assert other is not None
    assert found.method == other.method
    # Of few clusters, resamples have few means, so that ends of a bootstrap jump from one to the next.
    if found.method != "cluster bootstrap":
        assert (found.low, found.high) == pytest.approx((1 - other.high, 1 - other.low))


def test_wrong_mirrors_right_in_the_bootstrap_too() -> None:
    right = [7, 6, 0, 1, 7, 5, 0, 2, 7, 7, 1, 0, 6, 7, 0, 3, 7, 1]
    found, other = interval(right, [7] * 18), interval([7 - count for count in right], [7] * 18)
    assert (found.low, found.high) == pytest.approx((1 - other.high, 1 - other.low), abs=0.02)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    held = {}
    for truth, clusters in ((0.5, 12), (0.85, 30)):
        hits = 0
        for _ in range(200):
            shares = rng.beta(truth, 1 - truth, clusters)
            right = rng.binomial(7, shares)
            found = interval(right.tolist(), [7] * clusters, resamples=1000)
            hits += found.low <= truth <= found.high
        held[truth] = hits / 200
    assert min(held.values()) >= 0.9, held


def test_few_episodes_are_not_surer_than_they_can_be() -> None:
    rng = np.random.default_rng(6)
    for clusters in (2, 3, 4):
        held = 0
        for _ in range(200):
            right = rng.binomial(7, rng.beta(1.2, 1.2, clusters))
            found = interval(right.tolist(), [7] * clusters, resamples=500)
            held += found.low <= 0.5 <= found.high
        assert held >= 180, clusters


def test_sure_rows() -> None:
    rows = tally(*spread([6] * 5, [7] * 5))
    # Student's quantiles with 34 and 4 degrees of freedom are 2.032 and 2.776.
    assert sure_rows(rows, 0.95) == pytest.approx(35 * (2.0322 / 2.7764) ** 2, rel=1e-3)


def test_effective_rows() -> None:
    # Agreement: the number of episodes. One row each: the number of rows.
    assert effective_n(*spread([7, 7, 0, 7, 0], [7] * 5)) == pytest.approx(5)
    assert effective_n(*spread([1, 1, 0, 1, 0], [1] * 5)) == pytest.approx(5)
    assert effective_n(*spread([7] * 16, [7] * 16)) == 16
    assert effective_n(*spread([0] * 16, [7] * 16)) == 16
    # 2 of 4 rows right in each: no more than the rows that there are.
    assert effective_n(*spread([2] * 5, [4] * 5)) == 20
    assert effective_n(*spread([3], [7])) == 1
    assert effective_n([], []) == 0
    # By hand: p = 7/12, Σ e² = (4 - 7/3)² + (1 - 7/3)² + (2 - 7/3)² = 42/9, N = 12² · 35/144 / (42/9) = 7.5.
    assert effective_n(*spread([4, 1, 2], [4] * 3)) == pytest.approx(7.5)


def test_effective_rows_follow_from_the_correlation_within_episodes() -> None:
    rng = np.random.default_rng(0)
    correlation = 0.4
    theta = (1 - correlation) / correlation
    right = rng.binomial(7, rng.beta(theta / 2, theta / 2, 4000))
    expected = 7 * 4000 / (1 + 6 * correlation)
    assert effective_n(*spread(right.tolist(), [7] * 4000)) == pytest.approx(expected, rel=0.05)


def test_a_tally_adds_up() -> None:
    rows = tally([1, 0, 1, 1], ["x", "y", "x", "y"])
    assert (rows.sums.tolist(), rows.sizes.tolist(), rows.n, rows.clusters) == ([1, 2], [2, 2], 4, 2)
    assert (rows.mean, rows.kish) == (0.75, 2)
