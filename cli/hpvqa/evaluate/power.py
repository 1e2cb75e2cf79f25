"""How many episodes it takes to tell two models apart, found by simulating answers and testing them as reports do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import betaincinv

from hpvqa.evaluate.statistics.combine import independent_interval
from hpvqa.evaluate.statistics.equality import differs
from hpvqa.evaluate.statistics.interval import Interval, accuracy_interval
from hpvqa.plain import Model

Design = Literal["paired", "independent"]
Array = NDArray[np.bool_]
FIRST = 8
"""Episodes that are tried first; then twice as many each time."""
MOST = 4096
"""Episodes beyond which nothing is tried."""
_CLOSE = 1.1
"""Numbers of episodes are told apart as far as this ratio."""
_LEVEL = 0.95


class Question(Model):
    """What is asked of a simulation."""

    first: float = Field(gt=0, lt=1, description="Accuracy of the first model.")
    second: float = Field(gt=0, lt=1, description="Accuracy of the second model.")
    views: int = Field(default=1, ge=1, le=64, description="Rows of each episode: its views.")
    correlation: float = Field(
        default=0.0, ge=0, le=1, description="How alike the answers of one model to one episode are: 0 to 1."
    )
    alike: float = Field(
        default=0.0, ge=0, le=1, description="How often both models find the same rows hard: 0, independently, to 1."
    )
    design: Design = Field(
        default="paired", description="Whether both answer the same rows, or each has episodes of its own."
    )
    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="Level of the test, two-sided.")
    power: float = Field(default=0.8, gt=0, lt=1, description="How often the difference should be found.")
    simulations: int = Field(default=500, ge=10, le=1_000_000, description="How often answers are drawn.")
    seed: int = Field(default=0, ge=0, description="Seed of all draws.")


class Line(Model):
    """How often a difference is found with so many episodes."""

    episodes: int = Field(description="Of each model, or of both where they are paired.")
    power: float = Field(description="Share of the simulations in which the test finds the difference.")
    low: float = Field(description="Where the interval of 95 % of that share begins: Clopper and Pearson's.")
    high: float = Field(description="Where it ends.")


class Power(Model):
    """How many episodes it takes."""

    question: Question
    lines: tuple[Line, ...] = Field(description="By number of episodes, ascending.")
    episodes: int | None = Field(
        description="The smallest number that was tried and suffices; null where none does, or none was looked for."
    )


def at(question: Question, numbers: Sequence[int], tell: Callable[[Line], None]) -> Power:
    """The power with some numbers of episodes.

    Args:
        question: What is asked.
        numbers: How many episodes.
        tell: Told of each result.
    """
    lines = []
    for episodes in sorted(set(numbers)):
        lines.append(_line(question, episodes))
        tell(lines[-1])
    return _result(question, lines)


def search(question: Question, tell: Callable[[Line], None]) -> Power:
    """The smallest number of episodes that suffices, to a tenth.

    Twice as many are tried each time until they suffice; then what lies between is halved.

    Args:
        question: What is asked.
        tell: Told of each result.
    """
    found: dict[int, Line] = {}

    def enough(episodes: int) -> bool:
        found[episodes] = _line(question, episodes)
        tell(found[episodes])
        return found[episodes].power >= question.power

    low, high = 0, FIRST
    while not enough(high):
        if high >= MOST:
            return _result(question, list(found.values()))
        low, high = high, 2 * high
    while high - low > 1 and high > _CLOSE * max(low, 1):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return _result(question, list(found.values()))


def _result(question: Question, lines: Sequence[Line]) -> Power:
    ordered = sorted(lines, key=lambda line: line.episodes)
    # Power rises with the episodes; what suffices by chance below a number that does not is not the answer.
    short = [line.episodes for line in ordered if line.power < question.power]
    enough = [line.episodes for line in ordered if line.episodes > max(short, default=0)]
    return Power(question=question, lines=tuple(ordered), episodes=min(enough, default=None))


def _line(question: Question, episodes: int) -> Line:
    rng = np.random.default_rng(np.random.SeedSequence(question.seed, spawn_key=(episodes,)))
    count, clusters = question.simulations, np.repeat(np.arange(episodes), question.views).tolist()
    hits = sum(_found(question, *draw(question, episodes, rng), clusters) for _ in range(count))
    tail = (1 - _LEVEL) / 2
    return Line(
        episodes=episodes,
        power=hits / count,
        low=0.0 if hits == 0 else float(betaincinv(hits, count - hits + 1, tail)),
        high=1.0 if hits == count else float(betaincinv(hits + 1, count - hits, 1 - tail)),
    )


def draw(question: Question, episodes: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Answers of two models: whether each is correct, each of shape (episodes, views).

    A row is answered correctly if a number that is drawn for it is below the accuracy. With the chance √correlation it
    is the number of the whole episode; and with the chance `alike` both models have the same one.

    Args:
        question: Accuracies and how alike answers are.
        episodes: How many.
        rng: For everything that is drawn.
    """
    shape = (episodes, question.views)
    whole = rng.random(shape) < question.correlation**0.5
    both = np.where(whole, rng.random((episodes, 1)) < question.alike, rng.random(shape) < question.alike)

    def numbers() -> NDArray[np.float64]:
        return np.where(whole, rng.random((episodes, 1)), rng.random(shape))

    common = numbers()
    first, second = (np.where(both, common, numbers()) < share for share in (question.first, question.second))
    return first, second


def _found(question: Question, first: Array, second: Array, clusters: list[int]) -> bool:
    if question.design == "paired":
        changes = second.astype(int).ravel() - first.astype(int).ravel()
        return differs(changes, clusters, alpha=question.alpha)
    a, b = (_share(rows, clusters, 1 - question.alpha) for rows in (first, second))
    found = independent_interval(*a, *b)
    return not found.low <= 0 <= found.high


def _share(rows: Array, clusters: list[int], level: float) -> tuple[float, Interval]:
    interval = accuracy_interval(rows.ravel(), clusters, level=level)
    assert interval is not None  # noqa: S101 - there is a row
    return float(rows.mean()), interval
