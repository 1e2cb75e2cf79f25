"""Which failures are looked at first."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hpvqa.evaluate.prediction import Prediction
from hpvqa.report.failures import failures_of, kind_of
from hpvqa.scene.spec import SIDES


@st.composite
def predictions(draw: st.DrawFn) -> Prediction:
    answer = draw(st.sampled_from(SIDES))
    said = draw(st.sampled_from([*SIDES, None]))
    return Prediction(
        file_name=f"{draw(st.integers(0, 99))}.mp4",
        question="?",
        answer=answer,
        prediction=said,
        is_correct=said == answer,
        split="eval",
        task=draw(st.sampled_from(["push", "drop"])),
        source="data",
        episode=0,
        camera=draw(st.sampled_from("abc")),
        gap=draw(st.none() | st.floats(0, 4)),
        choices=SIDES,
        logprobs=None,
        p_left=None if said is None else draw(st.none() | st.floats(0, 1)),
        text="",
        seconds=0.0,
        error=draw(st.sampled_from([None, "broken"])) if said is None else None,
    )


@given(st.lists(predictions(), max_size=60), st.integers(1, 30))
def test_any_number_of_them_is_spread_evenly(rows: list[Prediction], count: int) -> None:
    found = failures_of(rows)
    assert Counter(id(row) for row in found) == Counter(id(row) for row in rows if kind_of(row) is not None)
    there = Counter((row.task, row.camera) for row in found)
    shown = Counter((row.task, row.camera) for row in found[:count])
    for group, number in there.items():
        # A group with fewer than another one has been shown whole, or its turn is next.
        assert shown[group] == number or shown[group] >= max(shown.values()) - 1


@given(st.lists(predictions(), max_size=60))
def test_the_most_telling_come_first(rows: list[Prediction]) -> None:
    found = failures_of(rows)
    order = {"failed": 0, "invalid": 1, "wrong": 2}
    for group in {(row.task, row.camera) for row in found}:
        mine = [row for row in found if (row.task, row.camera) == group]
        kinds = [order[kind_of(row) or ""] for row in mine]
        assert kinds == sorted(kinds)
        sure = [abs(row.p_left - 0.5) for row in mine if kind_of(row) == "wrong" and row.p_left is not None]
        assert sure == sorted(sure, reverse=True)
