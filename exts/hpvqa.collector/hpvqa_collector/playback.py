"""A recorded episode that is played back: which of its moments is shown, and when the next one is due."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from hpvqa_collector.calls import Calls, Reply

_HAIR = 1e-6
"""Times are floating-point numbers; a row is reached when this little is missing [s]."""


class Playback:
    """One episode; another one takes its place. It is shown in the rows that were recorded, one for each frame.

    Args:
        calls: Asks hpvqa for it.
        tell: Told of a topic: ``replay`` when there is another episode to see, ``moment`` another moment of it.
        say: Told what went wrong.
    """

    def __init__(self, calls: Calls, tell: Callable[[str], None], say: Callable[[str], None]) -> None:
        self._calls, self._tell, self._say = calls, tell, say
        self.episode: dict[str, Any] | None = None
        """What `hpvqa show --poses` printed."""
        self.to_draw = False
        """Whether it has yet to be drawn on the stage; whoever draws it clears this."""
        self.cameras: dict[str, str] = {}
        """The prims of the cameras on the stage, by name."""
        self.waiting = False
        """Whether an episode is being read."""
        self.playing = False
        self.time = 0.0
        """The moment that is shown [s]."""

    def ask(self, command: Sequence[str]) -> None:
        """Have an episode read, to be drawn.

        Args:
            command: Command line of `hpvqa show --poses`.
        """

        def on_reply(reply: Reply) -> None:
            self.waiting = False
            if reply.error is not None:
                self._say(reply.error)
            else:
                self.episode, self.to_draw, self.cameras = reply.data, True, {}
                self.playing, self.time = False, 0.0
            self._tell("replay")

        self.waiting = True
        self._calls.ask("replay", command, on_reply)
        self._tell("replay")

    def forget(self) -> None:
        """There is no episode any more."""
        self._calls.drop("replay")
        self.episode, self.to_draw, self.cameras, self.waiting = None, False, {}, False
        self.playing, self.time = False, 0.0

    @property
    def name(self) -> str:
        """What to call the episode."""
        return "" if self.episode is None else "{task} {index}".format(**self.episode["record"]["spec"])

    @property
    def times(self) -> list[float]:
        """The moments that were recorded [s]."""
        return [0.0] if self.episode is None else self.episode["times"]

    @property
    def row(self) -> int:
        """The row that is shown."""
        return max(0, bisect_right(self.times, self.time + _HAIR) - 1)

    @property
    def event(self) -> str:
        """What happened last, in words; empty if nothing has."""
        events = [] if self.episode is None else self.episode["record"]["events"]
        past = [event for event in events if event["t"] <= self.time + _HAIR]
        if not past:
            return ""
        last = max(past, key=lambda event: float(event["t"]))
        return f"{last['object']}: {last['kind'].replace('_', ' ')} at {last['t']:.2f} s"

    def play(self) -> None:
        """Play, from the start again if it is at its end, or pause."""
        self.playing = not self.playing
        if self.playing and self.row == len(self.times) - 1:
            self.time = 0.0
        self._tell("moment")

    def seek(self, time: float) -> None:
        """Show another moment [s]."""
        self.time = min(max(time, 0.0), self.times[-1])
        self._tell("moment")

    def step(self, rows: int) -> None:
        """Pause, and show the moment so many rows later."""
        self.playing = False
        self.seek(self.times[min(max(self.row + rows, 0), len(self.times) - 1)])

    def advance(self, seconds: float) -> None:
        """Play on for a while [s of the episode]; it stops at its end."""
        if not self.playing:
            return
        before = self.row
        self.time = min(self.time + seconds, self.times[-1])
        self.playing = self.time < self.times[-1]
        if self.row != before or not self.playing:
            self._tell("moment")
