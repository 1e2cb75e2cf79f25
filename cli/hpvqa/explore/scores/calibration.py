"""Whether an agent's probabilities of the answers are those of an ideal observer."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import Field

from hpvqa.explore.runs.record import Played, StepRecord
from hpvqa.explore.scores.figure import Figure, ratio
from hpvqa.plain import Model


class Calibration(Model):
    """How far an agent's probabilities of the answers are from the exact ones, over all decisions that have any."""

    brier: Figure = Field(description="Sum of the squared differences, on average: from 0 to 2.")
    divergence: Figure = Field(description="Of the exact ones from the agent's (Kullback and Leibler) [bit].")


def believed(step: StepRecord) -> dict[str, float] | None:
    """The agent's probability of each answer, if it were to answer now; None where it has none."""
    if step.logprobs is None:
        return None
    found = {
        option.action.target: step.logprobs[option.letter]
        for option in step.options
        if option.action.kind == "answer" and option.letter in step.logprobs
    }
    most = max(found.values(), default=0.0)
    weights = {word: math.exp(value - most) for word, value in found.items()}
    total = math.fsum(weights.values())
    return {word: weight / total for word, weight in weights.items()} if total > 0 else None


def calibration(played: Sequence[Played]) -> Calibration | None:
    """How far probabilities are from the exact ones; None where the agent has none."""
    found = [(step, one.cluster) for one in played for step in one.decisions if believed(step) is not None]
    if not found:
        return None
    brier, divergence = [], []
    for step, _ in found:
        said, exact = believed(step) or {}, step.privileged.posterior
        brier.append(math.fsum((chance - exact.get(word, 0.0)) ** 2 for word, chance in said.items()))
        divergence.append(
            math.fsum(p * math.log2(p / max(said.get(word, 0.0), 1e-12)) for word, p in exact.items() if p > 0)
        )
    ones, clusters = [1.0] * len(found), [cluster for _, cluster in found]
    a, b = ratio(brier, ones, clusters), ratio(divergence, ones, clusters)
    return None if a is None or b is None else Calibration(brier=a, divergence=b)
