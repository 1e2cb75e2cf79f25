"""A session of Kit without Kit: modules to import, an app with frames, settings, a stage, menus, and a user."""

from __future__ import annotations

import asyncio
import enum
import importlib
import sys
import time
import types
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.isaac.kit import widgets
from tests.isaac.kit.strict import KitError, World, words

ROOT = Path(__file__).resolve().parents[3]
EXTENSION = ROOT / "exts" / "hpvqa.collector"
EXT_ID = "hpvqa.collector-0.1.0"


class IExt:
    """`omni.ext.IExt`."""

    def on_startup(self, ext_id: str) -> None:
        raise KitError("not overridden")

    def on_shutdown(self) -> None:
        raise KitError("not overridden")


class Settings:
    """`carb.settings`: typed, with defaults."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def _set(self, kind: type, path: str, value: Any) -> None:
        if not path.startswith("/"):
            raise KitError(f"the path of a setting begins with a slash: {path}")
        if type(value) is not kind:
            raise KitError(f"{path} was set to {value!r}, which is no {kind.__name__}")
        self.values[path] = value

    def set_bool(self, path: str, value: bool) -> None:
        self._set(bool, path, value)

    def set_string(self, path: str, value: str) -> None:
        self._set(str, path, value)

    def set_default_bool(self, path: str, value: bool) -> None:
        if path not in self.values:
            self._set(bool, path, value)

    def get_as_bool(self, path: str) -> bool:
        return bool(self.values.get(path, False))

    def get_as_string(self, path: str) -> str:
        return str(self.values.get(path, ""))


class Guard:
    """What keeps an observer alive."""


class Dispatcher:
    """`carb.eventdispatcher`: an observer lives as long as what it gets is held."""

    def __init__(self) -> None:
        self.observers: list[tuple[str, Callable[[Any], None], Any]] = []

    def observe_event(
        self, *, event_name: str, on_event: Callable[[Any], None], observer_name: str, order: int = 0
    ) -> Any:
        guard = Guard()
        self.observers.append((event_name, on_event, weakref.ref(guard)))
        return guard

    def dispatch(self, name: str) -> int:
        """Send an event; returns how many heard it. For tests alone."""
        heard = [fn for event, fn, guard in self.observers if event == name and guard() is not None]
        for fn in heard:
            fn(types.SimpleNamespace(event_name=name))
        return len(heard)


class App:
    """`omni.kit.app.IApp`: frames are drawn when a test says so."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[float]] = []

    def next_update_async(self, name: str = "", order: int = 50) -> asyncio.Future[float]:
        future = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        return future

    def get_extension_manager(self) -> Any:
        return types.SimpleNamespace(get_extension_path=_extension_path)


def _extension_path(ext_id: str) -> str:
    if ext_id != EXT_ID:
        raise KitError(f"there is no extension {ext_id}")
    return str(EXTENSION)


class UsdContext:
    """`omni.usd.UsdContext`, with a real stage from usd-core."""

    def __init__(self) -> None:
        self.stage: Any = None
        self.selected: list[str] = []

    def get_stage(self) -> Any:
        return self.stage

    def get_selection(self) -> Any:
        return types.SimpleNamespace(get_selected_prim_paths=lambda: list(self.selected))

    def stage_event_name(self, event: StageEventType) -> str:
        if not isinstance(event, StageEventType):
            raise KitError(f"{event!r} is no StageEventType")
        return f"stage:{event.name}"


class StageEventType(enum.Enum):
    OPENED, CLOSING, CLOSED = 2, 5, 6


class FileDialog:
    """`FilePickerDialog`; the newest one is answered by `Session.pick`."""

    shown: FileDialog | None = None
    KEYWORDS = words(
        "width height allow_multi_selection apply_button_label click_apply_handler click_cancel_handler",
        "item_filter_fn item_filter_options",
    )

    def __init__(self, title: str, **keywords: Any) -> None:
        if keywords.keys() - self.KEYWORDS:
            raise KitError(f"FilePickerDialog has no {sorted(keywords.keys() - self.KEYWORDS)}")
        self.title, self.apply = title, keywords["click_apply_handler"]
        self.name = self.folder = ""
        self.dead = False

    def set_filename(self, filename: str) -> None:
        self.name = filename

    def show(self, path: str | None = None) -> None:
        self.folder = path or ""
        FileDialog.shown = self

    def hide(self) -> None:
        self._check()

    def destroy(self) -> None:
        self._check()
        self.dead = True
        FileDialog.shown = None

    def _check(self) -> None:
        if self.dead:
            raise KitError("a destroyed dialog was used")


class Session:
    """One start of Kit; use `kit_session`."""

    def __init__(self) -> None:
        World.reset()
        self.loop = asyncio.new_event_loop()
        self.app, self.settings, self.dispatcher, self.usd = App(), Settings(), Dispatcher(), UsdContext()
        self.menus: dict[str, list[Any]] = {}
        self.actions: dict[tuple[str, str], Callable[[], None]] = {}
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
                "omni.kit.menu.utils", add_menu_items=self._add_menu, remove_menu_items=self._remove_menu
            ),
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
            "isaacsim": module("isaacsim"),
            "isaacsim.gui": module("isaacsim.gui"),
            "isaacsim.gui.components": module("isaacsim.gui.components"),
            "isaacsim.gui.components.menu": module(
                "isaacsim.gui.components.menu", make_menu_item_description=self._menu_item
            ),
        }
        for name, made in found.items():
            made.__path__ = []  # type: ignore[attr-defined]
            parent, _, child = name.rpartition(".")
            if parent:
                setattr(found[parent], child, made)
        return found

    def _menu_item(self, ext_id: str, name: str, onclick_fun: Callable[[], None], action_name: str = "") -> Any:
        self.actions[ext_id, name + action_name] = onclick_fun
        return types.SimpleNamespace(name=name, action=(ext_id, name + action_name))

    def _add_menu(
        self, menu: list[Any], name: str, menu_index: int = 0, can_rebuild_menus: bool = True, delegate: Any = None
    ) -> None:
        self.menus.setdefault(name, []).extend(menu)

    def _remove_menu(self, menu: list[Any], name: str, can_rebuild_menus: bool = True) -> None:
        for item in menu:
            self.menus[name].remove(item)

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
        if World.windows or any(self.menus.values()) or World.show_window:
            raise KitError("the extension left a window or a menu behind")
        left = [task for task in asyncio.all_tasks(self.loop) if not task.done()]
        if left:
            raise KitError(f"the extension left tasks behind: {left}")

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
        widgets.build_frames()
        for task in asyncio.all_tasks(self.loop):
            if task.done() and not task.cancelled() and task.exception() is not None:
                raise task.exception()  # type: ignore[misc]
        if self.logged:
            raise KitError(f"an exception was swallowed: {self.logged}")

    def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> None:
        """Draw frames until something is so."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise KitError(f"it did not happen within {seconds} seconds; the panel says: {self.texts()}")
            self.frame()
            time.sleep(0.02)
        self.frame()

    # ---- the user

    def window(self) -> widgets.Window:
        return World.windows["Hidden Physics"]

    def all(self) -> list[widgets.Widget]:
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
            if isinstance(widget, widgets.Label) and widget.identifier
        }

    def click(self, identifier: str) -> None:
        button = self.find(identifier)
        if not button.enabled:
            raise KitError(f"{identifier} is not enabled")
        button.call_clicked_fn()
        self.frame()

    def type(self, identifier: str, value: Any) -> None:
        """Type a value and leave the field."""
        model = self.find(identifier).model
        model.begin_edit()
        model.set_value(value)
        model.end_edit()
        self.frame()

    def check(self, identifier: str, on: bool) -> None:
        self.find(identifier).model.set_value(on)
        self.frame()

    def choose(self, identifier: str, item: str) -> None:
        box = self.find(identifier)
        box.model.get_item_value_model().set_value(box.items.index(item))
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
        """Click a menu entry, such as Tools/Hidden Physics."""
        menu, _, name = path.partition("/")
        (item,) = [item for item in self.menus[menu] if item.name == name]
        self.actions[item.action]()
        self.frame()


@contextmanager
def kit_session() -> Iterator[Session]:
    """A session whose modules can be imported; everything is gone afterwards."""
    session = Session()
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


def _forget() -> None:
    for name in [name for name in sys.modules if name.startswith("hpvqa_collector.ui")]:
        del sys.modules[name]
    package = sys.modules.get("hpvqa_collector")
    if package is not None:
        package.__dict__.pop("ui", None)
