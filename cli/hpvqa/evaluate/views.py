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
    odds = [logprobs["left"] - logprobs["right"] for logprobs in views if logprobs is not None]
    return p_left({"left": math.fsum(odds) / len(odds), "right": 0.0}) if odds else None


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
        p = None if None in logprobs else pool(logprobs)
        if p is not None:
            choice = likelier(p)
            changes = {"prediction": choice, "is_correct": choice == views[0].answer, "p_left": p, "logprobs": None}
            found.append(views[0].model_copy(update=changes))
    return found
