"""What was learnt by acting: all measured while what was seen did not suffice."""

from __future__ import annotations

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


def gain(played: Sequence[Played]) -> Gain:
    """What was learnt by acting in some scenes."""
    steps = [(step, one.cluster) for one in played for step in one.decisions if not step.privileged.sufficient]
    clusters: list[Hashable] = [cluster for _, cluster in steps]
    taken = [_value(step) for step, _ in steps]
    best = [max(step.privileged.values.values(), default=0.0) for step, _ in steps]
    return Gain(
        taken=ratio(taken, best, clusters),
        regret=ratio([b - a for a, b in zip(taken, best, strict=True)], [1.0] * len(steps), clusters),
        best=share([step.letter in step.privileged.best for step, _ in steps], clusters),
        igr=share([bool(step.privileged.unhidden) for step, _ in steps], clusters),
        igr_with_empty=share([_gain(step) > _SOME for step, _ in steps], clusters),
    )


def _value(step: StepRecord) -> float:
    return 0.0 if step.letter is None else step.privileged.values.get(step.letter, 0.0)


def _gain(step: StepRecord) -> float:
    return 0.0 if step.letter is None else step.privileged.gains.get(step.letter, 0.0)
