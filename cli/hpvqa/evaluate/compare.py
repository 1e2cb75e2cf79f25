"""Two runs, or two conditions of one, on the same rows."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

from pydantic import Field

from hpvqa.errors import UsageError
from hpvqa.evaluate.prediction import Prediction, paired
from hpvqa.evaluate.statistics.combine import difference_interval
from hpvqa.evaluate.statistics.equality import equality_p
from hpvqa.evaluate.statistics.interval import Interval, effective_rows, tally
from hpvqa.evaluate.statistics.permutation import holm, sign_flip_p
from hpvqa.plain import Model

_Pair = tuple[Prediction, Prediction]

SIGNIFICANT = 0.05


class Comparison(Model):
    """How much better the second of two runs is, on rows that both answered.

    With the runs exchanged, differences and ends of intervals are exactly the opposite, and p-values are the same.
    """

    task: str
    by: Literal["all", "camera"] = Field(description="What else the rows have in common.")
    value: str = Field(description="The value of it.")
    a: float = Field(description="Accuracy of the first run.")
    b: float = Field(description="Accuracy of the second run.")
    difference: float = Field(description="b - a.")
    interval: Interval = Field(description="Interval of the difference; it holds 0 where p is 0.05 or more.")
    p: float = Field(description="Two-sided p of equal accuracy, by episode, however each of the runs errs.")
    p_exchangeable: float = Field(
        description="Two-sided p of another hypothesis, that either run could have given the other's answers to an "
        "episode: the plain permutation of signs. Runs of equal accuracy that err in different ways violate it too."
    )
    p_holm: float | None = Field(description="p corrected by Holm's method over the cameras of the task; null for all.")
    n: int = Field(description="Rows that both answered.")
    episodes: int
    effective_n: float = Field(description="Effective sample size of the difference.")
    unpaired: int = Field(description="Rows that only one of both has, or that one could not answer; not compared.")

    @property
    def few(self) -> bool:
        """Whether there are so few episodes that no p can be below 0.05."""
        return self.difference != 0 and too_few(self.episodes)


def too_few(episodes: int) -> bool:
    """Whether no p of so many episodes can be below 0.05: half of all signs is the least that can be seen."""
    return bool(2 / 2**episodes >= SIGNIFICANT)


def compare(a: Sequence[Prediction], b: Sequence[Prediction], *, seed: int = 0) -> list[Comparison]:
    """Compare two runs, task by task, on all rows and by camera.

    Args:
        a: The first run, under one condition.
        b: The second run, under one condition.
        seed: Seed of the intervals that are found by bootstrap.

    Raises:
        UsageError: There is no row that both answered.
    """
    pairs = paired(a, b)
    if not pairs:
        raise UsageError("Both runs have no answered row in common; compare runs about the same rows of a data set")
    names = {(row.task, row.camera, *row.asked) for row in (*a, *b)}
    found = []
    for task in dict.fromkeys(row.task for row, _ in pairs):
        of_task = [pair for pair in pairs if pair[0].task == task]
        cameras = dict.fromkeys(row.camera for row, _ in of_task)
        groups = [[pair for pair in of_task if pair[0].camera == camera] for camera in cameras]
        asked = [sum(name[:2] == (task, camera) for name in names) for camera in cameras]
        ps = [_p(group, seed) for group in groups]
        whole = sum(name[0] == task for name in names)
        found.append(_comparison("all", "all", of_task, _p(of_task, seed), None, whole, seed))
        found += [
            _comparison("camera", camera, group, p, corrected, rows, seed)
            for camera, group, p, corrected, rows in zip(cameras, groups, ps, holm(ps), asked, strict=True)
        ]
    return found


def change(pairs: Sequence[_Pair], *, seed: int = 0) -> tuple[Interval, float]:
    """How sure it is by how much the second of each pair was answered better: interval of the difference, and p.

    Args:
        pairs: The same rows answered twice; at least one.
        seed: Seed of an interval that is found by bootstrap.
    """
    return interval_and_p(_changes(pairs), _clusters(pairs), seed=seed)


def interval_and_p(changes: Sequence[int], clusters: Sequence[Hashable], *, seed: int = 0) -> tuple[Interval, float]:
    """The same of changes: for each row 1 (gain), -1 (loss) or 0; at least one.

    Args:
        changes: One a row.
        clusters: The episode of each row.
        seed: Seed of an interval that is found by bootstrap.
    """
    p = equality_p(changes, clusters, seed=seed)
    return _interval(changes, clusters, p, seed), p


def _comparison(
    by: Literal["all", "camera"],
    value: str,
    pairs: Sequence[_Pair],
    p: float,
    p_holm: float | None,
    asked: int,
    seed: int,
) -> Comparison:
    changes, clusters = _changes(pairs), _clusters(pairs)
    rows = tally(changes, clusters)
    first, second = (sum(pair[which].is_correct for pair in pairs) for which in (0, 1))
    return Comparison(
        task=pairs[0][0].task,
        by=by,
        value=value,
        a=first / len(pairs),
        b=second / len(pairs),
        difference=(second - first) / len(pairs),
        interval=_interval(changes, clusters, p, seed),
        p=p,
        p_exchangeable=sign_flip_p(rows.sums),
        p_holm=p_holm,
        n=len(pairs),
        episodes=rows.clusters,
        effective_n=effective_rows(rows),
        unpaired=asked - len(pairs),
    )


def _interval(changes: Sequence[int], clusters: Sequence[Hashable], p: float, seed: int) -> Interval:
    """The interval, reaching to 0 where the test finds no difference: so both say the same."""
    found = difference_interval(changes, clusters, seed=seed)
    if p < SIGNIFICANT:
        return found
    return found.model_copy(update={"low": min(found.low, 0.0), "high": max(found.high, 0.0)})


def _p(pairs: Sequence[_Pair], seed: int) -> float:
    return equality_p(_changes(pairs), _clusters(pairs), seed=seed)


def _changes(pairs: Sequence[_Pair]) -> list[int]:
    return [int(b.is_correct) - int(a.is_correct) for a, b in pairs]


def _clusters(pairs: Sequence[_Pair]) -> list[Hashable]:
    return [row.cluster for row, _ in pairs]
