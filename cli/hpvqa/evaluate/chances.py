"""Probabilities of both sides, from what an answerer says of its choices; apart from the models of files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hpvqa.scene.spec import Side
from hpvqa.vlm.protocol import Answer


def probabilities(answer: Answer) -> tuple[float | None, float | None]:
    """Probability of ``left`` among the choices, and that one of them is said at all; None where none are known."""
    logprobs, shares = answer.logprobs, answer.shares
    if logprobs is not None:
        return p_left(logprobs), min(sum(math.exp(value) for value in logprobs.values()), 1.0)
    if shares is None:
        return None, None
    total = math.fsum(shares.values())
    return (shares.get("left", 0.0) / total if total else None), min(total, 1.0)


def p_left(logprobs: Mapping[Side, float]) -> float:
    """Probability of ``left`` once it is known that the answer is one of the choices."""
    difference = logprobs["right"] - logprobs["left"]
    return 1.0 / (1.0 + math.exp(difference)) if difference < 700 else 0.0


def pool(views: Sequence[Mapping[Side, float] | None]) -> float | None:
    """Probability of left by all views together.

    The log-odds of left against right are averaged, and not the probabilities: so one view that is sure outweighs
    several that hardly lean, and the order of the choices' names does not matter.

    Args:
        views: Log-probabilities of left and right; None for a view without.

    Returns:
        The probability; None if no view has any.
    """
    odds = mean_odds(views)
    return None if odds is None else p_left({"left": odds, "right": 0.0})


def mean_odds(views: Sequence[Mapping[Side, float] | None]) -> float | None:
    """The log-odds of left that :func:`pool` averages, from the same argument."""
    odds = [logprobs["left"] - logprobs["right"] for logprobs in views if logprobs is not None]
    return math.fsum(odds) / len(odds) if odds else None


def likelier(p: float) -> Side:
    """The likelier side, from the probability of left."""
    return "left" if p >= 0.5 else "right"
