"""Accuracy as a function of the gap."""

from __future__ import annotations

import numpy as np
import pytest

from hpvqa.evaluate.statistics.psychometric import Psychometric, fit_psychometric

SCALE, SHAPE, LAPSE = 0.6, 2.0, 0.04
THRESHOLD = SCALE * np.log(1 / (1 - 0.25 / 0.46)) ** 0.5


def truth(gap: np.ndarray) -> np.ndarray:
    return 0.5 + (0.5 - LAPSE) * (1 - np.exp(-((gap / SCALE) ** SHAPE)))


def observe(seed: int, episodes: int = 56, views: int = 7, curve=truth):
    """Rows of episodes whose views are not independent."""
    rng = np.random.default_rng(seed)
    gaps = rng.uniform(0.1, 1.4, episodes)
    p = curve(gaps)
    shares = rng.beta(4 * p, 4 * (1 - p))
    correct = rng.random((episodes, views)) < shares[:, None]
    return np.repeat(gaps, views), correct.ravel(), np.repeat(np.arange(episodes), views).tolist()


def fit(*args, **options) -> Psychometric:
    found = fit_psychometric(*args, **options)
    assert found is not None
    return found


@pytest.mark.slow
def test_a_known_curve_is_found() -> None:
    found = fit(*observe(0, episodes=2000))
    assert found.rises
    assert found.note is None
    assert found.threshold == pytest.approx(THRESHOLD, rel=0.07)
    for gap in (0.2, 0.5, 1.0, 1.3):
        assert found.probability(gap) == pytest.approx(float(truth(np.array(gap))), abs=0.03)
    assert (found.n, found.episodes) == (14_000, 2000)


def test_the_curve_goes_from_guessing_to_all_but_lapses() -> None:
    found = fit(*observe(1))
    assert found.probability(0) == found.guess == 0.5
    assert found.probability(1e6) == pytest.approx(1 - found.lapse)
    assert 0 <= found.lapse <= 0.1
    assert found.threshold is not None
    assert found.probability(found.threshold) == pytest.approx(0.75)
    step = 1e-5
    rise = (found.probability(found.threshold + step) - found.probability(found.threshold - step)) / (2 * step)
    assert found.slope == pytest.approx(rise, rel=1e-4)
    curve = found.curve(np.linspace(0, 2, 50).tolist())
    assert (np.diff(curve) >= 0).all()


def test_no_other_curve_is_likelier() -> None:
    gaps, correct, clusters = observe(2)
    found = fit(gaps, correct, clusters)

    def goodness(curve: Psychometric) -> float:
        p = np.clip(curve.curve(gaps), 1e-9, 1 - 1e-9)
        return float(np.where(correct, np.log(p), np.log(1 - p)).sum())

    for name in ("scale", "shape", "lapse"):
        for factor in (0.98, 1.02):
            value = getattr(found, name) * factor if name != "lapse" else min(max(found.lapse + factor - 1, 0), 0.1)
            assert goodness(found.model_copy(update={name: value})) <= goodness(found) + 1e-6


@pytest.mark.slow
def test_the_interval_covers_the_threshold() -> None:
    fits = [fit(*observe(seed)) for seed in range(40)]
    intervals = [found.threshold_interval for found in fits if found.threshold_interval is not None]
    assert len(intervals) > 33
    assert sum(found.low <= THRESHOLD <= found.high for found in intervals) >= 0.88 * len(intervals)
    for found in fits:
        if found.threshold_interval is not None and found.threshold is not None:
            assert found.threshold_interval.low <= found.threshold <= found.threshold_interval.high


@pytest.mark.slow
def test_an_accuracy_that_does_not_rise_has_no_threshold() -> None:
    fits = [fit(*observe(seed, curve=lambda gap: np.full_like(gap, 0.5))) for seed in range(60)]
    flat = [found for found in fits if not found.rises]
    assert len(flat) >= 53
    for found in flat:
        assert found.threshold is found.threshold_interval is found.slope is None
        assert "does not rise" in (found.note or "")
    falling = fit(*observe(0, curve=lambda gap: 0.95 - 0.4 * gap / 1.4))
    assert not falling.rises
    assert falling.p_rise > 0.9


@pytest.mark.slow
def test_a_threshold_outside_of_what_was_seen_is_none() -> None:
    late = fit(*observe(3, episodes=800, curve=lambda gap: 0.5 + 0.12 * gap))
    assert (late.rises, late.threshold) == (True, None)
    assert "below 0.75" in (late.note or "")
    early = fit(*observe(3, episodes=400, curve=lambda gap: 0.85 + 0.1 * gap))
    assert (early.rises, early.threshold) == (True, None)
    assert "smallest gap" in (early.note or "")


def test_perfect_and_hopeless_answers_are_no_error() -> None:
    gaps, correct, clusters = observe(4, episodes=16)
    for same in (True, False):
        found = fit(gaps, np.full_like(correct, same), clusters)
        assert not found.rises
        assert found.p_rise == 1
        assert np.isfinite(found.deviance)
        Psychometric.model_validate_json(found.model_dump_json(exclude={"rises"}))


def test_fewer_than_four_gaps_are_no_curve() -> None:
    assert fit_psychometric([], [], []) is None
    assert fit_psychometric([0.1, 0.2, 0.3] * 5, [True] * 15, list(range(15))) is None
    assert fit_psychometric([0.1, 0.2, 0.3, 0.4], [True] * 4, list(range(4))) is not None


def test_neither_order_nor_another_run_changes_the_fit() -> None:
    gaps, correct, clusters = observe(5)
    order = np.random.default_rng(0).permutation(len(gaps))
    found = fit(gaps, correct, clusters, seed=2)
    assert fit(gaps, correct, clusters, seed=2) == found
    shuffled = fit(gaps[order], correct[order], [f"episode {clusters[number]}" for number in order], seed=2)
    assert shuffled.model_dump(exclude={"threshold_interval"}) == pytest.approx(
        found.model_dump(exclude={"threshold_interval"})
    )
    assert shuffled.threshold_interval == found.threshold_interval
