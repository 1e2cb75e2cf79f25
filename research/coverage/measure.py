"""How often each interval holds the truth, and each test rejects it, in one setting."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri

from hpvqa.evaluate.statistics.combine import difference_interval, independent_interval, mean_interval
from hpvqa.evaluate.statistics.detection import SaidLeft, criterion, d_prime
from hpvqa.evaluate.statistics.equality import equality_p
from hpvqa.evaluate.statistics.interval import Interval, accuracy_interval, tally
from hpvqa.evaluate.statistics.permutation import sign_flip_p
from hpvqa.evaluate.statistics.resample import measured, median, rank_correlation
from research.coverage.draw import Errs, Setting, pair, rows, values

LEVEL = 0.05


def shares(setting: Setting, simulations: int, seed: int) -> dict[str, float]:
    """Coverage of the interval of a share, and of the difference of two independent ones."""
    rng = np.random.default_rng(seed)
    held = {"share": 0, "independent difference": 0}
    before: tuple[float, Interval] | None = None
    for _ in range(simulations):
        correct = rows(setting, rng).ravel()
        found = _interval(correct, setting)
        held["share"] += _holds(found, setting.p)
        if before is not None:
            difference = independent_interval(*before, float(correct.mean()), found)
            held["independent difference"] += 2 * _holds(difference, 0.0)
        # Each sample is in one pair only.
        before = (float(correct.mean()), found) if before is None else None
    return {name: count / simulations for name, count in held.items()}


def sides(setting: Setting, simulations: int, seed: int) -> dict[str, float]:
    """Coverage of what is combined from both true sides: balanced accuracy, d′ and criterion.

    Half of the episodes have either side, and both are answered correctly with the same chance.
    """
    rng = np.random.default_rng(seed)
    truth = {"balanced accuracy": setting.p, "d′": 2 * float(ndtri(setting.p)), "criterion": 0.0}
    held = dict.fromkeys(truth, 0)
    halves = [Setting(count, setting.views, setting.p, setting.correlation) for count in _halves(setting.episodes)]
    for _ in range(simulations):
        left, right = (rows(half, rng).ravel() for half in halves)
        hits, alarms = SaidLeft.of(left, halves[0].clusters), SaidLeft.of(~right, halves[1].clusters)
        of_right = accuracy_interval(right, halves[1].clusters)
        assert hits is not None and alarms is not None and of_right is not None  # noqa: S101, PT018 - there are rows
        found = {
            "balanced accuracy": mean_interval(float(left.mean()), hits.interval, float(right.mean()), of_right),
            "d′": d_prime(hits, alarms)[1],
            "criterion": criterion(hits, alarms)[1],
        }
        for name, interval in found.items():
            held[name] += _holds(interval, truth[name])
    return {name: count / simulations for name, count in held.items()}


def pairs(
    episodes: int, views: int, p: tuple[float, float], errs: Errs, simulations: int, seed: int
) -> dict[str, float]:
    """Coverage of the interval of a paired difference; and how often tests reject that there is none."""
    rng = np.random.default_rng(seed)
    clusters = Setting(episodes, views, 0.0, 0.0).clusters
    held = rejected = flipped = 0
    for _ in range(simulations):
        changes = pair(episodes, views, p, errs, rng)
        held += _holds(difference_interval(changes, clusters), p[1] - p[0])
        rejected += equality_p(changes, clusters) < LEVEL
        flipped += sign_flip_p(tally(changes, clusters).sums) < LEVEL
    return {
        "paired difference": held / simulations,
        "equal accuracy": rejected / simulations,
        "sign flip": flipped / simulations,
    }


def of_values(setting: Setting, simulations: int, seed: int) -> dict[str, float]:
    """Coverage of the intervals of a median error and of a rank correlation; of those that exist."""
    rng = np.random.default_rng(seed)
    # The error is normal about (p - 1) · truth, so normal itself; its absolute value's median follows.
    spread = math.sqrt((1 - setting.p) ** 2 + 1 - setting.p**2)
    truth = {
        "median error": spread * float(ndtri(0.75)),
        "rank correlation": 6 / math.pi * math.asin(setting.p / 2),
    }
    held = dict.fromkeys(truth, 0)
    exist = dict.fromkeys(truth, 0)
    for _ in range(simulations):
        true, said = values(setting, rng)
        found = {
            "median error": measured(median, np.abs(said - true), setting.clusters, seed=0)[1],
            "rank correlation": measured(rank_correlation, np.stack([said, true], 1), setting.clusters, seed=0)[1],
        }
        for name, interval in found.items():
            if interval is not None:
                exist[name] += 1
                held[name] += _holds(interval, truth[name])
    return {name: held[name] / exist[name] for name in truth if exist[name]}


def _interval(correct: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], setting: Setting) -> Interval:
    found = accuracy_interval(correct, setting.clusters)
    assert found is not None  # noqa: S101 - there are rows
    return found


def _holds(interval: Interval, truth: float) -> bool:
    # Ends such as 0.1 + 0.2 and truths such as 0.3 may differ in their last digit.
    return interval.low - 1e-12 <= truth <= interval.high + 1e-12


def _halves(count: int) -> tuple[int, int]:
    return (count + 1) // 2, count // 2
