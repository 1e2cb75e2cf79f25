"""The newest episodes of a data folder with a small picture of each, looked for beside the user interface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hpvqa_collector.calls import Calls, Reply
from hpvqa_collector.episodes import Episode, newest_episodes
from hpvqa_collector.errors import BadInputError

SHOWN = 8
"""So many episodes are listed."""


class Gallery:
    """Episodes and their pictures.

    Args:
        calls: Asks hpvqa for pictures.
        command: Gives the command line of hpvqa.
        folder: Where pictures are kept.
        on_change: Told when there is something else to see.
    """

    def __init__(
        self, calls: Calls, command: Callable[[], list[str]], folder: Path, on_change: Callable[[], None]
    ) -> None:
        self._calls, self._command, self._folder, self._on_change = calls, command, folder, on_change
        self.episodes: list[Episode] = []
        self.thumbnails: dict[Episode, Path | None] = {}
        """Pictures, or None while they are drawn and where that failed."""
        self.failed: dict[Episode, str] = {}
        """Why there is no picture."""

    def look(self, data: Path) -> None:
        """Look into a data folder; a slow disk keeps nobody waiting."""

        def on_reply(reply: Reply) -> None:
            found: list[Episode] = reply.data
            for episode in found:
                if episode.cameras and episode not in self.thumbnails:
                    self._draw(episode)
            if found != self.episodes:
                self.episodes = found
                self._on_change()

        self._calls.do("episodes", lambda: Reply(newest_episodes(data, SHOWN)), on_reply)

    def _draw(self, episode: Episode) -> None:
        def on_reply(reply: Reply) -> None:
            path = None if reply.data is None else reply.data["pictures"].get("thumbnail")
            self.thumbnails[episode] = Path(path) if path else None
            if path is None:
                self.failed[episode] = reply.error or "hpvqa made no picture"
            self._on_change()

        try:
            command = self._command()
        except BadInputError:
            return
        self.thumbnails[episode] = None
        # By its time, too: a picture of an earlier episode of the same name is not shown again.
        into = self._folder / f"{episode.finished}-{episode.task}-{episode.index}"
        arguments = ["show", str(episode.folder), "--thumbnail", "--out", str(into), "--json"]
        self._calls.ask(f"thumbnail {into.name}", [*command, *arguments], on_reply)
