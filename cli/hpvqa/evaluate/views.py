"""Several views of one event, taken together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hpvqa.dataset.rows import Cluster
from hpvqa.evaluate.prediction import Prediction, p_left
from hpvqa.scene.spec import Side


def pool(views: Sequence[Mapping[Side, float] | None]) -> float | None:
    """Probability of left by all views together.

    The log-odds of left against right are averaged, and not the probabilities: so one view that is sure outweighs
    several that hardly lean, and the order of the choices' names does not matter.

    Args:
        views: Log-probabilities of left and right; None for a view without.

    Returns:
        The probability; None if no view has any.
    """
    odds = _mean_odds(views)
    return None if odds is None else p_left({"left": odds, "right": 0.0})


def _mean_odds(views: Sequence[Mapping[Side, float] | None]) -> float | None:
    odds = [logprobs["left"] - logprobs["right"] for logprobs in views if logprobs is not None]
    return math.fsum(odds) / len(odds) if odds else None


def likelier(p: float) -> Side:
    """The likelier side, from the probability of left."""
    return "left" if p >= 0.5 else "right"


def pooled(rows: Sequence[Prediction]) -> list[Prediction]:
    """One answer an episode, by all of its views together; none where a view has no log-probabilities.

    Args:
        rows: Answered rows under one condition.

    Returns:
        A row an episode; empty if every episode was seen by one camera only.
    """
    episodes: dict[Cluster, list[Prediction]] = {}
    for row in rows:
        episodes.setdefault(row.cluster, []).append(row)
    if all(len(views) == 1 for views in episodes.values()):
        return []
    found = []
    for views in episodes.values():
        logprobs = [row.logprobs for row in views]
        odds = None if None in logprobs else _mean_odds(logprobs)
        if odds is not None:
            # Views that cancel out favour no side: that is no answer.
            choice: Side | None = "left" if odds > 0 else "right" if odds < 0 else None
            p = p_left({"left": odds, "right": 0.0})
            changes = {"prediction": choice, "is_correct": choice == views[0].answer, "p_left": p, "logprobs": None}
            found.append(views[0].model_copy(update=changes))
    return found
