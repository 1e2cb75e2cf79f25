"""How strict the stand-in of `omni.ui` is: its errors, its units and names of values, and what keywords may be."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.isaac.kit.widgets import Container, Frame, Window


def words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


COMMON = words(
    "style width height name style_type_name_override visible visible_min visible_max tooltip tooltip_fn enabled",
    "selected checked opaque_for_mouse_events skip_draw_when_clipped identifier mouse_moved_fn mouse_pressed_fn",
    "mouse_released_fn mouse_double_clicked_fn mouse_wheel_fn mouse_hovered_fn key_pressed_fn drag_fn accept_drop_fn",
    "drop_fn computed_content_size_changed_fn checked_changed_fn",
)
TYPES: dict[str, Any] = {
    "name": str,
    "tooltip": str,
    "identifier": str,
    "style": dict,
    "enabled": bool,
    "visible": bool,
    "collapsed": bool,
    "word_wrap": bool,
    "elided_text": bool,
    "read_only": bool,
    "multiline": bool,
    "title": str,
    "text": str,
    "spacing": (int, float),
}


class KitError(AssertionError):
    """Something that Kit would ignore, or that would crash it."""


class Length(float):
    """A length with a unit."""


class Pixel(Length):
    """Pixels."""


class Fraction(Length):
    """A share of what is left."""


class Percent(Length):
    """A share of all."""


class Alignment(enum.Enum):
    LEFT_TOP, LEFT_CENTER, LEFT_BOTTOM, CENTER_TOP, CENTER, CENTER_BOTTOM = range(6)
    RIGHT_TOP, RIGHT_CENTER, RIGHT_BOTTOM, LEFT, RIGHT, H_CENTER, TOP, BOTTOM, V_CENTER = range(6, 15)


class DockPreference(enum.Enum):
    DISABLED, MAIN, RIGHT, LEFT, RIGHT_TOP, RIGHT_BOTTOM, LEFT_BOTTOM = range(7)


class DockPolicy(enum.Enum):
    DO_NOTHING, CURRENT_WINDOW_IS_ACTIVE, TARGET_WINDOW_IS_ACTIVE = range(3)


class IwpFillPolicy(enum.Enum):
    IWP_STRETCH, IWP_PRESERVE_ASPECT_FIT, IWP_PRESERVE_ASPECT_CROP = range(3)


class World:
    """What all widgets of one session share."""

    stack: list[Container] = []  # noqa: RUF012 - one for all
    windows: dict[str, Window] = {}  # noqa: RUF012
    to_build: list[Frame] = []  # noqa: RUF012
    show_window: dict[str, Callable[[bool], None]] = {}  # noqa: RUF012
    thread = threading.get_ident()

    @classmethod
    def reset(cls) -> None:
        cls.stack, cls.windows, cls.to_build, cls.show_window = [], {}, [], {}
        cls.thread = threading.get_ident()

    @classmethod
    def check_thread(cls) -> None:
        if threading.get_ident() != cls.thread:
            raise KitError("the user interface was touched from another thread")


def checked(kind: type, name: str, value: Any) -> Any:
    if name in {"width", "height"}:
        if isinstance(value, Length):
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise KitError(f"{kind.__name__}.{name} is no length: {value!r}")
        return Pixel(value)
    if name == "alignment" and not isinstance(value, Alignment):
        raise KitError(f"{kind.__name__}.alignment takes an Alignment, not {value!r}")
    if name == "fill_policy" and not isinstance(value, IwpFillPolicy):
        raise KitError(f"{kind.__name__}.fill_policy takes an IwpFillPolicy, not {value!r}")
    if name.endswith("_fn") and not callable(value):
        raise KitError(f"{kind.__name__}.{name} is not callable: {value!r}")
    if name in TYPES and not isinstance(value, TYPES[name]):
        raise KitError(f"{kind.__name__}.{name} has the wrong type: {value!r}")
    return value
