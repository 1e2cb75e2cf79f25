"""The window: made when it is shown for the first time, and anew after every reload."""

from __future__ import annotations

from collections.abc import Callable

import omni.ui as ui

from hpvqa_collector.collector import Collector
from hpvqa_collector.ui.panel import Panel

TITLE = "Hidden Physics"


class PanelWindow:
    """A dockable window around a panel.

    Args:
        collector: What the panel shows.
        on_visibility: Told when the window appears or disappears.
    """

    def __init__(self, collector: Collector, on_visibility: Callable[[bool], None]) -> None:
        self._panel = Panel(collector)
        self._window = ui.Window(TITLE, dockPreference=ui.DockPreference.RIGHT_TOP, width=500, height=900)
        self._window.deferred_dock_in("Property", ui.DockPolicy.CURRENT_WINDOW_IS_ACTIVE)
        self._window.set_visibility_changed_fn(on_visibility)
        with self._window.frame:
            self._panel.build()

    @property
    def visible(self) -> bool:
        """Whether it is there, be it behind another tab."""
        return bool(self._window.visible)

    @property
    def in_front(self) -> bool:
        """Whether it is seen."""
        return self.visible and (not self._window.docked or bool(self._window.selected_in_dock))

    def show(self, visible: bool) -> None:
        """Show it in front of other tabs, or hide it."""
        self._window.visible = visible
        if visible:
            self._window.focus()

    def destroy(self) -> None:
        """Remove it; what it showed lives on."""
        self._panel.destroy()
        self._window.set_visibility_changed_fn(None)
        self._window.destroy()
