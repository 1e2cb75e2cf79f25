"""A person as an agent: the human baseline."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from hpvqa.explore.agents.words import read_letter
from hpvqa.explore.protocol import Brief, Decision, Turn
from hpvqa.explore.runs.course import encoded


class Desk(Protocol):
    """Where a person sits."""

    def open(self) -> None:
        """Get ready.

        Raises:
            HpvqaError: That cannot be.
        """

    def ask(self, turn: Turn) -> str:
        """Show what an agent may know of a turn, and wait for one of its letters."""

    def close(self) -> None:
        """Nothing more will be asked."""


class Person:
    """Someone who plays.

    Args:
        name: What the person is called in reports.
        desk: Where the person sits.
    """

    batch_size = 1
    looks = True
    privileged = False
    details: Mapping[str, JsonValue] = {}

    def __init__(self, name: str, desk: Desk) -> None:
        self.name, self._desk = name, desk

    def load(self, tell: Callable[[str], None]) -> None:
        """Get the desk ready."""
        self._desk.open()

    def begin(self, briefs: Sequence[Brief]) -> None:
        """Whatever must be known is said at each turn."""

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """Ask about each turn, and take the time."""
        return [self._decide(turn) for turn in turns]

    def close(self) -> None:
        """Leave the desk."""
        self._desk.close()

    def _decide(self, turn: Turn) -> Decision:
        begin = time.perf_counter()
        letter = self._desk.ask(turn)
        return Decision(letter, seconds=time.perf_counter() - begin)


class Terminal:
    """A terminal, beside which a folder of pictures is looked at.

    Args:
        pictures: The folder.
        say: Shows a line.
        hear: Waits for what the person writes.
    """

    def __init__(self, pictures: Path, say: Callable[[str], None], hear: Callable[[], str]) -> None:
        self._pictures, self._say, self._hear = pictures, say, hear
        self._scene = 0

    def open(self) -> None:
        """Make the folder."""
        self._pictures.mkdir(parents=True, exist_ok=True)

    def ask(self, turn: Turn) -> str:
        """Show a turn; what is no letter that is offered is asked for again."""
        if turn.step == 0:
            # Not its key, which tells more than is to be seen.
            self._scene += 1
            self._say(f"\nScene {self._scene}: {turn.brief.question}\n{turn.brief.rules}")
        if turn.shots:
            shot = turn.shots[-1]
            path = self._pictures / f"scene-{self._scene}-{len(turn.shots)}.png"
            picture = encoded(shot)
            if picture is not None:
                path.write_bytes(picture[1])
            self._say(f"\n{shot.after or 'At first'}: {path if shot.image.size else shot.facts}")
        self._say(f"Decisions left: {turn.steps_left}")
        for option in turn.options:
            self._say(f"  {option.letter}: {option.text}")
        letters = [option.letter for option in turn.options]
        while (letter := read_letter(self._hear(), letters)) is None:
            self._say(f"One letter, please: {', '.join(letters)}")
        return letter

    def close(self) -> None:
        """Nothing is held."""
