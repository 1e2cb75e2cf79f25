"""The panel: its title, its sections, and what keeps them up to date."""

from __future__ import annotations

import omni.ui as ui

from hpvqa_collector.collector import Collector
from hpvqa_collector.ui.files import FileDialogs
from hpvqa_collector.ui.rows import say
from hpvqa_collector.ui.sections.ask import AskSection
from hpvqa_collector.ui.sections.base import Section
from hpvqa_collector.ui.sections.cameras import CamerasSection
from hpvqa_collector.ui.sections.episodes import EpisodesSection
from hpvqa_collector.ui.sections.launch import LaunchSection
from hpvqa_collector.ui.sections.output import OutputSection
from hpvqa_collector.ui.sections.preview import PreviewSection
from hpvqa_collector.ui.sections.randomization import RandomizationSection
from hpvqa_collector.ui.sections.replay import ReplaySection
from hpvqa_collector.ui.sections.task import TaskSection
from hpvqa_collector.ui.style import GAP, STYLE

SECTIONS: tuple[type[Section], ...] = (
    PreviewSection,
    TaskSection,
    RandomizationSection,
    CamerasSection,
    OutputSection,
    LaunchSection,
    EpisodesSection,
    ReplaySection,
    AskSection,
)


class Panel:
    """The content of the window; what it shows lives in the collector.

    Args:
        collector: What it shows.
    """

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._dialogs = FileDialogs()
        self._sections: list[Section] = []
        self._end_notice = collector.watch("notice", self._notice_changed)

    def build(self) -> None:
        """Make all widgets, inside a window's frame."""
        with ui.ScrollingFrame(style=STYLE), ui.VStack(spacing=GAP, height=0):
            ui.Label(
                "Collect episodes with hidden properties",
                height=0,
                name="title",
                tooltip="What a robot does shows what could not be seen before, such as which thing is heavier.",
            )
            self._notice = ui.Label("", height=0, name="warning", word_wrap=True, identifier="notice")
            self._sections = [section(self._collector, self._dialogs) for section in SECTIONS]
        self._notice_changed()

    def destroy(self) -> None:
        """Stop looking on; the widgets go with the window."""
        self._end_notice()
        self._dialogs.close()
        for section in self._sections:
            section.destroy()
        self._sections.clear()

    def _notice_changed(self) -> None:
        if self._sections:
            say(self._notice, self._collector.notice)
