"""The real `omni.ui` in place of the stand-in: NVIDIA's own widgets from its package `ovui`, drawn without a screen.

Menus, settings, stage and app stay the stand-in's. A user here has a mouse and a keyboard.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.isaac.kit.session import Session
from tests.isaac.kit.strict import KitError

_ENTER, _DELETE, _CONTROL, _A = 525, 522, 527, 546
_ERROR = "[omni.ui] [error]"
_CALLS = (
    "cuCtxCreate_v2 cuCtxDestroy_v2 cuDestroyExternalMemory cuDeviceGet cuExternalMemoryGetMappedBuffer "
    "cuImportExternalMemory cuInit cuMemcpyDtoH_v2"
)
_DRIVER = "".join(f"int {name}(void) {{ return 100; }}\n" for name in _CALLS.split())
"""In place of the library of NVIDIA's driver, which omni.ui links to: every call says that there is no device."""


def is_installed() -> bool:
    """Whether this Python has the real `omni.ui`."""
    try:
        version("ovui")
    except PackageNotFoundError:
        return False
    return True


@cache
def omni_ui(width: int = 540, height: int = 500) -> Any:
    """The module `omni.ui`, with a screen that is drawn into memory; there is one for a process.

    Args:
        width: Of the screen [pixels].
        height: The same; a small one is drawn faster.
    """
    os.environ.update(OMNIUI_HEADLESS="1", OMNIUI_BACKEND="vulkan")
    _load_driver()
    import omni.ui as ui
    from omni.ui import standalone, testing  # noqa: F401 - the second becomes an attribute

    standalone.init("panel", width, height)
    return ui


def _load_driver() -> None:
    try:
        ctypes.CDLL("libcuda.so.1", mode=ctypes.RTLD_GLOBAL)
    except OSError:
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder, "libcuda.so.1")
            source = library.with_suffix(".c")
            source.write_text(_DRIVER)
            command = ["cc", "-shared", "-fPIC", "-Wl,-soname,libcuda.so.1", "-o", str(library), str(source)]
            subprocess.run(command, check=True)
            ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


class RealSession(Session):
    """A session whose user interface is real."""

    SIZE = (540, 500)
    """The screen, all of which the panel fills [pixels]."""

    def __init__(self) -> None:
        super().__init__()
        self.ui = omni_ui(*self.SIZE)
        self._native = self.ui._ui
        self._said = Said()

    def modules(self) -> dict[str, Any]:
        found = super().modules()
        found["omni.ui"] = found["omni"].ui = self.ui  # type: ignore[attr-defined]
        return found

    def close(self) -> None:
        # A test that failed left it open; the screen is that of all tests.
        if self._shown() is not None:
            self.extension._window.destroy()
            self.tick(2)
        self._said.close()

    def draw(self) -> None:
        # A frame that is to be built anew is built while the next one is drawn, and has a place after that.
        for _ in range(2):
            self.tick()
        window = self._shown()
        if window is not None and (window.position_x, window.width, window.height) != (0, *self.SIZE):
            window.position_x = window.position_y = 0
            window.width, window.height = self.SIZE
            self.draw()
        self.logged.extend(self._said.errors())

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.ui.standalone._tick_one_frame()

    def remains(self) -> bool:
        window = self.ui.Workspace.get_window("Hidden Physics")
        return window is not None and window.visible

    def screenshot(self, path: Path) -> None:
        """Write what is on the screen to a file."""
        self._native._inject_mouse_move(*self.SIZE)
        self.tick(3)
        if not self.ui.testing.capture_screenshot(str(path)):
            raise KitError("no picture was taken")

    # ---- the user

    def _shown(self) -> Any:
        return self.extension._window and self.extension._window._window if self.extension is not None else None

    def window(self) -> Any:
        return self._shown()

    def all(self) -> list[Any]:
        def walk(widget: Any) -> Iterator[Any]:
            yield widget
            for child in self.ui.Inspector.get_children(widget):
                yield from walk(child)

        return list(walk(self.window().frame))

    def items(self, identifier: str) -> list[str]:
        model = self.find(identifier).model
        return [model.get_item_value_model(item, 0).as_string for item in model.get_item_children(None)]

    def click(self, identifier: str) -> None:
        button = self.find(identifier)
        if not button.enabled:
            raise KitError(f"{identifier} is not enabled")
        self.press(button)
        self.frame()

    def press(self, widget: Any, *, across: float | None = None, down: float | None = None) -> None:
        """Move the mouse onto a widget, and press and release its button."""
        widget.scroll_here_y(0.5)
        self.tick(3)
        x = widget.screen_position_x + (widget.computed_width / 2 if across is None else across)
        y = widget.screen_position_y + (widget.computed_height / 2 if down is None else down)
        if not (0 < x < self.SIZE[0] and 0 < y < self.SIZE[1]):
            raise KitError(f"{widget.identifier} is not on the screen: {x:g}, {y:g}")
        self._native._inject_mouse_move(x, y)
        self.tick(2)
        for pressed in (True, False):
            self._native._inject_mouse_button(0, pressed)
            self.tick(1 + (not pressed))

    def type(self, identifier: str, value: Any) -> None:
        self.press(self.find(identifier))
        self._keys(_CONTROL, _A)
        self._keys(_DELETE)
        self._native._inject_text_input(str(value))
        self.tick(2)
        self._keys(_ENTER)
        self.frame()

    def _keys(self, *keys: int) -> None:
        for key in keys:
            self._native._inject_key_event(key, True)
        self.tick()
        for key in reversed(keys):
            self._native._inject_key_event(key, False)
        self.tick()

    def check(self, identifier: str, on: bool) -> None:
        box = self.find(identifier)
        if box.model.as_bool != on:
            self.press(box)
        self.frame()

    def slide(self, identifier: str, value: float) -> None:
        slider = self.find(identifier)
        self.press(slider, across=slider.computed_width * (value - slider.min) / (slider.max - slider.min))
        self.frame()

    def choose(self, identifier: str, item: str) -> None:
        self.find(identifier).model.get_item_value_model().set_value(self.items(identifier).index(item))
        self.frame()

    def unfold(self, *titles: str, fold: bool = False) -> None:
        for title in titles:
            section = self.find(f"section.{title}")
            if section.collapsed != fold:
                self.press(section, across=40, down=8)
                self.tick(2)
            if section.collapsed != fold:
                raise KitError(f"{title} cannot be folded or unfolded")
        self.frame()


class Said:
    """What `omni.ui` writes to the standard error: exceptions of callbacks among it, which it swallows."""

    def __init__(self) -> None:
        self._file = tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace")  # noqa: SIM115
        # Opened a second time: one file that is read and written would have one place for both.
        writer = os.open(self._file.name, os.O_WRONLY | os.O_APPEND)
        sys.stderr.flush()
        self._before = os.dup(2)
        os.dup2(writer, 2)
        os.close(writer)

    def errors(self) -> list[str]:
        """New errors; what was said is passed on."""
        text = self._file.read()
        os.write(self._before, text.encode())
        return [line for line in text.splitlines() if _ERROR in line]

    def close(self) -> None:
        os.dup2(self._before, 2)
        os.close(self._before)
        self._file.close()
