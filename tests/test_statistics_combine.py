"""Intervals of means and differences of two shares, and signal detection."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from hpvqa.evaluate.statistics.combine import difference_interval, mean_interval
from hpvqa.evaluate.statistics.detection import SaidLeft, criterion, d_prime
from hpvqa.evaluate.statistics.interval import Interval, clopper_pearson


def said(count: int, n: int) -> SaidLeft:
    """One row an episode."""
    found = SaidLeft.of([number < count for number in range(n)], range(n))
    assert found is not None
    return found


counts = st.integers(1, 40).flatmap(lambda n: st.builds(said, st.integers(0, n), st.just(n)))


def test_the_mean_of_two_shares() -> None:
    a, b = (Interval(low=low, high=high, method="Clopper-Pearson") for low, high in ((0.5, 0.9), (0.1, 0.5)))
    found = mean_interval(0.8, a, 0.2, b)
    assert (found.low, found.high) == pytest.approx((0.5 - np.hypot(0.3, 0.1) / 2, 0.5 + np.hypot(0.1, 0.3) / 2))
    assert found.method == "Clopper-Pearson"
    drawn = b.model_copy(update={"method": "cluster bootstrap"})
    assert mean_interval(0.8, a, 0.2, drawn).method == "cluster bootstrap"


@pytest.mark.parametrize(("n", "p"), [(30, 0.99), (8, 0.9)])
def test_the_mean_of_two_shares_near_one_is_as_unsure_as_it_should_be(n: int, p: float) -> None:
    """Exactly, over all that two shares of n trials can be, but for what happens once in a million."""

    def interval(count: int) -> Interval:
        low, high = clopper_pearson(count, n, 0.95)
        return Interval(low=low, high=high, method="Clopper-Pearson")

    chances = {count: chance for count in range(n + 1) if (chance := float(binom.pmf(count, n, p))) > 1e-6}
    covered = 0.0
    for (a, of_a), (b, of_b) in product(chances.items(), repeat=2):
        found = mean_interval(a / n, interval(a), b / n, interval(b))
        covered += of_a * of_b * (found.low <= p <= found.high)
    assert covered >= 0.95


def test_equal_runs_may_still_differ() -> None:
    clusters = np.repeat(np.arange(16), 7).tolist()
    found = difference_interval([0] * 112, clusters)
    assert (found.low, found.high) == pytest.approx((-0.2059, 0.2059), abs=1e-4)
    assert found.method == "Clopper-Pearson"
    better = difference_interval([1] * 112, clusters)
    assert better.high == 1
    assert 0.6 < better.low < 0.8


def test_gains_and_losses_that_cancel_within_an_episode_are_no_agreement() -> None:
    clusters = np.repeat(np.arange(16), 2).tolist()
    found = difference_interval([1, -1] * 16, clusters)
    assert found.method == "cluster bootstrap"
    assert found.low == pytest.approx(-found.high)
    assert found.high > 0.1


def test_paired_rows_one_an_episode() -> None:
    changes = [1] * 60 + [-1] * 20 + [0] * 120
    found = difference_interval(changes, range(200))
    half = 1.96 * np.std(changes) / 200**0.5
    assert (found.low, found.high) == pytest.approx((0.2 - half, 0.2 + half), abs=0.01)
    assert found.method == "Clopper-Pearson"


def test_a_difference_by_bootstrap_is_as_sure_as_its_episodes() -> None:
    rng = np.random.default_rng(3)
    changes = rng.choice([-1, 0, 1], (40, 7), p=[0.1, 0.5, 0.4]) * rng.choice([0, 1], (40, 1))
    found = difference_interval(changes.ravel(), np.repeat(np.arange(40), 7).tolist())
    means = changes.mean(axis=1)
    half = 2.0227 * means.std(ddof=1) / 40**0.5
    assert (found.low, found.high) == pytest.approx((means.mean() - half, means.mean() + half), abs=0.025)
    assert found.method == "cluster bootstrap"


@given(st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.integers(0, 5)), min_size=1, max_size=40))
def test_the_interval_holds_the_difference(rows: list[tuple[int, int]]) -> None:
    changes, clusters = zip(*rows, strict=True)
    found = difference_interval(changes, clusters)
    mean = sum(changes) / len(changes)
    assert -1 <= found.low <= mean + 1e-12
    assert mean - 1e-12 <= found.high <= 1
    other = difference_interval([-change for change in changes], clusters)
    assert found.method == other.method
    # Of few clusters, resamples have few means, so that ends of a bootstrap jump from one to the next.
    if found.method != "cluster bootstrap":
        assert (found.low, found.high) == pytest.approx((-other.high, -other.low))


def test_detection_by_hand() -> None:
    hits, alarms = said(112, 112), said(102, 105)
    high, low = norm.ppf(112.5 / 113), norm.ppf(102.5 / 106)
    assert d_prime(hits, alarms)[0] == pytest.approx(high - low)
    assert criterion(hits, alarms)[0] == pytest.approx(-(high + low) / 2)
    assert criterion(hits, alarms)[0] < -2


def test_views_of_an_episode_are_no_trials_of_their_own() -> None:
    """A run that always answers right is as far from the middle with seven views of 50 episodes as with one."""
    one, seven = (SaidLeft.of([False] * 50 * views, np.repeat(np.arange(50), views).tolist()) for views in (1, 7))
    assert one is not None
    assert seven is not None
    assert criterion(one, one)[0] == criterion(seven, seven)[0] == pytest.approx(-norm.ppf(0.5 / 51))
    # Where rows are as good as independent, each counts.
    mixed = SaidLeft.of([True, True, True, False] * 20, np.repeat(np.arange(20), 4).tolist())
    assert mixed is not None
    assert (mixed.trials, mixed.z) == (80, pytest.approx(norm.ppf(60.5 / 81)))


@pytest.mark.parametrize("rate", [0.9, 0.99])
@pytest.mark.slow
def test_few_episodes_do_not_bound_what_is_seen(rate: float) -> None:
    """Four episodes of either side: often all answers are correct, and the truth may be far beyond what they show."""
    rng = np.random.default_rng(4)
    sees = bias = 0
    for _ in range(200):
        drawn = rng.binomial(7, rate, (2, 4))
        rows = [[number < count for count in side for number in range(7)] for side in (drawn[0], 7 - drawn[1])]
        left, right = (SaidLeft.of(side, np.repeat(np.arange(4), 7).tolist()) for side in rows)
        assert left is not None
        assert right is not None
        found, leaning = d_prime(left, right)[1], criterion(left, right)[1]
        sees += found.low <= 2 * norm.ppf(rate) <= found.high
        bias += leaning.low <= 0 <= leaning.high
    assert min(sees, bias) >= 186


def test_an_observer_who_sees_and_one_who_does_not() -> None:
    sees, bias = d_prime(said(45, 50), said(5, 50)), criterion(said(45, 50), said(5, 50))
    assert sees[0] > 2
    assert sees[1].low > 1
    assert bias[0] == pytest.approx(0)
    blind = d_prime(said(25, 50), said(25, 50))
    assert blind[0] == pytest.approx(0)
    assert blind[1].low == pytest.approx(-blind[1].high)


@given(counts, counts)
def test_other_names_for_the_sides_turn_the_criterion(left: SaidLeft, right: SaidLeft) -> None:
    # "Left" for "right" and the other way round: what was not said left is said left, where the other side is true.
    other = [said(side.n - side.count, side.n) for side in (right, left)]
    assert d_prime(*other)[0] == pytest.approx(d_prime(left, right)[0])
    assert criterion(*other)[0] == pytest.approx(-criterion(left, right)[0])
    ends = criterion(left, right)[1]
    turned = criterion(*other)[1]
    assert (turned.low, turned.high) == pytest.approx((-ends.high, -ends.low), abs=1e-6)


@given(counts, counts)
def test_intervals_hold_what_they_are_of(left: SaidLeft, right: SaidLeft) -> None:
    for value, found in (d_prime(left, right), criterion(left, right)):
        assert found.low - 1e-9 <= value <= found.high + 1e-9


@pytest.mark.long
def test_the_interval_of_d_prime_covers_the_truth() -> None:
    rng = np.random.default_rng(1)
    truth = norm.ppf(0.7) - norm.ppf(0.4)
    held = 0
    for _ in range(150):
        sides = []
        for rate in (0.7, 0.4):
            drawn = rng.binomial(7, rng.beta(rate * 3, (1 - rate) * 3, 16))
            rows = [number < count for count in drawn for number in range(7)]
            side = SaidLeft.of(rows, np.repeat(np.arange(16), 7).tolist())
            assert side is not None
            sides.append(side)
        found = d_prime(*sides)[1]
        held += found.low <= truth <= found.high
    assert held >= 135
