"""The scene that is previewed: its spec, and small pictures of what each camera sees, which hpvqa draws on the side."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hpvqa_collector.calls import Calls, Reply

_WIDTH = 224
"""Of the pictures [pixels]; they are as high as those of the job would be."""


class Scene:
    """One scene; another one takes its place.

    Args:
        calls: Asks hpvqa for it.
        folder: Where its pictures are kept.
        on_change: Told when there is something else to see.
        say: Told what went wrong.
    """

    def __init__(self, calls: Calls, folder: Path, on_change: Callable[[], None], say: Callable[[str], None]) -> None:
        self._calls, self._folder, self._on_change, self._say = calls, folder, on_change, say
        self._number = 0
        self.spec: dict[str, Any] | None = None
        """What is to be drawn on the stage; whoever draws it takes it away."""
        self.cameras: dict[str, str] = {}
        """The prims of the cameras on the stage, by name."""
        self.pictures: dict[str, Path] = {}
        """What they see, by name."""
        self.waiting = False
        """Whether pictures are being drawn."""
        self.failed = ""
        """Why there are none."""

    def ask(self, sample: Sequence[str], resolution: tuple[int, int]) -> None:
        """Have a scene sampled, and drawn.

        Args:
            sample: Command line of `hpvqa sample --json`.
            resolution: Width and height of the clips of the job [pixels].
        """
        size = f"{_WIDTH}x{2 * round(_WIDTH * resolution[1] / resolution[0] / 2)}"

        def on_reply(reply: Reply) -> None:
            self.spec = reply.data
            if reply.error is not None:
                self._say(reply.error)
            else:
                self._draw([*sample, "--resolution", size])
            self._on_change()

        self._calls.ask("preview", sample, on_reply)

    def forget(self) -> None:
        """There is no scene any more."""
        for kind in ("preview", "stills"):
            self._calls.drop(kind)
        self.spec, self.cameras = None, {}
        self.pictures, self.waiting, self.failed = {}, False, ""

    def _draw(self, sample: Sequence[str]) -> None:
        if self._number == 0:
            shutil.rmtree(self._folder, ignore_errors=True)
        # A folder of its own each time: a picture that is shown is never replaced by another one of the same name.
        self._number += 1
        into = self._folder / str(self._number)

        def on_reply(reply: Reply) -> None:
            names = [] if reply.data is None else [camera["name"] for camera in reply.data["cameras"]]
            self.pictures = {name: into / f"{name}.png" for name in names}
            self.waiting, self.failed = False, reply.error or ""
            self._on_change()

        self.pictures, self.waiting, self.failed = {}, True, ""
        self._calls.ask("stills", [*sample, "--render", str(into)], on_reply)
