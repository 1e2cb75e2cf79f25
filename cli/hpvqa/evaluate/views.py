"""Several views of one event, taken together."""

from __future__ import annotations

from collections.abc import Sequence

from hpvqa.dataset.rows import Cluster
from hpvqa.evaluate.chances import mean_odds, p_left
from hpvqa.evaluate.prediction import Prediction
from hpvqa.scene.spec import Side


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
        odds = None if None in logprobs else mean_odds(logprobs)
        if odds is not None:
            # Views that cancel out favour no side: that is no answer.
            choice: Side | None = "left" if odds > 0 else "right" if odds < 0 else None
            p = p_left({"left": odds, "right": 0.0})
            changes = {"prediction": choice, "is_correct": choice == views[0].answer, "p_left": p, "logprobs": None}
            found.append(views[0].model_copy(update=changes))
    return found
