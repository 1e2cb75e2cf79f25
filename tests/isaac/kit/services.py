"""What Kit offers an extension besides widgets, as far as the panel uses it: settings, events, an app, a stage."""

from __future__ import annotations

import asyncio
import enum
import types
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.isaac.kit.strict import KitError, words

ROOT = Path(__file__).resolve().parents[3]
EXTENSION = ROOT / "exts" / "hpvqa.collector"
EXT_ID = "hpvqa.collector-0.2.0"


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


@dataclass
class MenuItem:
    """`MenuItemDescription`, as far as the panel uses it."""

    name: str = ""
    sub_menu: list[MenuItem] = field(default_factory=list)
    ticked: bool = False
    ticked_fn: Callable[..., bool] | None = None
    onclick_fn: Callable[..., None] | None = None


class NotificationStatus(enum.Enum):
    INFO, WARNING = 1, 0


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
