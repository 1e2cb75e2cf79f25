"""A strict stand-in of `omni.ui`: what Kit ignores or only logs, raises here.

Written from the public signatures that tests/isaac/names-kit.yaml lists. Unknown keywords, wrong types, widgets outside
of containers, other threads, and use after `destroy` are errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.isaac.kit.models import (
    AbstractValueModel,
    ItemModel,
    SimpleBoolModel,
    SimpleFloatModel,
    SimpleIntModel,
    SimpleStringModel,
    ValueModel,
)
from tests.isaac.kit.strict import (
    COMMON,
    Alignment,
    DockPolicy,
    DockPreference,
    Fraction,
    IwpFillPolicy,
    KitError,
    Length,
    Percent,
    Pixel,
    World,
    checked,
    words,
)


class Widget:
    """Base of all widgets."""

    KEYWORDS: frozenset[str] = frozenset()
    SETTABLE: frozenset[str] = frozenset({"name", "tooltip", "visible", "enabled", "style", "identifier"})
    DEFAULTS: dict[str, Any] = {"enabled": True, "visible": True, "tooltip": "", "name": "", "identifier": ""}  # noqa: RUF012

    def __init__(self, **keywords: Any) -> None:
        World.check_thread()
        unknown = keywords.keys() - COMMON - self.KEYWORDS
        if unknown:
            raise KitError(f"{type(self).__name__} has no keyword {', '.join(sorted(unknown))}; Kit would ignore it")
        values = {**self.DEFAULTS, **{key: checked(type(self), key, value) for key, value in keywords.items()}}
        object.__setattr__(self, "_values", values)
        object.__setattr__(self, "_dead", False)
        object.__setattr__(self, "_parent", None)
        if not World.stack:
            raise KitError(f"a {type(self).__name__} was made outside of any container")
        World.stack[-1]._adopt(self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        values = object.__getattribute__(self, "_values")
        self._check()
        if name in values:
            return values[name]
        raise KitError(f"{type(self).__name__} has no attribute {name}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        World.check_thread()
        self._check()
        if name not in self.SETTABLE:
            raise KitError(f"{type(self).__name__}.{name} cannot be set")
        self._values[name] = checked(type(self), name, value)

    def _check(self) -> None:
        if object.__getattribute__(self, "_dead"):
            raise KitError(f"a destroyed {type(self).__name__} was used ({self._values.get('identifier')})")

    def set_tooltip(self, tooltip_label: str) -> None:
        self.tooltip = tooltip_label

    def destroy(self) -> None:
        for child in self._children():
            child.destroy()
        self._dead = True

    def _children(self) -> list[Widget]:
        return []

    def walk(self) -> Iterator[Widget]:
        """This widget and all below it; for tests alone."""
        yield self
        for child in self._children():
            yield from child.walk()


class Container(Widget):
    """A widget with others inside."""

    def __init__(self, **keywords: Any) -> None:
        self._inside: list[Widget] = []
        super().__init__(**keywords)

    def __enter__(self) -> Container:
        self._check()
        World.stack.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        if World.stack.pop() is not self:
            raise KitError("containers were left in another order than they were entered")

    def _adopt(self, widget: Widget) -> None:
        widget._parent = self
        self._inside.append(widget)

    def _children(self) -> list[Widget]:
        return list(self._inside)

    def clear(self) -> None:
        for child in self._inside:
            child.destroy()
        self._inside.clear()


class Stack(Container):
    KEYWORDS = frozenset({"spacing", "content_clipping", "direction", "send_mouse_events_to_back"})
    DEFAULTS = {**Widget.DEFAULTS, "spacing": 0}  # noqa: RUF012


class VStack(Stack):
    pass


class HStack(Stack):
    pass


class ZStack(Stack):
    pass


class Frame(Container):
    """Holds one widget; `build_fn` runs when the next frame is drawn."""

    KEYWORDS = frozenset({"horizontal_clipping", "vertical_clipping", "separate_window", "raster_policy", "build_fn"})

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        if "build_fn" in keywords:
            World.to_build.append(self)

    def _adopt(self, widget: Widget) -> None:
        # A frame has one child: a second one takes the place of the first.
        self.clear()
        super()._adopt(widget)

    def set_build_fn(self, fn: Callable[[], None]) -> None:
        self._values["build_fn"] = checked(Frame, "build_fn", fn)
        World.to_build.append(self)

    def rebuild(self) -> None:
        self._check()
        World.check_thread()
        if "build_fn" not in self._values:
            raise KitError("a frame without build_fn cannot be rebuilt")
        if self not in World.to_build:
            World.to_build.append(self)

    def _build(self) -> None:
        self.clear()
        with self:
            self._values["build_fn"]()


class CollapsableFrame(Frame):
    KEYWORDS = Frame.KEYWORDS | {"collapsed", "title", "alignment", "build_header_fn", "collapsed_changed_fn"}
    SETTABLE = Widget.SETTABLE | {"collapsed", "title"}
    DEFAULTS = {**Widget.DEFAULTS, "collapsed": False, "collapsed_changed_fn": None}  # noqa: RUF012

    def __init__(self, title: str = "", **keywords: Any) -> None:
        super().__init__(title=title, **keywords)

    def fold(self, collapsed: bool) -> None:
        """What a click on the title does; for tests alone."""
        self.collapsed = collapsed
        if self.collapsed_changed_fn:
            self.collapsed_changed_fn(collapsed)


class ScrollingFrame(Frame):
    KEYWORDS = Frame.KEYWORDS | {"scroll_x", "scroll_y", "horizontal_scrollbar_policy", "vertical_scrollbar_policy"}


class Spacer(Widget):
    pass


class Label(Widget):
    KEYWORDS = frozenset({"alignment", "word_wrap", "elided_text", "elided_text_str", "hide_text_after_hash"})
    SETTABLE = Widget.SETTABLE | {"text", "alignment", "word_wrap"}

    def __init__(self, text: str, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.text = text


class Button(Widget):
    KEYWORDS = frozenset({"clicked_fn", "text", "image_url", "image_width", "image_height", "spacing"})
    SETTABLE = Widget.SETTABLE | {"text"}

    def __init__(self, text: str = "", **keywords: Any) -> None:
        super().__init__(**keywords)
        self.text = text

    def call_clicked_fn(self) -> None:
        self.clicked_fn()


class Field(Widget):
    MODEL: Callable[[], ValueModel] = SimpleStringModel

    def __init__(self, model: AbstractValueModel | None = None, **keywords: Any) -> None:
        if model is not None and not isinstance(model, AbstractValueModel):
            raise KitError(f"{type(self).__name__} takes a model, not {model!r}")
        super().__init__(**keywords)
        self._values["model"] = model or self.MODEL()


class StringField(Field):
    KEYWORDS = frozenset({"password_mode", "read_only", "multiline", "allow_tab_input"})


class IntField(Field):
    MODEL = SimpleIntModel


class FloatField(Field):
    MODEL = SimpleFloatModel


class FloatSlider(Field):
    MODEL = SimpleFloatModel
    KEYWORDS = frozenset({"min", "max", "step", "format", "precision"})


class CheckBox(Field):
    MODEL = SimpleBoolModel


class ProgressBar(Field):
    MODEL = SimpleFloatModel


class ComboBox(Widget):
    def __init__(self, index: int, *items: str, **keywords: Any) -> None:
        if not isinstance(index, int) or not all(isinstance(item, str) for item in items):
            raise KitError("a ComboBox takes an index and strings")
        super().__init__(**keywords)
        self._values["model"] = ItemModel(index, items)
        self._values["items"] = items


class ImageWithProvider(Widget):
    KEYWORDS = frozenset({"alignment", "fill_policy", "pixel_aligned"})

    def __init__(self, source: Any, **keywords: Any) -> None:
        if not isinstance(source, str):
            raise KitError("this stand-in knows ImageWithProvider with an address alone")
        super().__init__(**keywords)
        self._values["source"] = source


class Window:
    """A window; its frame is the container."""

    KEYWORDS = words(
        "flags visible title padding_x padding_y width height position_x position_y auto_resize noTabBar tabBarTooltip",
        "exclusive_keyboard detachable raster_policy fill_app_window width_changed_fn height_changed_fn",
        "visibility_changed_fn",
    )

    def __init__(
        self,
        title: str,
        dockPreference: DockPreference = DockPreference.DISABLED,  # noqa: N803 - Kit's own name
        **keywords: Any,
    ) -> None:
        World.check_thread()
        unknown = keywords.keys() - self.KEYWORDS
        if unknown:
            raise KitError(f"Window has no keyword {', '.join(sorted(unknown))}; Kit would ignore it")
        if not isinstance(dockPreference, DockPreference):
            raise KitError(f"dockPreference takes a DockPreference, not {dockPreference!r}")
        if title in World.windows:
            raise KitError(f"there is a window {title!r} already")
        self.title, self.size = title, (keywords.get("width", 0), keywords.get("height", 0))
        self._visible = bool(keywords.get("visible", True))
        self._on_visibility: Callable[[bool], None] | None = keywords.get("visibility_changed_fn")
        self._dead = False
        root = object.__new__(Frame)
        for name, value in {"_inside": [], "_values": dict(Widget.DEFAULTS), "_dead": False, "_parent": None}.items():
            object.__setattr__(root, name, value)
        self._frame = root
        self.docked_in, self.selected_in_dock = "", False
        World.windows[title] = self

    def _check(self) -> None:
        if self._dead:
            raise KitError(f"the destroyed window {self.title!r} was used")

    @property
    def frame(self) -> Frame:
        self._check()
        return self._frame

    @property
    def visible(self) -> bool:
        self._check()
        return self._visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._check()
        if visible != self._visible:
            self._visible = visible
            if self._on_visibility is not None:
                self._on_visibility(visible)

    def set_visibility_changed_fn(self, fn: Callable[[bool], None] | None) -> None:
        self._check()
        self._on_visibility = fn

    def deferred_dock_in(self, target_window: str, active_window: DockPolicy = DockPolicy.DO_NOTHING) -> None:
        self._check()
        if not isinstance(active_window, DockPolicy):
            raise KitError(f"deferred_dock_in takes a DockPolicy, not {active_window!r}")
        self.docked_in = target_window
        self.selected_in_dock = active_window is DockPolicy.CURRENT_WINDOW_IS_ACTIVE

    @property
    def docked(self) -> bool:
        return bool(self.docked_in)

    def focus(self) -> None:
        self._check()
        self.selected_in_dock = True

    def destroy(self) -> None:
        self._check()
        self._frame.destroy()
        self._dead = True
        del World.windows[self.title]


class Workspace:
    @staticmethod
    def set_show_window_fn(title: str, fn: Callable[[bool], None] | None) -> None:
        if fn is None:
            World.show_window.pop(title, None)
        else:
            World.show_window[title] = fn

    @staticmethod
    def show_window(title: str, show: bool = True) -> None:
        World.show_window[title](show)

    @staticmethod
    def get_window(title: str) -> Window | None:
        return World.windows.get(title)


def build_frames() -> None:
    """Run the build functions that are due, as drawing a frame does."""
    while World.to_build:
        frame = World.to_build.pop(0)
        if not frame._dead:
            frame._build()


PUBLIC = (
    *(Length, Pixel, Fraction, Percent, Alignment, DockPreference, DockPolicy, IwpFillPolicy),
    *(Widget, VStack, HStack, ZStack, Frame, CollapsableFrame, ScrollingFrame, Spacer, Label, Button),
    *(
        AbstractValueModel,
        SimpleStringModel,
        SimpleIntModel,
        SimpleFloatModel,
        SimpleBoolModel,
        StringField,
        IntField,
        FloatField,
        FloatSlider,
    ),
    *(CheckBox, ProgressBar, ComboBox, ImageWithProvider, Window, Workspace),
)
