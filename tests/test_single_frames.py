"""What single pictures hold, by an observer who knows where everything is in them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from hpvqa.record.episode import find_episodes
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.tasks import TASKS
from research.frames.__main__ import MARK, main, text
from research.frames.jitter import last_alone
from research.frames.measure import CHOICES, Judged, judge
from research.page import END
from tests.needs import ROOT, long_but
from tests.shared import PUSHES
from tests.test_frame_oracle import odds
from tests.worlds import Run, run, sample


@cache
def whole(task: str) -> tuple[EpisodeSpec, Run, float]:
    """An episode, and the time of its last picture."""
    spec = sample(task, 2)
    found = run(spec)
    return spec, found, (len(found.rows["time"]) - 1) / 60


@pytest.mark.parametrize("task", long_but(["push", "slide", "balance"]))
def test_what_was_moved_lies_there_in_the_last_picture(task: str) -> None:
    spec, found, last = whole(task)
    alone = odds(spec, found, [last])
    assert ("left" if alone > 0 else "right") == TASKS[task].answer(spec)
    assert abs(alone) > 2
    # With a picture of the start, the observer need not guess where things stood.
    assert abs(odds(spec, found, [0.0, last])) >= abs(alone) - 1e-6


@pytest.mark.long
@pytest.mark.parametrize("task", ["weigh", "press"])
def test_what_was_lifted_or_pressed_shows_nothing_in_the_last_picture(task: str) -> None:
    spec, found, last = whole(task)
    assert odds(spec, found, [last]) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("task", long_but(TASKS, "push"))
def test_the_first_picture_shows_nothing(task: str) -> None:
    spec = sample(task, 2)
    assert odds(spec, whole(task)[1], [0.0]) == pytest.approx(0.0, abs=1e-9)


def test_pushes_on_disk(filmed: Path) -> None:
    found = judge(find_episodes(filmed))
    assert {one.choice for one in found} == CHOICES.keys()
    by_choice = {name: [one for one in found if one.choice == name] for name in CHOICES}
    assert {len(judged) for judged in by_choice.values()} == {PUSHES}
    assert [one.odds for one in by_choice["first"]] == [0.0] * PUSHES
    assert sum(one.correct for one in by_choice["first"]) == PUSHES // 2
    for name in ("last", "uniform, 2 a second", "uniform, 4 frames", "motion"):
        assert all(one.correct for one in by_choice[name]), name


def test_the_command_writes_the_table(filmed: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{MARK}\nold\n{END}\nafter\n")
    assert CliRunner().invoke(main, [str(filmed), "--page", str(page)], catch_exceptions=False).exit_code == 0
    lines = page.read_text().splitlines()
    assert "| frames | `push` |" in lines
    half, all_ = {2: ("1/2 (0.01–0.99)", "2/2 (0.16–1.00)"), 4: ("2/4 (0.07–0.93)", "4/4 (0.40–1.00)")}[PUSHES]
    assert f"| first | {half}, 0 sure |" in lines
    assert any(line.startswith(f"| last | {all_}, ") for line in lines)
    assert lines[0] == "before"
    assert lines[-1] == "after"


def test_tasks_are_columns() -> None:
    found = [Judged(task, "last", task == "push", 5.0) for task in ("drop", "push")]
    (line,) = (line for line in text(found).splitlines() if line.startswith("| last"))
    # Half a way between two hundredths: 0.025 and 0.975 are rounded as they come out.
    assert re.fullmatch(r"\| last \| 1/1 \(0\.0[23]–1\.00\), 1 sure \| 0/1 \(0\.00–0\.9[78]\), 1 sure \|", line)


def test_episodes_without_clips_are_refused(moved: Path) -> None:
    with pytest.raises(ValueError, match="has no clips"):
        judge(find_episodes(moved))


@pytest.mark.parametrize("task", ["push", "slide"])
def test_no_start_on_the_table_leaves_the_last_picture_at_chance(task: str) -> None:
    """The figures of docs/dataset.md."""
    found = {jitter: last_alone(TASKS[task], jitter) for jitter in (0.01, 0.06, 0.3)}
    assert found[0.01] == 1
    assert found[0.06] == pytest.approx(0.95, abs=0.01)
    assert found[0.3] == pytest.approx(0.62, abs=0.02)


def test_nobody_is_told_that_no_picture_holds_the_answer() -> None:
    """Neither on a page, nor in help, nor in a report: the last picture of three tasks does."""
    kinds = {".py", ".md", ".toml", ".yaml"}
    pages = [path for name in ("cli", "exts", "docs") for path in (ROOT / name).rglob("*") if path.suffix in kinds]
    for path in (*pages, *(ROOT / name for name in ("README.md", "pyproject.toml", "zensical.toml"))):
        # Sentences go on over lines, and in code over strings.
        said = re.sub(r"[\s\"]+", " ", path.read_text(encoding="utf-8"))
        assert not re.search("no single picture shows|what a picture cannot|seen in any single picture", said), path
