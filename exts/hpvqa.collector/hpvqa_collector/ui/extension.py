"""The extension: menu, window, and the loop that keeps the panel up to date."""

from __future__ import annotations

import asyncio
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import carb
import carb.eventdispatcher
import carb.settings
import omni.ext
import omni.kit.app
import omni.ui as ui
import omni.usd
from omni.kit.menu.utils import MenuItemDescription, add_menu_items, refresh_menu_items, remove_menu_items
from omni.kit.notification_manager import NotificationStatus, post_notification

from hpvqa_collector.collector import Collector
from hpvqa_collector.desktop import home_folder
from hpvqa_collector.ui import stage
from hpvqa_collector.ui.window import TITLE, PanelWindow

NAME = "hpvqa.collector"
MENU, SUBMENU = "Tools", "Replicator"
STORE = f"/persistent/exts/{NAME}/state"
SHOWN = f"/persistent/exts/{NAME}/shown"
_PERIOD = 0.1
"""How often everything is looked at [s]."""
_NOTICE = 8
"""How long a notification is shown [s]."""


class CollectorExtension(omni.ext.IExt):
    """Tools → Replicator → Hidden Physics."""

    def __init__(self) -> None:
        super().__init__()
        # A start-up that fails half-way must still be possible to shut down.
        self._collector: Collector | None = None
        self._window: PanelWindow | None = None
        self._menu: list[Any] = []
        self._loop: asyncio.Task[None] | None = None
        self._events: list[Any] = []
        self._stored = ""

    def on_startup(self, ext_id: str) -> None:
        """Make the menu entry, take up the last session, and show the window if it was shown then."""
        folder = Path(omni.kit.app.get_app().get_extension_manager().get_extension_path(ext_id))
        self._settings = carb.settings.get_settings()
        self._collector = self._make_collector(folder)
        entry = MenuItemDescription(
            name=TITLE, ticked=True, ticked_fn=lambda *_: self._visible, onclick_fn=lambda *_: self._toggle()
        )
        self._menu = [MenuItemDescription(name=SUBMENU, sub_menu=[entry])]
        add_menu_items(self._menu, MENU)
        ui.Workspace.set_show_window_fn(TITLE, self._show)
        self._watch_kit()
        self._collector.watch("preview", self._draw_preview)
        self._collector.watch("replay", self._draw_episode)
        self._collector.watch("moment", self._pose)
        self._collector.watch("over", self._notify)
        self._settings.set_default_bool(SHOWN, True)
        if self._settings.get_as_bool(SHOWN):
            self._show(True)
        self._loop = asyncio.ensure_future(self._run())

    def on_shutdown(self) -> None:
        """Remember everything; end the run or let it go on, as the user chose."""
        if self._loop is not None:
            self._loop.cancel()
            self._loop = None
        self._events.clear()
        if self._window is not None:
            self._window.destroy()
            self._window = None
        if self._menu:
            remove_menu_items(self._menu, MENU)
            self._menu = []
        ui.Workspace.set_show_window_fn(TITLE, None)
        if self._collector is not None:
            self._store()
            with suppress(Exception):
                stage.erase()
            self._collector.close()
            self._collector = None

    def _make_collector(self, folder: Path) -> Collector:
        schema = json.loads((folder / "data" / "recipe.schema.json").read_text(encoding="utf-8"))
        named = self._settings.get_as_string(f"/exts/{NAME}/folder")
        home = Path(os.environ.get("XDG_STATE_HOME") or home_folder() / ".local" / "state")
        collector = Collector(
            schema,
            folder,
            Path(named) if named else home / "hpvqa-collector",
            os.environ,
            self._settings.get_as_string(f"/exts/{NAME}/command"),
        )
        stored = self._settings.get_as_string(STORE)
        if stored:
            collector.restore(stored)
        if collector.run.find():
            words = {"running": "is still at work", "paused": "is paused", "stopping": "is finishing its last episodes"}
            collector.say(f"The run of the last session {words.get(collector.run.state, 'is over')}")
        return collector

    def _watch_kit(self) -> None:
        dispatcher = carb.eventdispatcher.get_eventdispatcher()
        context = omni.usd.get_context()
        self._events = [
            dispatcher.observe_event(
                event_name=context.stage_event_name(omni.usd.StageEventType.CLOSING),
                on_event=self._stage_closes,
                observer_name=f"{NAME}.stage",
            ),
            # Isaac Sim may quit without shutting extensions down. Not when quitting is asked for (POST_QUIT): a user
            # with an unsaved stage may still take that back.
            dispatcher.observe_event(
                event_name=omni.kit.app.GLOBAL_EVENT_PRE_SHUTDOWN,
                on_event=self._kit_quits,
                observer_name=f"{NAME}.quit",
            ),
        ]

    def _stage_closes(self, _: Any) -> None:
        if self._collector is not None:
            self._collector.scene.forget()
            self._collector.playback.forget()
            self._collector.stage_closes()

    def _kit_quits(self, _: Any) -> None:
        self.on_shutdown()

    def _toggle(self) -> None:
        self._show(self._window is None or not self._window.in_front)

    @property
    def _visible(self) -> bool:
        return self._window is not None and self._window.visible

    def _show(self, visible: bool) -> None:
        if self._collector is None:
            return
        if visible and self._window is None:
            self._window = PanelWindow(self._collector, self._visibility_changed)
        elif self._window is not None:
            self._window.show(visible)
        self._visibility_changed(visible)

    def _visibility_changed(self, visible: bool) -> None:
        self._settings.set_bool(SHOWN, visible)
        refresh_menu_items(MENU)

    def _notify(self) -> None:
        """Say that a run is over, to someone who may be looking at something else."""
        if self._collector is None:
            return
        run = self._collector.run
        words = f"{TITLE}: {run.state}, {run.progress.done} of {run.progress.total} episodes"
        good = run.state == "finished"
        status = NotificationStatus.INFO if good else NotificationStatus.WARNING
        post_notification(f"{words}. {run.error}" if run.error else words, duration=_NOTICE, status=status)

    def _draw_preview(self) -> None:
        collector = self._collector
        if collector is None or collector.scene.spec is None:
            return
        spec, collector.scene.spec = collector.scene.spec, None

        def draw() -> None:
            collector.scene.cameras = stage.draw(spec, tuple(collector.job.get(("resolution",))))

        if collector.attempt(draw):
            collector.playback.forget()
            collector.tell("replay")

    def _draw_episode(self) -> None:
        collector = self._collector
        if collector is None or collector.playback.episode is None or not collector.playback.to_draw:
            return
        playback, episode = collector.playback, collector.playback.episode
        playback.to_draw = False

        def draw() -> None:
            playback.cameras = stage.draw_episode(episode)

        if collector.attempt(draw):
            collector.scene.forget()
            collector.tell("preview")
        else:
            playback.forget()

    def _pose(self) -> None:
        collector = self._collector
        if collector is None or collector.playback.episode is None:
            return
        playback, episode = collector.playback, collector.playback.episode
        if not collector.attempt(lambda: stage.pose(episode, playback.row)):
            playback.forget()
            collector.tell("replay")

    def _store(self) -> None:
        if self._collector is None:
            return
        text = self._collector.stored()
        if text != self._stored:
            self._stored = text
            self._settings.set_string(STORE, text)

    async def _run(self) -> None:
        due = 0.0
        while True:
            passed = await omni.kit.app.get_app().next_update_async()
            if self._collector is None:
                return
            try:
                # Every frame of Kit may show another moment; everything else is looked at now and then.
                self._collector.playback.advance(passed * float(self._collector.options.replay_speed))
                if time.monotonic() < due:
                    continue
                due = time.monotonic() + _PERIOD
                self._collector.tick()
                self._store()
            except Exception as error:
                carb.log_error(f"{NAME}: {error!r}")
                self._collector.say(f"Something went wrong in the panel: {error}; see Kit's log")
