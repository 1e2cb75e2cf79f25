"""Judging whether what was seen suffices: to answer then is to say that it does."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from pydantic import Field

from hpvqa.evaluate.statistics.detection import SaidLeft, criterion, d_prime
from hpvqa.evaluate.statistics.interval import Interval
from hpvqa.explore.runs.record import Played, StepRecord
from hpvqa.explore.scores.figure import Figure, balanced, share
from hpvqa.plain import Model


class Judgement(Model):
    """How well it was judged whether what was seen suffices, at one step or over all."""

    step: int | None = Field(description="Number of the decision, from 0; null: all decisions.")
    sufficient: int = Field(description="Decisions where it sufficed.")
    insufficient: int
    answered_sufficient: int = Field(description="How often an answer was given where it sufficed.")
    answered_insufficient: int
    balanced: Figure | None = Field(description="Mean accuracy of both kinds; null where one of them is missing.")
    d_prime: Figure | None = Field(description="Sensitivity; 0: answers come as often either way.")
    criterion: Figure | None = Field(description="Below 0: rather answers; above 0: rather acts.")


def first_judgement(played: Sequence[Played]) -> Figure | None:
    """ACC_ISJ: how often the first decision is an answer where the first view suffices, and an action where not.

    A decision that could not be read is wrong.
    """
    return share([judged(one.decisions[0]) for one in played], [one.cluster for one in played])


def judged(step: StepRecord) -> bool:
    """Whether a decision is an answer if what was seen suffices, and an action if not."""
    return step.chosen is not None and step.answers == step.privileged.sufficient


def judgement(played: Sequence[Played], step: int | None) -> Judgement:
    """How well it was judged whether what was seen suffices.

    Args:
        played: The scenes.
        step: Which decision; None: all of them.
    """
    found = [
        (decision, one.cluster)
        for one in played
        for number, decision in enumerate(one.decisions)
        if step in (None, number)
    ]
    halves: list[list[tuple[StepRecord, Hashable]]] = [
        [(decision, cluster) for decision, cluster in found if decision.privileged.sufficient == which]
        for which in (True, False)
    ]
    answered = [sum(decision.answers for decision, _ in half) for half in halves]
    first, second = (([judged(d) for d, _ in half], [c for _, c in half]) for half in halves)
    said = [_said(half) for half in halves]
    hits, alarms = said
    n = len(found)
    return Judgement(
        step=step,
        sufficient=len(halves[0]),
        insufficient=len(halves[1]),
        answered_sufficient=answered[0],
        answered_insufficient=answered[1],
        balanced=balanced(first, second),
        d_prime=_figure(*d_prime(hits, alarms), n) if hits and alarms else None,
        criterion=_figure(*criterion(hits, alarms), n) if hits and alarms else None,
    )


def _said(half: Sequence[tuple[StepRecord, Hashable]]) -> SaidLeft | None:
    """How often an answer is given; None of no decisions."""
    return SaidLeft.of([decision.answers for decision, _ in half], [cluster for _, cluster in half])


def _figure(value: float, interval: Interval, n: int) -> Figure:
    return Figure(value=value, low=interval.low, high=interval.high, n=n, method=interval.method)


def judgements(played: Sequence[Played]) -> tuple[Judgement, ...]:
    """Over all decisions, and at each step by itself."""
    longest = max(len(one.decisions) for one in played)
    return tuple(judgement(played, step) for step in (None, *range(longest)))
