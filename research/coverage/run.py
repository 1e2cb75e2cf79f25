"""Everything that is measured, setting by setting, in several processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import get_args

import numpy as np

from research.coverage.draw import Errs, Setting
from research.coverage.measure import of_values, pairs, shares, sides

WORSE = 0.1
"""By so much the second run of some pairs is less accurate."""
UNEQUAL: tuple[Errs, ...] = ("alike", "by episode, by row")
VIEWS = 7


@dataclass(frozen=True)
class Grid:
    """What is simulated.

    Attributes:
        episodes: Numbers of episodes.
        ps: Chances that a row is correct.
        correlations: Of the views of an episode.
        valued: Numbers of episodes where values are asked for.
        links: Correlations of true values and answers.
    """

    episodes: Sequence[int] = (4, 8, 15, 31, 60)
    ps: Sequence[float] = (0.5, 0.9, 0.99)
    correlations: Sequence[float] = (0.0, 0.3, 1.0)
    valued: Sequence[int] = (8, 15, 31)
    links: Sequence[float] = (0.5, 0.9)


@dataclass(frozen=True)
class Found:
    """How often something happened in one setting.

    Attributes:
        what: Name of the interval or test.
        episodes: How many.
        views: Rows of each.
        alike: How rows of an episode are related: a correlation, or how both runs of a pair err.
        p: Chance that a row is correct, or correlation of values and answers.
        rate: How often the interval held the truth, or the test rejected.
    """

    what: str
    episodes: int
    views: int
    alike: str
    p: float
    rate: float


def measure(grid: Grid, simulations: int, seed: int, workers: int) -> list[Found]:
    """Simulate every setting.

    Args:
        grid: What is simulated.
        simulations: How often each; those of values a quarter of that, for they take long.
        seed: Seed of everything drawn.
        workers: How many processes.
    """
    # Those that take longest first, so that no process is left with them alone.
    jobs = [*_of_values(grid), *_of_two_runs(grid), *_of_one_run(grid)]
    seeds = np.random.SeedSequence(seed).generate_state(len(jobs)).tolist()
    with ProcessPoolExecutor(workers) as pool:
        waiting = [
            (job, pool.submit(job.find, *job.arguments, max(simulations // job.part, 1), number))
            for job, number in zip(jobs, seeds, strict=True)
        ]
        return [
            Found(job.names.get(what, what), job.episodes, job.views, job.alike, job.p, rate)
            for job, rates in waiting
            for what, rate in rates.result().items()
            if what not in job.unwanted
        ]


@dataclass(frozen=True)
class _Job:
    find: Callable[..., dict[str, float]]
    arguments: tuple[object, ...]
    episodes: int
    views: int
    alike: str
    p: float
    names: dict[str, str]
    unwanted: tuple[str, ...] = ()
    part: int = 1


def _of_one_run(grid: Grid) -> list[_Job]:
    # Whether views agree means nothing where there is one.
    ways = [(1, 0.0), *((VIEWS, correlation) for correlation in grid.correlations)]
    return [
        _Job(find, (Setting(count, views, p, correlation),), count, views, _words(views, correlation), p, {})
        for find in (shares, sides)
        for count in grid.episodes
        for views, correlation in ways
        for p in grid.ps
    ]


def _of_two_runs(grid: Grid) -> list[_Job]:
    ways: list[tuple[int, Errs]] = [(1, "independent"), *((VIEWS, errs) for errs in get_args(Errs))]
    jobs = []
    for count in grid.episodes:
        for views, errs in ways:
            for p in grid.ps:
                place = (count, views, errs, p)
                jobs.append(_Job(pairs, (count, views, (p, p), errs), *place, {}))
                if errs in UNEQUAL:
                    # How often a true difference is found is no property that must be kept.
                    names, tests = {"paired difference": "paired difference, worse"}, ("equal accuracy", "sign flip")
                    jobs.append(_Job(pairs, (count, views, (p, p - WORSE), errs), *place, names, tests))
    return jobs


def _of_values(grid: Grid) -> list[_Job]:
    settings = [
        Setting(count, VIEWS, link, correlation)
        for count in grid.valued
        for correlation in grid.correlations
        if correlation < 1
        for link in grid.links
    ]
    return [
        _Job(of_values, (one,), one.episodes, one.views, _words(one.views, one.correlation), one.p, {}, part=4)
        for one in settings
    ]


def _words(views: int, correlation: float) -> str:
    return "–" if views == 1 else f"{correlation:g}"
