"""Counting right answers."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.score import failures, score
from hpvqa.evaluate.table import score_table
from hpvqa.scene.spec import SIDES

CAMERAS = {"push": ("a", "b"), "drop": ("a", "c")}


@st.composite
def predictions(draw: st.DrawFn) -> Prediction:
    task = draw(st.sampled_from(sorted(CAMERAS)))
    answer = draw(st.sampled_from(SIDES))
    given = draw(st.sampled_from([*SIDES, None]))
    return Prediction(
        file_name="clip.mp4",
        question="?",
        answer=answer,
        prediction=given,
        is_correct=given == answer,
        split="eval",
        task=task,
        source="data",
        episode=draw(st.integers(0, 3)),
        camera=draw(st.sampled_from(CAMERAS[task])),
        choices=SIDES,
        logprobs=None,
        p_left=None,
        text="",
        seconds=0.0,
        error=draw(st.sampled_from([None, "does not decode"])) if given is None else None,
    )


@given(st.lists(predictions(), max_size=40))
def test_cells_add_up(rows: list[Prediction]) -> None:
    cells = score(rows)
    whole = {cell.task: cell for cell in cells if cell.by == "all"}
    assert whole[None].n + len(failures(rows)) == len(rows)
    assert whole[None].correct == sum(row.is_correct for row in rows)
    for task in {row.task for row in rows}:
        assert whole[task].n == sum(row.task == task and not row.error for row in rows)
        for by in ("side", "camera"):
            parts = [cell for cell in cells if (cell.task, cell.by) == (task, by)]
            assert sum(cell.n for cell in parts) == whole[task].n
            assert sum(cell.correct for cell in parts) == whole[task].correct
    for cell in cells:
        assert cell.accuracy == (cell.correct / cell.n if cell.n else None)
        assert cell.episodes <= cell.n


@given(st.lists(predictions(), min_size=1, max_size=40))
def test_an_answer_that_is_no_word_is_wrong_and_a_failed_row_does_not_count(rows: list[Prediction]) -> None:
    answered = Counter(row.answer for row in rows if row.error is None)
    for task in {row.task for row in rows}:
        for side in SIDES:
            (cell,) = [c for c in score(rows) if (c.task, c.by, c.value) == (task, "side", side)]
            wanted = [row for row in rows if (row.task, row.answer, row.error) == (task, side, None)]
            assert (cell.correct, cell.n) == (sum(row.prediction == side for row in wanted), len(wanted))
    assert answered.total() == score(rows)[0].n


@given(st.lists(predictions(), max_size=40))
def test_the_table_fits_a_terminal(rows: list[Prediction]) -> None:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(score_table(score(rows), "a model on a data set"))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
