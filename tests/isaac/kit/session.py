"""A session of Kit without Kit: modules to import, an app with frames, settings, a stage, menus, and a user."""

from __future__ import annotations

import asyncio
import importlib
import sys
import time
import types
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.isaac.kit import widgets
from tests.isaac.kit.services import (
    EXT_ID,
    App,
    Dispatcher,
    FileDialog,
    IExt,
    MenuItem,
    NotificationStatus,
    Settings,
    StageEventType,
    UsdContext,
)
from tests.isaac.kit.strict import KitError, World
from tests.patience import PATIENCE


class Session:
    """One start of Kit; use `kit_session`."""

    def __init__(self) -> None:
        World.reset()
        self.ui: Any = widgets
        self.loop = asyncio.new_event_loop()
        self.app, self.settings, self.dispatcher, self.usd = App(), Settings(), Dispatcher(), UsdContext()
        self.menus: dict[str, list[Any]] = {}
        self.notifications: list[tuple[str, str]] = []
        self.viewport: Any = types.SimpleNamespace(camera_path="/OmniverseKit_Persp")
        self.logged: list[str] = []
        self.extension: Any = None

    # ---- the machine

    def modules(self) -> dict[str, types.ModuleType]:
        """Everything that the extension imports of Kit."""

        def module(name: str, **members: Any) -> types.ModuleType:
            made = types.ModuleType(name)
            made.__dict__.update(members)
            return made

        found = {
            "carb": module("carb", log_error=self.logged.append),
            "carb.settings": module("carb.settings", get_settings=lambda: self.settings),
            "carb.eventdispatcher": module("carb.eventdispatcher", get_eventdispatcher=lambda: self.dispatcher),
            "omni": module("omni"),
            "omni.ext": module("omni.ext", IExt=IExt),
            "omni.ui": module("omni.ui", **{thing.__name__: thing for thing in widgets.PUBLIC}),
            "omni.usd": module("omni.usd", get_context=lambda: self.usd, StageEventType=StageEventType),
            "omni.kit": module("omni.kit"),
            "omni.kit.app": module(
                "omni.kit.app", get_app=lambda: self.app, GLOBAL_EVENT_PRE_SHUTDOWN="omni.kit.app:pre_shutdown"
            ),
            "omni.kit.menu": module("omni.kit.menu"),
            "omni.kit.menu.utils": module(
                "omni.kit.menu.utils",
                MenuItemDescription=MenuItem,
                add_menu_items=self._add_menu,
                remove_menu_items=self._remove_menu,
                refresh_menu_items=self._refresh_menu,
            ),
            "omni.kit.notification_manager": module(
                "omni.kit.notification_manager", NotificationStatus=NotificationStatus, post_notification=self._notify
            ),
            "omni.kit.test": module("omni.kit.test", AsyncTestCase=unittest.TestCase),
            "omni.kit.viewport": module("omni.kit.viewport"),
            "omni.kit.viewport.utility": module(
                "omni.kit.viewport.utility",
                get_active_viewport=lambda usd_context_name="": self.viewport,
                get_active_viewport_camera_string=lambda usd_context_name="": (
                    str(self.viewport.camera_path) if self.viewport else ""
                ),
            ),
            "omni.kit.window": module("omni.kit.window"),
            "omni.kit.window.filepicker": module("omni.kit.window.filepicker", FilePickerDialog=FileDialog),
        }
        for name, made in found.items():
            made.__path__ = []  # type: ignore[attr-defined]
            parent, _, child = name.rpartition(".")
            if parent:
                setattr(found[parent], child, made)
        return found

    def _add_menu(
        self, menu: list[Any], name: str, menu_index: int = 0, can_rebuild_menus: bool = True, delegate: Any = None
    ) -> None:
        self.menus.setdefault(name, []).extend(menu)

    def _remove_menu(self, menu: list[Any], name: str, can_rebuild_menus: bool = True) -> None:
        for item in menu:
            self.menus[name].remove(item)

    def _refresh_menu(self, name: str) -> None:
        if name not in self.menus:
            raise KitError(f"there is no menu {name}")

    def _notify(
        self,
        text: str,
        hide_after_timeout: bool = True,
        duration: int = 3,
        status: NotificationStatus = NotificationStatus.INFO,
    ) -> None:
        if not isinstance(status, NotificationStatus):
            raise KitError(f"{status!r} is no NotificationStatus")
        self.notifications.append((status.name, text))

    # ---- the extension

    def start(self) -> Any:
        """Enable the extension."""
        module = importlib.import_module("hpvqa_collector.ui")
        (kind,) = [thing for thing in vars(module).values() if isinstance(thing, type) and issubclass(thing, IExt)]

        async def startup() -> None:
            self.extension = kind()
            self.extension.on_startup(EXT_ID)

        self.loop.run_until_complete(startup())
        self.frame()
        return self.extension

    def stop(self) -> None:
        """Disable the extension."""

        async def shutdown() -> None:
            self.extension.on_shutdown()

        self.loop.run_until_complete(shutdown())
        self.frame()
        self.extension = None
        if self.remains() or any(self.menus.values()):
            raise KitError("the extension left a window or a menu behind")
        left = [task for task in asyncio.all_tasks(self.loop) if not task.done()]
        if left:
            raise KitError(f"the extension left tasks behind: {left}")

    def remains(self) -> bool:
        """Whether anything of the extension is still on the screen."""
        return bool(World.windows or World.show_window)

    # ---- time

    def frame(self) -> None:
        """Draw one frame."""

        async def turn() -> None:
            waiting, self.app.waiting = self.app.waiting, []
            for future in waiting:
                if not future.done():
                    future.set_result(1 / 60)
            for _ in range(5):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turn())
        self.draw()
        for task in asyncio.all_tasks(self.loop):
            if task.done() and not task.cancelled() and task.exception() is not None:
                raise task.exception()  # type: ignore[misc]
        if self.logged:
            raise KitError(f"an exception was swallowed: {self.logged}")

    def draw(self) -> None:
        """What the user interface does in a frame."""
        widgets.build_frames()

    def close(self) -> None:
        """Let go of what nothing else uses."""

    def until(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
        """Draw frames until something is so."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise KitError(f"it did not happen within {seconds} seconds; the panel says: {self.texts()}")
            self.frame()
            time.sleep(0.02)
        self.frame()

    # ---- the user

    def window(self) -> Any:
        return World.windows["Hidden Physics"]

    def all(self) -> list[Any]:
        return list(self.window().frame.walk())

    def find(self, identifier: str) -> Any:
        found = [widget for widget in self.all() if widget.identifier == identifier]
        if len(found) != 1:
            raise KitError(f"there are {len(found)} widgets {identifier!r}")
        return found[0]

    def texts(self) -> dict[str, str]:
        """The texts of all labels that can be found by name."""
        return {
            widget.identifier: widget.text
            for widget in self.all()
            if isinstance(widget, self.ui.Label) and widget.identifier
        }

    def click(self, identifier: str) -> None:
        button = self.find(identifier)
        if not button.enabled:
            raise KitError(f"{identifier} is not enabled")
        button.call_clicked_fn()
        self.frame()

    def type(self, identifier: str, value: Any) -> None:
        """Type a value and leave the field."""
        self.find(identifier).model._typed(value)
        self.frame()

    def check(self, identifier: str, on: bool) -> None:
        self.find(identifier).model.set_value(on)
        self.frame()

    def slide(self, identifier: str, value: float) -> None:
        """Move a slider to a value."""
        self.find(identifier).model.set_value(value)
        self.frame()

    def items(self, identifier: str) -> list[str]:
        """What can be chosen."""
        return list(self.find(identifier).items)

    def choose(self, identifier: str, item: str) -> None:
        self.find(identifier).model.get_item_value_model().set_value(self.items(identifier).index(item))
        self.frame()

    def unfold(self, *titles: str) -> None:
        for title in titles:
            self.find(f"section.{title}").fold(False)
        self.frame()

    def pick(self, path: Path) -> None:
        """Choose a file in the dialog that is open."""
        dialog = FileDialog.shown
        if dialog is None:
            raise KitError("no dialog is open")
        dialog.apply(path.name, str(path.parent) + "/")
        self.frame()

    def menu(self, path: str) -> None:
        """Click a menu entry, such as Tools/Replicator/Hidden Physics."""
        self.menu_item(path).onclick_fn()
        self.frame()

    def menu_item(self, path: str) -> MenuItem:
        menu, *names = path.split("/")
        items = self.menus[menu]
        for name in names:
            (item,) = [item for item in items if item.name == name]
            items = item.sub_menu
        return item


@contextmanager
def kit_session(kind: type[Session] = Session) -> Iterator[Session]:
    """A session whose modules can be imported; everything is gone afterwards."""
    session = kind()
    before = dict(sys.modules)
    _forget()
    sys.modules.update(session.modules())
    try:
        yield session
        if session.extension is not None:
            session.stop()
    finally:
        if session.extension is not None and session.extension._collector is not None:
            session.extension._collector.calls.close()
            session.extension._collector.run.leave(end=True)
        _forget()
        for name in session.modules():
            sys.modules.pop(name, None)
        sys.modules.update({name: module for name, module in before.items() if name in session.modules()})
        for task in asyncio.all_tasks(session.loop):
            task.cancel()
        session.loop.run_until_complete(asyncio.sleep(0))
        session.loop.close()
        session.close()


def _forget() -> None:
    for name in [name for name in sys.modules if name.startswith(("hpvqa_collector.ui", "hpvqa_collector.tests"))]:
        del sys.modules[name]
    package = sys.modules.get("hpvqa_collector")
    if package is not None:
        package.__dict__.pop("ui", None)
        package.__dict__.pop("tests", None)
