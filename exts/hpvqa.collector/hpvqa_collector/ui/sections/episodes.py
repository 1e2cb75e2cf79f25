"""The newest episodes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import omni.ui as ui

from hpvqa_collector.desktop import open_path
from hpvqa_collector.episodes import Episode
from hpvqa_collector.ui.rows import button
from hpvqa_collector.ui.sections.base import Section
from hpvqa_collector.ui.style import GAP

_PICTURE = (101, 76)
_UNFILMED = 50
"""Height of an episode without clips: that of its two buttons [pixels]."""


class EpisodesSection(Section):
    """The newest episodes of the folder, failed ones with the reason."""

    title = "Episodes"
    rebuilt_on = ("episodes",)

    def build(self) -> None:
        """A line for each episode."""
        collector = self.collector
        with ui.HStack(height=0, spacing=GAP):
            ui.Label("Newest first", height=0, name="faint", tooltip="By the time at which they were finished.")
            button("Refresh", collector.look_for_episodes, "Look into the folder again.", "episodes.refresh", width=72)
        if not collector.gallery.episodes:
            ui.Label("None yet.", height=0, name="faint", identifier="episodes.none")
        for episode in collector.gallery.episodes:
            self._episode(episode)

    def _episode(self, episode: Episode) -> None:
        picture = self.collector.gallery.thumbnails.get(episode)
        name = f"episode.{episode.task}.{episode.index}"
        width, height = _PICTURE
        with ui.HStack(height=height if episode.cameras else _UNFILMED, spacing=2 * GAP):
            if picture is not None and picture.is_file():
                ui.ImageWithProvider(
                    str(picture),
                    width=width,
                    height=height,
                    fill_policy=ui.IwpFillPolicy.IWP_PRESERVE_ASPECT_FIT,
                    identifier=f"{name}.picture",
                    tooltip=str(episode.folder),
                )
            else:
                words, tooltip = self._instead(episode)
                ui.Label(
                    words,
                    width=width,
                    alignment=ui.Alignment.CENTER,
                    name="faint",
                    tooltip=tooltip,
                    identifier=f"{name}.none",
                )
            with ui.VStack(spacing=2):
                state = "usable" if episode.ok else "failed"
                ui.Label(
                    f"{episode.name}: {state}",
                    height=0,
                    name="good" if episode.ok else "bad",
                    identifier=name,
                    tooltip=str(episode.folder),
                )
                words = episode.reason or (f"{len(episode.cameras)} clips" if episode.cameras else "")
                ui.Label(words, height=0, name="faint", word_wrap=True, identifier=f"{name}.reason")
            with ui.VStack(width=72, spacing=2):
                button("Open", partial(self._open, episode.folder), "Open the episode's folder.", f"{name}.open")
                button(
                    "Replay",
                    partial(self._replay, episode.folder),
                    "Show the episode on the stage, to be played back under Replay.",
                    f"{name}.replay",
                )
                if episode.cameras:
                    button("Ask", partial(self._ask, episode.folder), "Ask about this episode.", f"{name}.ask")

    def _instead(self, episode: Episode) -> tuple[str, str]:
        """What to show in place of a picture, and its tooltip."""
        if not episode.cameras:
            return "no clips", str(episode.folder)
        reason = self.collector.gallery.failed.get(episode)
        return ("...", "The picture is being drawn.") if reason is None else ("no picture", reason)

    def _open(self, folder: Path) -> None:
        collector = self.collector
        collector.attempt(lambda: open_path(folder, collector.environ))

    def _replay(self, folder: Path) -> None:
        self.collector.attempt(lambda: self.collector.replay(folder))

    def _ask(self, folder: Path) -> None:
        self.collector.ask_about = folder
        self.collector.attempt(self.collector.ask)
