"""The stream of progress events, and what the terminal makes of it."""

from __future__ import annotations

import io
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from rich.console import Console

from hpvqa.errors import RunError, UsageError
from hpvqa.progress.events import Event, Frames, Start
from hpvqa.progress.reporter import Reporter, reporting
from hpvqa.progress.terminal import Lines, Tracker
from tests.recorder import Recorder

DOCS = Path(__file__).parents[1] / "docs" / "progress.md"
EVENTS: TypeAdapter[Event] = TypeAdapter(Event)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Closing(Recorder):
    """Keeps that it was closed, too."""

    def close(self) -> None:
        """Keep it."""
        self.events.append(Start(time=0, activity="closed", unit="", total=0, done=0))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seen() -> Recorder:
    return Closing()


@pytest.fixture
def reporter(clock: Clock, seen: Recorder) -> Reporter:
    return Reporter([seen], clock)


def test_items_count_up_from_what_was_there(reporter: Reporter, seen: Recorder, clock: Clock) -> None:
    reporter.start("collect", "episodes", total=5, done=3)
    clock.now += 2
    reporter.item("push/000/episode-000003", ok=False, tries=3, message="missed")
    reporter.done()
    dumped = [event.model_dump(exclude_none=True) for event in seen.events]
    assert dumped == [
        {
            "time": 1000.0,
            "event": "start",
            "version": 1,
            "activity": "collect",
            "unit": "episodes",
            "total": 5,
            "done": 3,
        },
        {
            "time": 1002.0,
            "event": "item",
            "name": "push/000/episode-000003",
            "ok": False,
            "tries": 3,
            "message": "missed",
            "done": 4,
            "total": 5,
        },
        {"time": 1002.0, "event": "done", "status": "finished", "done": 4, "total": 5, "seconds": 2.0},
    ]


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_frames_are_reported_at_most_once_a_second(pauses: list[float]) -> None:
    clock, seen = Clock(), Recorder()
    reporter = Reporter([seen], clock)
    reporter.start("collect", "episodes", total=1)
    for count, pause in enumerate(pauses, start=1):
        clock.now += pause
        reporter.frames(7 * count)
    times = [1000.0, *(event.time for event in seen.events if isinstance(event, Frames))]
    assert all(later - earlier >= 1 for earlier, later in itertools.pairwise(times))


def test_the_rate_of_frames_is_recent(reporter: Reporter, seen: Recorder, clock: Clock) -> None:
    reporter.start("collect", "episodes", total=1)
    reporter.frames(0)
    assert len(seen.events) == 1
    frames = 0
    for rate in [10] * 20 + [70] * 20:
        clock.now += 1
        frames += rate
        reporter.frames(frames)
    rates = [event.per_second for event in seen.events if isinstance(event, Frames)]
    assert rates[0] == rates[19] == 10
    assert rates[-1] == 70


def test_a_new_activity_counts_anew(reporter: Reporter, seen: Recorder, clock: Clock) -> None:
    for activity in ("collect", "build"):
        reporter.start(activity, "episodes", total=2)
        clock.now += 1
        reporter.frames(30)
        reporter.item("x")
        reporter.done()
    assert [event.model_dump(exclude={"time", "activity"}) for event in seen.events[:4]] == [
        event.model_dump(exclude={"time", "activity"}) for event in seen.events[4:]
    ]


def test_the_file_has_one_event_a_line_at_once(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "progress.jsonl"
    with reporting(Console(file=io.StringIO()), path, clock) as reporter:
        reporter.start("collect", "episodes", total=2)
        assert json.loads(path.read_text())["event"] == "start"
        reporter.item("push/000/episode-000000")
        reporter.note("a note")
        reporter.warning("a warning\nof two lines")
        assert len(path.read_text().splitlines()) == 4
        reporter.done()
    events = [EVENTS.validate_json(line) for line in path.read_text().splitlines()]
    assert [event.event for event in events] == ["start", "item", "note", "warning", "done"]


def test_an_error_ends_the_stream_as_failed(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "progress.jsonl"

    def fail() -> None:
        with reporting(Console(file=io.StringIO()), path, clock) as reporter:
            reporter.start("collect", "episodes", total=2)
            raise RunError("The disk is full")

    with pytest.raises(RunError):
        fail()
    last = json.loads(path.read_text().splitlines()[-1])
    assert (last["event"], last["status"], last["message"]) == ("done", "failed", "The disk is full")


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path, clock: Clock) -> None:
    with (
        pytest.raises(UsageError, match=r"progress file .* cannot be written: No such file"),
        reporting(Console(file=io.StringIO()), tmp_path / "nowhere" / "progress.jsonl", clock),
    ):
        pytest.fail("the block should not run")


def test_a_full_disk_ends_the_file_and_not_the_work(clock: Clock) -> None:
    stream = io.StringIO()
    with reporting(Console(file=stream, width=200), Path("/dev/full"), clock) as reporter:
        reporter.start("collect", "episodes", total=2)
        reporter.item("push/000/episode-000000")
        reporter.done()
    lines = stream.getvalue().splitlines()
    assert lines == [
        "Warning: The progress file /dev/full ends here, for it cannot be written: No space left on device",
        "collect: 0/2 episodes",
        "collect: 1/2 episodes, 0:00:00 left",
    ]


def test_the_time_left_counts_only_what_this_run_made(reporter: Reporter, seen: Recorder, clock: Clock) -> None:
    tracker = Tracker()
    reporter.start("collect", "episodes", total=10, done=4)
    clock.now += 8
    reporter.item("a", tries=2)
    clock.now += 8
    reporter.item("b", ok=False, tries=3)
    clock.now += 2
    reporter.frames(90)
    for event in seen.events[:1]:
        tracker.consume(event)
    assert tracker.seconds_left() is None
    assert tracker.text() == "4/10 episodes"
    for event in seen.events[1:]:
        tracker.consume(event)
    assert tracker.seconds_left() == 4 * 8 - 2
    assert tracker.text() == "6/10 episodes, 5 frames/s, 4 failed attempts, 0:00:30 left"


def test_only_collecting_makes_attempts(reporter: Reporter, seen: Recorder) -> None:
    reporter.start("verify", "files", total=2)
    for name in "ab":
        reporter.item(name, ok=False)
    tracker = Tracker()
    for event in seen.events:
        tracker.consume(event)
    assert tracker.text() == "2/2 files, 2 problems"


def test_a_log_gets_an_occasional_line(clock: Clock) -> None:
    stream = io.StringIO()
    reporter = Reporter([Lines(Console(file=stream, width=40))], clock)
    reporter.start("collect", "episodes", total=100)
    for index in range(100):
        clock.now += 1
        reporter.item(str(index))
    reporter.warning("numpy is 2.0 there and 2.1 here, which is more than forty columns")
    reporter.done()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "collect: 0/100 episodes"
    assert lines[1] == "collect: 10/100 episodes, 1.0 episodes/s, 0:01:30 left"
    assert lines[-2:] == [
        "Warning: numpy is 2.0 there and 2.1 here, which is more than forty columns",
        "collect: 100/100 episodes, 1.0 episodes/s",
    ]
    assert len(lines) == 1 + 10 + 2


@pytest.mark.parametrize("terminal", [True, False])
def test_it_fits_a_terminal_of_80_columns(terminal: bool, clock: Clock) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=80, force_terminal=terminal, color_system=None, legacy_windows=False)
    with reporting(console, None, clock) as reporter:
        reporter.start("collect", "episodes", total=12345, done=6000)
        for index in range(12):
            clock.now += 10
            reporter.frames(30000 * (index + 1))
            reporter.item(str(index), tries=2)
        reporter.note("a note")
        reporter.done()
    text = re.sub(r"\x1b\[[0-9?]*[A-Za-z]", "", stream.getvalue())
    lines = re.split(r"[\r\n]+", text)
    assert max(map(len, lines)) <= 80
    assert "a note" in [line.strip() for line in lines]
    assert any("6012/12345 episodes, 3000 frames/s, 12 failed attempts" in line for line in lines)


def test_the_documentation_names_every_event_and_field() -> None:
    documented: dict[str, set[str]] = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"### `(\w+)`", line):
            documented[heading[1]] = set()
        elif row := re.match(r"\| `(\w+)` \|", line):
            documented[list(documented)[-1]].add(row[1])
    models = {kind.model_fields["event"].default: set(kind.model_fields) for kind in get_args(Event)}
    assert documented == {name: fields - {"event", "time"} for name, fields in models.items()}


@pytest.mark.slow
def test_events_need_no_heavy_import() -> None:
    script = "import sys, hpvqa.progress.reporter; print(*{'mujoco', 'av', 'scipy', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
