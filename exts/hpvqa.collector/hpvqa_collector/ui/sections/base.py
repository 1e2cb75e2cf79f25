"""What a section is: a frame that can be folded, built anew or brought up to date when something changes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import omni.ui as ui

from hpvqa_collector.collector import Collector
from hpvqa_collector.ui.files import FileDialogs
from hpvqa_collector.ui.style import GAP


class Section(ABC):
    """One section.

    Args:
        collector: What it shows.
        dialogs: For asking for files.
    """

    title: ClassVar[str]
    rebuilt_on: ClassVar[tuple[str, ...]] = ()
    """What makes it be built anew."""
    refreshed_on: ClassVar[tuple[str, ...]] = ()
    """What makes it be brought up to date."""

    def __init__(self, collector: Collector, dialogs: FileDialogs) -> None:
        self.collector = collector
        self.dialogs = dialogs
        self._ends: list[Callable[[], None]] = []
        self._built = False
        self._frame = ui.CollapsableFrame(
            self.title,
            height=0,
            collapsed=self.title in collector.options.folded,
            collapsed_changed_fn=self._fold,
            build_fn=self._build,
            identifier=f"section.{self.title}",
        )
        for topic in self.rebuilt_on:
            self._ends.append(collector.watch(topic, self._frame.rebuild))
        for topic in self.refreshed_on:
            self._ends.append(collector.watch(topic, self._refresh))

    def destroy(self) -> None:
        """Stop looking on; the frame goes with the window."""
        for end in self._ends:
            end()
        self._ends.clear()
        self._built = False

    @abstractmethod
    def build(self) -> None:
        """Make the widgets, inside a column."""

    def refresh(self) -> None:  # noqa: B027 - some have nothing to bring up to date
        """Bring the widgets up to date."""

    def _build(self) -> None:
        with ui.VStack(spacing=GAP, height=0):
            self.build()
        self._built = True
        self.refresh()

    def _refresh(self) -> None:
        # Between a change and the next frame there may be nothing to refresh yet.
        if self._built:
            self.refresh()

    def _fold(self, collapsed: bool) -> None:
        folded = set(self.collector.options.folded)
        self.collector.options.folded = sorted(folded | {self.title} if collapsed else folded - {self.title})
