"""How often each interval holds the truth, and each test rejects it, in one setting."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from hpvqa.evaluate.statistics.combine import (
    difference_interval,
    independent_interval,
    mean_interval,
    undrawn_difference,
)
from hpvqa.evaluate.statistics.detection import SaidLeft, criterion, d_prime
from hpvqa.evaluate.statistics.equality import equality_p
from hpvqa.evaluate.statistics.interval import (
    Interval,
    accuracy_interval,
    choose_method,
    effective_rows,
    share_ends,
    tally,
)
from hpvqa.evaluate.statistics.permutation import sign_flip_p
from hpvqa.evaluate.statistics.rank import measured_rank
from hpvqa.evaluate.statistics.resample import measured_median
from research.coverage.draw import Errs, Setting, Truths, pair, rows, values

LEVEL = 0.05


def shares(setting: Setting, simulations: int, seed: int) -> dict[str, float]:
    """Coverage of the interval of a share, and of the difference of two independent ones."""
    rng = np.random.default_rng(seed)
    held = {"share": 0, "independent difference": 0}
    for _ in range(simulations):
        a, b = (rows(setting, rng).ravel() for _ in range(2))
        held["share"] += _holds(partial(_share, a, setting), setting.p)
        held["independent difference"] += _holds(partial(_independent, a, b, setting), 0.0)
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
        for name, find in _OF_SIDES.items():
            held[name] += _holds(partial(find, left, right, halves), truth[name])
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
        held += _holds(partial(_difference, changes, clusters), p[1] - p[0])
        flips = sign_flip_p(tally(changes, clusters).sums) < LEVEL
        flipped += flips
        # The p of equal accuracy is never smaller.
        rejected += flips and equality_p(changes, clusters) < LEVEL
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
            "median error": measured_median(np.abs(said - true), setting.clusters, seed=0)[1],
            "rank correlation": measured_rank(np.stack([said, true], 1), setting.clusters)[1],
        }
        for name, interval in found.items():
            if interval is not None:
                exist[name] += 1
                held[name] += _inside(interval, truth[name])
    return {name: held[name] / exist[name] for name in truth if exist[name]}


def _share(correct: Truths, setting: Setting, drawn: bool) -> Interval:
    found = accuracy_interval(correct, setting.clusters) if drawn else None
    if found is None:
        counted = tally(correct, setting.clusters)
        low, high = share_ends(counted, 1 - LEVEL)
        return Interval(low=low, high=high, method=choose_method(counted))
    return found


def _independent(a: Truths, b: Truths, setting: Setting, drawn: bool) -> Interval:
    return independent_interval(_mean(a), _share(a, setting, drawn), _mean(b), _share(b, setting, drawn))


def _balanced(left: Truths, right: Truths, halves: Sequence[Setting], drawn: bool) -> Interval:
    of_left, of_right = _share(left, halves[0], drawn), _share(right, halves[1], drawn)
    return mean_interval(_mean(left), of_left, _mean(right), of_right)


def _d_prime(left: Truths, right: Truths, halves: Sequence[Setting], drawn: bool) -> Interval:
    return d_prime(_said(left, halves[0], drawn), _said(~right, halves[1], drawn))[1]


def _criterion(left: Truths, right: Truths, halves: Sequence[Setting], drawn: bool) -> Interval:
    return criterion(_said(left, halves[0], drawn), _said(~right, halves[1], drawn))[1]


_OF_SIDES = {"balanced accuracy": _balanced, "d′": _d_prime, "criterion": _criterion}


def _said(left: Truths, setting: Setting, drawn: bool) -> SaidLeft:
    counted = tally(left, setting.clusters)
    return SaidLeft(counted.total, counted.n, effective_rows(counted), _share(left, setting, drawn))


def _difference(changes: NDArray[np.int64], clusters: Sequence[int], drawn: bool) -> Interval:
    return difference_interval(changes, clusters) if drawn else undrawn_difference(changes, clusters, 1 - LEVEL)


def _holds(find: Callable[[bool], Interval], truth: float) -> bool:
    """Whether an interval holds the truth; resampling, which takes nearly all of the time, only makes it wider."""
    return _inside(find(False), truth) or _inside(find(True), truth)


def _inside(interval: Interval, truth: float) -> bool:
    # Ends such as 0.1 + 0.2 and truths such as 0.3 may differ in their last digit.
    return interval.low - 1e-12 <= truth <= interval.high + 1e-12


def _mean(correct: Truths) -> float:
    return float(correct.mean())


def _halves(count: int) -> tuple[int, int]:
    return (count + 1) // 2, count // 2
