"""Counting correct answers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from hpvqa.commands.eval_table import score_grid
from hpvqa.commands.grid_table import print_grid
from hpvqa.evaluate.gaps import gap_bins
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.score import Cell, failures, score
from hpvqa.scene.spec import SIDES
from tests.scored_rows import PUBLISHED, chances, predictions, published_internvl, views
from tests.scored_rows import row as make_row


def by_name(cells: list[Cell]) -> dict[tuple[str | None, str, str], Cell]:
    return {(cell.task, cell.by, cell.value): cell for cell in cells}


def shown(rows: list[Prediction]) -> str:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    print_grid(score_grid(score(rows), "a model on a data set"), console)
    return console.export_text()


@given(st.lists(predictions(), max_size=40))
@pytest.mark.slow
def test_cells_add_up(rows: list[Prediction]) -> None:
    cells = score(rows)
    whole = {cell.task: cell for cell in cells if cell.by == "all"}
    tasks = {row.task for row in rows}
    counts = ("n", "correct", "invalid", "majority")
    assert whole[None].n + len(failures(rows)) == len(rows)
    assert whole[None].correct == sum(row.is_correct for row in rows)
    assert whole[None].invalid == sum(row.invalid for row in rows)
    for name in counts:
        assert getattr(whole[None], name) == sum(getattr(whole[task], name) for task in tasks)
    for task in tasks:
        assert whole[task].n == sum(row.task == task and not row.error for row in rows)
        known = [row for row in rows if row.task == task and row.gap is not None and not row.error]
        of_gap = [cell for cell in cells if (cell.task, cell.by) == (task, "gap")]
        assert sum(cell.n for cell in of_gap) == len(known)
        for by in ("side", "camera"):
            parts = [cell for cell in cells if (cell.task, cell.by) == (task, by)]
            for name in counts:
                assert sum(getattr(cell, name) for cell in parts) == getattr(whole[task], name)
    for cell in cells:
        assert cell.accuracy == (cell.correct / cell.n if cell.n else None)
        assert cell.episodes <= cell.n
        assert cell.correct + cell.invalid <= cell.n
        assert 0 <= cell.effective_n <= cell.n
        assert (cell.interval is None) == (cell.n == 0)


@given(st.lists(predictions(), min_size=1, max_size=40))
@pytest.mark.slow
def test_an_answer_that_is_no_word_is_wrong_and_a_failed_row_does_not_count(rows: list[Prediction]) -> None:
    cells = by_name(score(rows))
    for task in {row.task for row in rows}:
        for side in SIDES:
            wanted = [row for row in rows if (row.task, row.answer, row.error) == (task, side, None)]
            cell = cells[task, "side", side]
            assert (cell.correct, cell.n) == (sum(row.prediction == side for row in wanted), len(wanted))


@given(st.lists(predictions(), max_size=30), chances)
@pytest.mark.slow
def test_the_order_of_rows_does_not_matter(rows: list[Prediction], chance: random.Random) -> None:
    shuffled = rows.copy()
    chance.shuffle(shuffled)
    assert by_name(score(rows)) == pytest.approx(by_name(score(shuffled)))


def test_cells_come_from_the_seed() -> None:
    assert score(published_internvl(), seed=1) == score(published_internvl(), seed=1)
    assert score(published_internvl(), seed=1) != score(published_internvl(), seed=2)


def test_the_published_answers_and_how_sure_they_are() -> None:
    cells = by_name(score(published_internvl()))
    push, drop = cells["push", "all", "all"], cells["drop", "all", "all"]
    assert (push.correct, push.n, push.episodes) == (115, 217, 31)
    assert (drop.correct, drop.n, drop.episodes) == (106, 175, 25)
    assert drop.majority_accuracy == pytest.approx(0.6)
    sides = {key: (cells[key].correct, cells[key].n, cells[key].majority) for key in cells if key[1] == "side"}
    assert sides == {
        ("push", "side", "left"): (112, 112, 112),
        ("push", "side", "right"): (3, 105, 0),
        ("drop", "side", "left"): (102, 105, 105),
        ("drop", "side", "right"): (4, 70, 0),
    }
    # Nearly every episode is wholly right or wholly wrong: rows are worth little more than episodes.
    assert push.interval is not None
    assert push.interval.method == "cluster bootstrap"
    assert push.interval.low == pytest.approx(0.35, abs=0.02)
    assert push.interval.high == pytest.approx(0.71, abs=0.02)
    assert 31 < push.effective_n < 34
    left = cells["push", "side", "left"]
    assert left.interval is not None
    assert (left.interval.method, left.effective_n) == ("Clopper-Pearson", 16)
    assert left.interval.low == pytest.approx(0.025 ** (1 / 16))
    camera = cells["push", "camera", "c0"]
    assert camera.interval is not None
    assert (camera.interval.method, camera.episodes) == ("Clopper-Pearson", 31)
    assert camera.effective_n == pytest.approx(31)


@pytest.mark.skipif(not PUBLISHED, reason="HPVQA_PUBLISHED names no folder of the published predictions")
def test_the_published_files() -> None:
    from hpvqa.report.reading import read_runs

    found = {run.name: by_name(score(run.main)) for run in read_runs(PUBLISHED)}
    counts = {
        (name, task): (
            cells[task, "all", "all"].correct,
            cells[task, "all", "all"].n,
            cells[task, "all", "all"].episodes,
        )
        for name, cells in found.items()
        for task in ("push", "drop")
    }
    assert counts == {
        ("internvl", "push"): (115, 217, 31),
        ("internvl", "drop"): (106, 175, 25),
        ("qwen", "push"): (108, 217, 31),
        ("qwen", "drop"): (79, 175, 25),
    }
    ours = by_name(score(published_internvl()))
    for side in SIDES:
        for task in ("push", "drop"):
            assert found["internvl"][task, "side", side] == ours[task, "side", side]


def test_the_majority_is_the_more_frequent_true_answer_of_the_task() -> None:
    rows = [
        *views("right", "rr", 0),
        *views("left", "ll", 1),
        *views("right", "ll", 2),
        make_row("left", None, 3, error="x"),
    ]
    cells = by_name(score(rows))
    assert (cells["push", "all", "all"].majority, cells["push", "all", "all"].n) == (4, 6)
    assert cells["push", "side", "left"].majority == 0
    assert cells[None, "all", "all"].majority == 4
    tied = by_name(score([*views("right", "ll", 0), *views("left", "ll", 1)]))
    assert [tied["push", "side", side].majority for side in SIDES] == [2, 0]


def test_bins_hold_about_equally_many_episodes() -> None:
    gaps = [0.2 + 0.01 * number for number in range(40)]
    bins = gap_bins(gaps)
    assert [sum(found.holds(gap) for gap in gaps) for found in bins] == [10, 10, 10, 10]
    assert [found.label for found in bins] == ["0.20–0.30", "0.30–0.40", "0.40–0.49", "0.49–0.59"]
    assert gap_bins([]) == []
    assert [found.label for found in gap_bins([0.25] * 9)] == ["0.25–0.25"]
    assert len(gap_bins(gaps[:9])) == 2
    assert [found.label for found in gap_bins([0.001, 0.002, 0.002, 0.003] * 2)] == ["0.001–0.002", "0.002–0.003"]


@given(st.lists(st.floats(0, 2), min_size=1, max_size=40))
def test_every_gap_is_in_one_bin(gaps: list[float]) -> None:
    bins = gap_bins(gaps)
    assert {sum(found.holds(gap) for found in bins) for gap in gaps} == {1}
    assert 1 <= len(bins) <= 4


def test_episodes_without_a_gap_make_no_bins() -> None:
    cells = score([*views("left", "ll", 0), *views("right", "ll", 1)])
    assert "gap" not in {cell.by for cell in cells}


@given(st.lists(predictions(), max_size=40))
@pytest.mark.slow
def test_the_table_fits_a_terminal(rows: list[Prediction]) -> None:
    text = shown(rows)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def test_the_table_says_what_must_be_known() -> None:
    rows = [p.model_copy(update={"camera": "front_right_narrow"}) for p in published_internvl() if p.camera == "c1"]
    lines = [line.split() for line in shown([*rows, *views("left", "-", 40)]).splitlines()]
    assert ["front_right_narrow", "0.516", "0.33–0.70", "0.516", "16/31", "31", "31.0"] in lines
    text = " ".join(" ".join(line) for line in lines)
    assert "1 answer was none of the choices and counts as wrong." in text
    assert "views of one episode are not independent" in text
    assert "none of the choices" not in shown(rows)


def test_a_table_of_few_episodes_has_no_lines_by_gap() -> None:
    few, enough = ([make_row("left", "left", number, gap=number / 10) for number in range(count)] for count in (7, 8))
    assert "gap " not in shown(few)
    assert "gap " in shown(enough)
