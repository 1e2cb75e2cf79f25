"""Two runs on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.errors import UsageError
from hpvqa.evaluate.compare import compare
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.statistics.combine import difference_interval
from tests.scored_rows import predictions, row, views


def run(words: list[str], task: str = "push") -> list[Prediction]:
    """Left is true in every episode."""
    return [found for number, letters in enumerate(words) for found in views("left", letters, number, task=task)]


def test_by_hand() -> None:
    a = run(["rrr", "rrr", "rll", "lll"])
    b = run(["lll", "lll", "lll", "rrr"])
    whole, *cameras = compare(a, b)
    assert (whole.task, whole.by, whole.value) == ("push", "all", "all")
    assert (whole.a, whole.b) == pytest.approx((5 / 12, 9 / 12))
    assert whole.difference == pytest.approx(4 / 12)
    assert (whole.n, whole.episodes, whole.unpaired, whole.p_holm) == (12, 4, 0, None)
    # Sums of episodes 3, 3, 1, -3: of 16 choices of signs, 10 lead as far from 0 as 4 does.
    assert whole.p_exchangeable == pytest.approx(10 / 16)
    assert whole.p_exchangeable <= whole.p < 1
    assert whole.interval.low < whole.difference < whole.interval.high
    assert [found.value for found in cameras] == ["c0", "c1", "c2"]
    assert [found.n for found in cameras] == [4, 4, 4]
    assert [found.p_exchangeable for found in cameras] == [10 / 16, 1, 1]
    assert [found.p_holm for found in cameras] == [1, 1, 1]


def test_views_of_an_episode_are_no_evidence_of_their_own() -> None:
    one, seven = (compare(run(["r" * views_] * 6), run(["l" * views_] * 6))[0] for views_ in (1, 7))
    assert one.p == seven.p == 2 / 2**6
    assert seven.effective_n == 6
    assert seven.interval.low < 0.6


def test_holm_is_over_the_cameras_of_a_task() -> None:
    better = run(["r"] * 12), run(["l"] * 12)
    found = compare([*better[0], *run(["rr"] * 12, "drop")], [*better[1], *run(["lr"] * 12, "drop")])
    p = {(c.task, c.value): (c.p, c.p_holm) for c in found if c.by == "camera"}
    alone = 2 / 2**12
    assert p == {("push", "c0"): (alone, alone), ("drop", "c0"): (alone, 2 * alone), ("drop", "c1"): (1, 1)}


def test_only_rows_that_both_answered_are_compared() -> None:
    a = [*run(["ll", "ll"]), row("left", None, 5, "c0", error="does not decode"), row("left", "left", 6, "c0")]
    b = [*run(["rr", "rr"]), row("left", "left", 5, "c0"), row("left", "right", 7, "c1")]
    whole, first, second = compare(a, b)
    assert (whole.n, whole.unpaired, whole.difference) == (4, 3, -1)
    assert (first.n, first.unpaired, second.n, second.unpaired) == (2, 2, 2, 1)


def test_rows_of_other_splits_are_other_rows() -> None:
    a, b = run(["l"]), [found.model_copy(update={"split": "train"}) for found in run(["l"])]
    with pytest.raises(UsageError, match="no answered row in common"):
        compare(a, b)
    with pytest.raises(UsageError):
        compare([], [])


def test_equal_runs_do_not_differ_and_are_not_proved_equal() -> None:
    a = run(["lrl"] * 8)
    whole = compare(a, a)[0]
    assert (whole.difference, whole.p) == (0, 1)
    assert whole.interval.low < -0.2
    assert whole.interval.high > 0.2


def test_interval_and_test_agree_on_four_episodes() -> None:
    """Of four episodes that all gain, the interval alone leaves 0 out, and no p below 0.125 is possible."""
    a, b = run(["rrrrrrr", "rrrrrrl", "rrrrrll", "rrrrlll"]), run(["lllllll"] * 4)
    clusters = [found.cluster for found in a]
    alone = difference_interval([int(y.is_correct) - int(x.is_correct) for x, y in zip(a, b, strict=True)], clusters)
    assert alone.low > 0
    whole = compare(a, b)[0]
    assert (whole.p, whole.interval.low, whole.interval.high) == (0.125, 0, alone.high)
    assert whole.few
    back = compare(b, a)[0]
    assert (back.interval.low, back.interval.high) == (-alone.high, 0)


def test_interval_and_test_agree_on_runs_that_err_in_different_ways() -> None:
    """No episode fails as a whole here, but one may: all changes have one sign, and that is not enough."""
    a = run(["l" * 7] * 15)
    b = run(["r" + "l" * 6 if number % 3 else "l" * 7 for number in range(15)])
    whole = compare(a, b)[0]
    assert whole.p_exchangeable == 2 / 2**10
    assert whole.p > 0.05
    assert whole.interval.low < 0 < whole.interval.high
    assert not whole.few


@given(st.lists(predictions(), min_size=1, max_size=25, unique_by=lambda found: found.file_name), st.data())
@pytest.mark.slow
def test_neither_the_order_nor_the_side_of_a_comparison_matters(a: list[Prediction], data: st.DataObject) -> None:
    flips = data.draw(st.lists(st.booleans(), min_size=len(a), max_size=len(a)))
    b = [
        found.model_copy(update={"is_correct": not found.is_correct}) if flip and found.error is None else found
        for found, flip in zip(a, flips, strict=True)
    ]
    if all(found.error for found in a):
        return
    there = {(c.task, c.by, c.value): c for c in compare(a, b)}
    again = {(c.task, c.by, c.value): c for c in compare(a[::-1], b)}
    back = {(c.task, c.by, c.value): c for c in compare(b, a)}
    assert again.keys() == back.keys() == there.keys()
    for key, found in there.items():
        assert found.interval == again[key].interval
        assert (found.p, found.p_holm) == pytest.approx((again[key].p, again[key].p_holm))
        assert found.p == pytest.approx(back[key].p)
        assert found.difference == pytest.approx(-back[key].difference)


@pytest.mark.long
def test_false_alarms_are_as_rare_as_the_level_says() -> None:
    rng = np.random.default_rng(8)
    alarms = outside = 0
    for _ in range(120):
        shares = rng.beta(1, 1, (20, 1))
        a, b = (
            run(["".join("l" if right else "r" for right in views_) for views_ in rng.random((20, 4)) < shares])
            for _ in range(2)
        )
        whole = compare(a, b)[0]
        alarms += whole.p < 0.05
        outside += not whole.interval.low <= 0 <= whole.interval.high
    assert alarms <= 13
    assert outside <= 13
