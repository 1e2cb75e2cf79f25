"""Draws the stand-in's widgets, roughly as Kit's dark theme would: pictures for the docs, not a proof of looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from tests.isaac.kit import widgets as ui

SCALE = 2
LINE = 17
PAD = 6
BACK, HEAD, FRAME, FIELD = "#2b2b2b", "#3f3f3f", "#343434", "#1c1c1c"
TEXT, DIM, BLUE = "#d4d4d4", "#7a7a7a", "#3b7ddd"
MARGIN = 8


def draw_window(window: ui.Window, width: int = 500) -> Image.Image:
    """Draw a window with all its content, without scrolling."""
    canvas = Canvas(window.frame, width)
    height = canvas.measure(window.frame, width - 2 * MARGIN) + 2 * MARGIN + 26
    canvas.open(width, height)
    canvas.box(0, 0, width, 24, HEAD)
    canvas.write(MARGIN, 4, window.title, TEXT, 13)
    canvas.paint(window.frame, MARGIN, 24 + MARGIN, width - 2 * MARGIN)
    return canvas.image


def draw_section(window: ui.Window, title: str, width: int = 500) -> Image.Image:
    """Draw one section."""
    (frame,) = [
        widget for widget in window.frame.walk() if isinstance(widget, ui.CollapsableFrame) and widget.title == title
    ]
    canvas = Canvas(window.frame, width)
    height = canvas.measure(frame, width - 2 * MARGIN) + 2 * MARGIN
    canvas.open(width, height)
    canvas.paint(frame, MARGIN, MARGIN, width - 2 * MARGIN)
    return canvas.image


class Canvas:
    """Measures and paints widgets."""

    def __init__(self, root: ui.Widget, width: int) -> None:
        self.style: dict[str, Any] = {}
        for widget in root.walk():
            self.style.update(widget._values.get("style", {}))
        self.image = Image.new("RGB", (1, 1))
        self.pen = ImageDraw.Draw(self.image)

    def open(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), BACK)
        self.pen = ImageDraw.Draw(self.image)

    # ---- measuring

    def measure(self, widget: ui.Widget, width: float) -> int:
        """Height of a widget that is so wide."""
        values = widget._values
        if not values["visible"]:
            return 0
        asked = values.get("height")
        if isinstance(asked, ui.Pixel) and asked > 0:
            return int(asked)
        if isinstance(widget, ui.CollapsableFrame):
            inside = 0 if values["collapsed"] else self._inside(widget, width - 2 * PAD) + 2 * PAD
            return 24 + inside
        if isinstance(widget, ui.HStack):
            parts = zip(widget._children(), self.widths(widget, width), strict=True)
            return max((self.measure(child, part) for child, part in parts), default=0)
        if isinstance(widget, ui.VStack):
            return self._inside(widget, width)
        if isinstance(widget, ui.Container):
            return max((self.measure(child, width) for child in widget._children()), default=0)
        if isinstance(widget, ui.Label):
            return len(self.lines(widget, width)) * LINE if values["text"] else 0
        return 0 if isinstance(widget, ui.Spacer) else 22

    def _inside(self, widget: ui.Container, width: float) -> int:
        spacing = widget._values.get("spacing", 0)
        heights = [self.measure(child, width) for child in widget._children()]
        heights = [height for height in heights if height]
        return int(sum(heights) + spacing * max(len(heights) - 1, 0))

    def widths(self, row: ui.Container, width: float) -> list[float]:
        """How the children of a row share its width."""
        children = row._children()
        fixed = [self.fixed(child) for child in children]
        rest = width - sum(part for part in fixed if part is not None) - row._values["spacing"] * (len(children) - 1)
        free = sum(part is None for part in fixed)
        return [rest / free if part is None else part for part in fixed]

    def fixed(self, widget: ui.Widget) -> float | None:
        asked = widget._values.get("width")
        return float(asked) if isinstance(asked, ui.Pixel) and asked > 0 else None

    def lines(self, label: ui.Widget, width: float) -> list[str]:
        text = label._values["text"]
        if not label._values.get("word_wrap"):
            return text.split("\n")
        font, found = self.font(13), []
        for paragraph in text.split("\n"):
            line = ""
            for word in paragraph.split(" "):
                longer = f"{line} {word}".strip()
                if line and font.getlength(longer) > width * SCALE:
                    found.append(line)
                    line = word
                else:
                    line = longer
            found.append(line)
        return found

    # ---- painting

    def paint(self, widget: ui.Widget, x: float, y: float, width: float, height: float | None = None) -> None:
        values = widget._values
        height = self.measure(widget, width) if height is None else height
        if not values["visible"] or not height:
            return
        if isinstance(widget, ui.CollapsableFrame):
            self.box(x, y, x + width, y + height, FRAME)
            self.box(x, y, x + width, y + 22, HEAD)
            self.write(x + 8, y + 3, ("▸ " if values["collapsed"] else "▾ ") + values["title"], TEXT, 13)
            if not values["collapsed"]:
                for child in widget._children():
                    self.paint(child, x + PAD, y + 22 + PAD, width - 2 * PAD)
        elif isinstance(widget, ui.HStack):
            for child, part in zip(widget._children(), self.widths(widget, width), strict=True):
                own = self.measure(child, part)
                tall = height if isinstance(child, (ui.Button, ui.Container)) or not own else own
                self.paint(child, x, y if isinstance(child, ui.VStack) else y + (height - tall) / 2, part, tall)
                x += part + values["spacing"]
        elif isinstance(widget, ui.VStack):
            for child in widget._children():
                own = self.measure(child, width)
                self.paint(child, x, y, width)
                y += own + values["spacing"] if own else 0
        elif isinstance(widget, ui.Container):
            for child in widget._children():
                self.paint(child, x, y, width)
        else:
            self.leaf(widget, x, y, width, height)

    def leaf(self, widget: ui.Widget, x: float, y: float, width: float, height: float) -> None:
        values = widget._values
        if isinstance(widget, ui.Label):
            size = self.look(widget, "font_size", 13)
            color = self.color(widget, "color", TEXT)
            centered = values.get("alignment") is ui.Alignment.CENTER
            for line in self.lines(widget, width):
                left = x + (width - self.font(13).getlength(line) / SCALE) / 2 if centered else x
                self.write(left, y + 1, line, color, min(size, 16), width)
                y += LINE
        elif isinstance(widget, ui.Button):
            on = values["enabled"]
            self.box(
                x, y, x + width, y + height, self.color(widget, "background_color", "#4a4a4a" if on else "#383838")
            )
            color = self.color(widget, "color", TEXT if on else DIM)
            room = (width - self.font(13).getlength(values["text"]) / SCALE) / 2
            self.write(x + max(room, 3), y + (height - LINE) / 2 + 1, values["text"], color, 13, width)
        elif isinstance(widget, ui.CheckBox):
            self.box(x + 3, y + 3, x + 19, y + 19, FIELD)
            if values["model"].as_bool:
                self.tick(x + 3, y + 3)
        elif isinstance(widget, ui.ProgressBar):
            share = values["model"].as_float
            self.box(x, y, x + width, y + height, FIELD)
            self.box(x, y, x + max(width * share, 1), y + height, BLUE)
            text = values["model"].as_string
            self.write(x + (width - self.font(13).getlength(text) / SCALE) / 2, y + 3, text, TEXT, 13)
        elif isinstance(widget, ui.ComboBox):
            self.box(x, y, x + width, y + height, FIELD)
            self.write(
                x + 5, y + 3, values["items"][values["model"].get_item_value_model().as_int], TEXT, 13, width - 22
            )
            self.write(x + width - 16, y + 3, "▾", DIM, 13)
        elif isinstance(widget, ui.ImageWithProvider):
            with Image.open(Path(values["source"])) as picture:
                size = (round(width * SCALE), round(height * SCALE))
                picture = picture.convert("RGB")
                picture.thumbnail(size, Image.Resampling.LANCZOS)
                self.image.paste(picture, (round(x * SCALE), round(y * SCALE + (size[1] - picture.height) / 2)))
        elif isinstance(widget, ui.Field):
            self.box(x, y, x + width, y + height, FIELD)
            model = values["model"]
            text = f"{model.as_float:g}" if isinstance(widget, ui.FloatField) else model.as_string
            self.write(x + 5, y + 3, text, TEXT, 13, width - 8)

    # ---- pens

    def box(self, left: float, top: float, right: float, bottom: float, color: str) -> None:
        corners = [round(part * SCALE) for part in (left, top, right, bottom)]
        self.pen.rounded_rectangle(corners, 3 * SCALE, fill=color)

    def tick(self, x: float, y: float) -> None:
        points = [(round((x + dx) * SCALE), round((y + dy) * SCALE)) for dx, dy in ((4, 8), (7, 12), (13, 4))]
        self.pen.line(points, fill="#7ec37e", width=2 * SCALE)

    def write(self, x: float, y: float, text: str, color: str, size: int, width: float | None = None) -> None:
        font = self.font(size)
        if width is not None and font.getlength(text) > width * SCALE:
            while text and font.getlength(text + "…") > width * SCALE:
                text = text[:-1]
            text += "…"
        self.pen.text((round(x * SCALE), round(y * SCALE)), text, fill=color, font=font)

    def font(self, size: int) -> Any:
        for name in ("DejaVuSans.ttf", "LiberationSans-Regular.ttf"):
            try:
                return ImageFont.truetype(name, round((size - 1) * SCALE))
            except OSError:
                continue
        return ImageFont.load_default(size * SCALE)

    def look(self, widget: ui.Widget, key: str, default: Any) -> Any:
        base = f"{type(widget).__name__}::{widget._values['name']}"
        found = self.style.get(base, {}).get(key, default)
        if not widget._values["enabled"]:
            found = self.style.get(f"{base}:disabled", {}).get(key, found)
        return found

    def color(self, widget: ui.Widget, key: str, default: str) -> str:
        found = self.look(widget, key, default)
        if isinstance(found, str):
            return found
        return f"#{found & 0xFF:02x}{found >> 8 & 0xFF:02x}{found >> 16 & 0xFF:02x}"
