"""What was learnt by acting: all measured while what was seen did not suffice."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from pydantic import Field

from hpvqa.explore.runs.record import Played, StepRecord
from hpvqa.explore.scores.figure import Figure, ratio, share
from hpvqa.plain import Model

_SOME = 1e-9
"""Less is no information [bit]."""


class Gain(Model):
    """What was learnt by acting. A premature answer and a decision that could not be read gain nothing."""

    taken: Figure | None = Field(
        description="Expected information an action along the chosen way, over that of the best one; 1: always best."
    )
    regret: Figure | None = Field(description="The difference of the two, on average [bit an action].")
    best: Figure | None = Field(description="How often the best action was chosen, or one as good.")
    igr: Figure | None = Field(
        description="IGR: how often something that the question asks about came into view for the first time."
    )
    igr_with_empty: Figure | None = Field(
        description="The same where it counts, too, to see that a place is empty, if that tells of the answer."
    )


class StepGain(Model):
    """What was learnt by one decision, as long as what was seen did not suffice."""

    step: int = Field(description="Number of the decision, from 0.")
    decisions: int = Field(description="Of so many scenes.")
    taken: float = Field(description="Expected information an action along the chosen way, on average [bit an action].")
    best: float = Field(description="The same along the best way.")


def per_step(played: Sequence[Played]) -> tuple[StepGain, ...]:
    """What each decision gained, one by one, beside what an ideal observer would have gained in its place."""
    found: dict[int, list[StepRecord]] = {}
    for one in played:
        for number, step in enumerate(one.decisions):
            if not step.privileged.sufficient:
                found.setdefault(number, []).append(step)
    return tuple(
        StepGain(
            step=number,
            decisions=len(steps),
            taken=math.fsum(_value(step) for step in steps) / len(steps),
            best=math.fsum(_best(step) for step in steps) / len(steps),
        )
        for number, steps in sorted(found.items())
    )


def gain(played: Sequence[Played]) -> Gain:
    """What was learnt by acting in some scenes."""
    steps = [(step, one.cluster) for one in played for step in one.decisions if not step.privileged.sufficient]
    clusters: list[Hashable] = [cluster for _, cluster in steps]
    taken = [_value(step) for step, _ in steps]
    best = [_best(step) for step, _ in steps]
    return Gain(
        taken=ratio(taken, best, clusters),
        regret=ratio([b - a for a, b in zip(taken, best, strict=True)], [1.0] * len(steps), clusters),
        best=share([step.letter in step.privileged.best for step, _ in steps], clusters),
        igr=share([bool(step.privileged.unhidden) for step, _ in steps], clusters),
        igr_with_empty=share([_gain(step) > _SOME for step, _ in steps], clusters),
    )


def _value(step: StepRecord) -> float:
    return 0.0 if step.letter is None else step.privileged.values.get(step.letter, 0.0)


def _best(step: StepRecord) -> float:
    return max(step.privileged.values.values(), default=0.0)


def _gain(step: StepRecord) -> float:
    return 0.0 if step.letter is None else step.privileged.gains.get(step.letter, 0.0)
