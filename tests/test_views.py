"""Several views of one event, taken together."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.evaluate.chances import pool
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.score import score
from hpvqa.evaluate.views import pooled
from hpvqa.scene.spec import SIDES, Side
from tests.scored_rows import row

LOGPROB = st.floats(-200, 0)


@given(st.lists(st.tuples(LOGPROB, LOGPROB), min_size=1, max_size=8))
def test_pooling(pairs: list[tuple[float, float]]) -> None:
    views: list[dict[Side, float] | None] = [{"left": left, "right": right} for left, right in pairs]
    found = pool(views)
    assert found is not None
    mean = sum(left - right for left, right in pairs) / len(pairs)
    if abs(mean) > 1e-9:
        assert (found > 0.5) == (mean > 0)
    mirrored = pool([view and {"left": view["right"], "right": view["left"]} for view in views])
    assert mirrored == pytest.approx(1 - found, abs=1e-12)
    assert pool(views[::-1]) == found
    assert pool([*views, None]) == found
    # As many of the same change nothing.
    assert pool([*views, *views]) == pytest.approx(found, rel=1e-9)


def test_pooling_is_by_log_odds() -> None:
    sure: dict[Side, float] = {"left": math.log(0.98), "right": math.log(0.02)}
    hardly: dict[Side, float] = {"left": math.log(0.4), "right": math.log(0.6)}
    found = pool([sure, hardly])
    odds = math.sqrt(0.98 / 0.02 * 0.4 / 0.6)
    assert found == pytest.approx(odds / (1 + odds))
    assert pool([None]) is None
    assert pool([]) is None


def view(episode: int, camera: str, answer: Side, odds: float | None) -> Prediction:
    """A view whose log-odds of left are known."""
    logprobs: dict[Side, float] | None = None if odds is None else {"left": odds / 2 - 3, "right": -odds / 2 - 3}
    return row(answer, answer, episode, camera, logprobs=logprobs)


def test_views_of_an_episode_become_one_answer() -> None:
    rows = [
        view(0, "a", "left", 3.0),
        view(1, "a", "right", 1.0),
        view(0, "b", "left", -1.0),
        view(1, "b", "right", -0.5),
    ]
    found = pooled(rows)
    assert [(one.episode, one.prediction, one.is_correct) for one in found] == [(0, "left", True), (1, "left", False)]
    assert found[0].p_left == pytest.approx(1 / (1 + math.exp(-1.0)))
    cell = next(cell for cell in score(rows) if cell.by == "pooled")
    assert (cell.correct, cell.n, cell.episodes) == (1, 2, 2)
    assert cell.interval is not None
    assert cell.interval.method == "Clopper-Pearson"


def test_views_that_cancel_out_are_no_answer_whichever_side_is_true() -> None:
    for answer in SIDES:
        (found,) = pooled([view(0, "a", answer, 1.5), view(0, "b", answer, -1.5)])
        assert (found.prediction, found.is_correct, found.invalid, found.p_left) == (None, False, True, 0.5)


def test_an_episode_with_a_view_without_probabilities_is_left_out() -> None:
    rows = [view(0, "a", "left", 3.0), view(0, "b", "left", None), view(1, "a", "left", 1.0), view(1, "b", "left", 1.0)]
    assert [one.episode for one in pooled(rows)] == [1]


def test_one_view_of_each_episode_is_not_pooled() -> None:
    rows = [view(0, "a", "left", 3.0), view(1, "a", "left", -3.0)]
    assert pooled(rows) == []
    assert not any(cell.by == "pooled" for cell in score(rows))
