"""What is printed: texts of others are shown, and are neither markup nor in control of the terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from hpvqa.progress.console import PlainConsole
from hpvqa.progress.reporter import reporting

NASTY = "\x1b[2J\x1b]0;owned\x9c[bold]a[/bold] :smile: \u202e[/]"
SHOWN = r"\x1b[2J\x1b]0;owned\x9c[bold]a[/bold] :smile: \u202e[/]"


def console(stream: io.StringIO, *, terminal: bool = False) -> PlainConsole:
    return PlainConsole(file=stream, width=200, force_terminal=terminal, color_system=None, legacy_windows=False)


def printed(what: object) -> str:
    stream = io.StringIO()
    console(stream).print(what)
    return stream.getvalue()


def table(text: str) -> Table:
    made = Table(text, title=text, caption=text)
    made.add_row(text)
    return made


@pytest.mark.parametrize("make", [str, Text, table, lambda text: Panel(text, title=Text(text))])
def test_a_text_of_others_is_only_shown(make: type) -> None:
    out = printed(make(NASTY))
    assert SHOWN in out
    assert "\x1b" not in out


def test_a_table_keeps_its_columns() -> None:
    lines = [line for line in printed(table(NASTY)).splitlines() if line[0] in "┃│┏┗└┡"]
    assert len({len(line) for line in lines}) == 1


@pytest.mark.slow
@given(st.text())
def test_nothing_controls_the_terminal(text: str) -> None:
    out = printed(table(text)) + printed(text)
    assert not any((ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) < 160 for c in out)
    out.encode()


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_shows_what_others_wrote(terminal: bool, tmp_path: Path) -> None:
    stream = io.StringIO()
    with reporting(console(stream, terminal=terminal), tmp_path / "events", lambda: 0.0) as reporter:
        reporter.warning(NASTY)
        reporter.start(NASTY, NASTY, 1)
        reporter.note(NASTY)
        reporter.item(NASTY, ok=False, message=NASTY)
        reporter.done()
    out = stream.getvalue()
    assert f"Warning: {SHOWN}" in out
    assert "\x1b[2J" not in out
    assert "\x9c" not in out
    assert "\u202e" not in out
