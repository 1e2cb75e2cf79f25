"""A person as an agent: the human baseline."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image
from pydantic import JsonValue

from hpvqa.explore.agents.words import read_letter
from hpvqa.explore.protocol import Brief, Decision, Turn


class Person:
    """Someone at a terminal, who looks at pictures in a folder.

    Args:
        name: What the person is called in reports.
        pictures: The folder.
        say: Shows a line.
        ask: Waits for what the person writes.
    """

    batch_size = 1
    looks = True
    privileged = False
    details: Mapping[str, JsonValue] = {}

    def __init__(self, name: str, pictures: Path, say: Callable[[str], None], ask: Callable[[], str]) -> None:
        self.name = name
        self._pictures, self._say, self._ask = pictures, say, ask

    def load(self, tell: Callable[[str], None]) -> None:
        """Make the folder."""
        self._pictures.mkdir(parents=True, exist_ok=True)

    def begin(self, briefs: Sequence[Brief]) -> None:
        """Whatever must be known is said at each turn."""

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """Show each turn and wait for a letter; what is none of those that are offered is asked for again."""
        return [self._decide(turn) for turn in turns]

    def close(self) -> None:
        """Nothing is held."""

    def _decide(self, turn: Turn) -> Decision:
        begin = time.perf_counter()
        if turn.step == 0:
            self._say(f"\n{turn.brief.key}: {turn.brief.question}\n{turn.brief.rules}")
        for number, shot in enumerate(turn.shots, 1):
            path = self._pictures / f"{turn.brief.key}-{number}.png"
            if not path.exists() and shot.image.size:
                Image.fromarray(shot.image).save(path)
        if turn.shots:
            self._say(f"\n{turn.shots[-1].after or 'At first'}: {path}")
        self._say(f"Decisions left: {turn.steps_left}")
        for option in turn.options:
            self._say(f"  {option.letter}: {option.text}")
        letters = [option.letter for option in turn.options]
        while (letter := read_letter(self._ask(), letters)) is None:
            self._say(f"One letter, please: {', '.join(letters)}")
        return Decision(letter, seconds=time.perf_counter() - begin)
