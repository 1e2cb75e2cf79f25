"""What is drawn into a picture by projection: names of things, and how far each of them went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from hpvqa.probes.events import Span
from hpvqa.record.episode import CameraRecord, EpisodeRecord
from hpvqa.scene.camera import project
from hpvqa.scene.spec import CameraSpec, Thing, Vec3

# Colours of Okabe and Ito (2008), which people with any colour vision can tell apart.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
PAPER = "#FAFAF8"
_HALO = "#FFFFFF"
_CORNERS = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8).T
_CLEARANCE = 0.015
"""Between an object and the ruler beside it [m]."""
_AROUND = 1.25
"""A close-up is this many times as large as what it has to show."""
_SMALLEST = 20.0
"""A close-up shows at least this many pixels of a clip; of fewer, nothing could be made out."""
_BESIDE = 10.0
"""Between a ruler and its text [pixels]."""
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def color_of(name: str, names: Sequence[str]) -> str:
    """The colour of one of the things with these names."""
    return COLORS[names.index(name) % len(COLORS)]


@dataclass(frozen=True)
class Window:
    """A square part of a clip's picture.

    Attributes:
        left: Its left edge [pixels].
        top: Its upper edge [pixels].
        side: Its width and height [pixels].
    """

    left: float
    top: float
    side: float

    def cut(self, picture: Image.Image, size: int) -> Image.Image:
        """This part, ``size`` pixels wide and high."""
        box = (self.left, self.top, self.left + self.side, self.top + self.side)
        return picture.resize((size, size), Image.Resampling.LANCZOS, box=box)


def close_ups(record: EpisodeRecord, camera: CameraRecord, spans: Mapping[str, Span]) -> dict[str, Window]:
    """For each thing that is in the picture, a part of it that shows how far it went; all of one scale."""
    assert record.video is not None  # noqa: S101 - a camera record goes with a clip
    width, height = record.video.width, record.video.height
    seen = {
        name: _outline(camera.camera, (width, height), record.spec.thing(name), span) for name, span in spans.items()
    }
    seen = {
        name: uv for name, uv in seen.items() if ((uv.mean(axis=0) >= 0) & (uv.mean(axis=0) < (width, height))).all()
    }
    largest = max((float(np.ptp(uv, axis=0).max()) for uv in seen.values()), default=0.0)
    side_length = min(max(_AROUND * largest, _SMALLEST), width, height)
    return {name: _around(uv, side_length, width, height) for name, uv in seen.items()}


def _around(uv: NDArray[np.float64], side: float, width: int, height: int) -> Window:
    u, v = (uv.min(axis=0) + uv.max(axis=0)) / 2
    left, top = (float(np.clip(c - side / 2, 0, most - side)) for c, most in ((u, width), (v, height)))
    return Window(left, top, side)


def _corners(thing: Thing) -> NDArray[np.float64]:
    """Corners of the box around a thing, from its centre, shape (8, 3) [m]."""
    half = np.array(thing.size) / 2
    return np.asarray(half * _CORNERS)


def _outline(camera: CameraSpec, size: tuple[int, int], thing: Thing, span: Span) -> NDArray[np.float64]:
    """Pixels (u, v) of the thing's corners at both ends of the span, and of the ruler, shape (n, 2)."""
    corners = _corners(thing)
    points = [corners + span.start, corners + span.end, _ruler(camera, size, thing, span).reshape(-1, 3)]
    return project(camera, np.vstack(points), *size)


def _ruler(camera: CameraSpec, size: tuple[int, int], thing: Thing, span: Span) -> NDArray[np.float64]:
    """The three strokes of a bracket beside a thing, shape (3, 2, 3): the way of its lowest point, and both ends.

    It stands on the outer side, or on the inner one if it is not in the picture there.
    """
    outwards = np.array([0.0, span.beside or (1.0 if span.start[1] >= 0 else -1.0), 0.0])
    ways = [_bracket(thing, span, direction) for direction in (outwards, -outwards)]
    for strokes in ways:
        uv = project(camera, strokes.reshape(-1, 3), *size)
        if ((uv >= 0) & (uv <= size)).all():
            return strokes
    return ways[0]


def _bracket(thing: Thing, span: Span, direction: NDArray[np.float64]) -> NDArray[np.float64]:
    # A spring's foot stays where it is: its plate goes down.
    edge = thing.half_height if thing.shape == "spring" else -thing.half_height
    foot = np.array([span.start, span.end]) + np.array([0.0, 0.0, edge])
    half = thing.size[1] / 2
    line = foot + (half + _CLEARANCE) * direction
    near, far = 0.5 * half * direction, (half + 1.6 * _CLEARANCE) * direction
    return np.array([line, *((point + near, point + far) for point in foot)])


class Marker:
    """Draws into one picture what lies at places of the world.

    Args:
        picture: What a camera saw, or a part of it, at any scale; it is drawn into.
        camera: The camera.
        size: Width and height of the camera's clip [pixels].
        window: Which part of the clip the picture shows; all of it by default.
        font: For all that is written.
    """

    def __init__(
        self, picture: Image.Image, camera: CameraSpec, size: tuple[int, int], font: Font, window: Window | None = None
    ) -> None:
        self._camera = camera
        self._size = size
        self._font = font
        self._draw = ImageDraw.Draw(picture)
        self._picture = picture.size
        self._corner = np.array([window.left, window.top] if window else [0.0, 0.0])
        self._scale = picture.width / (window.side if window else size[0])

    def ruler(self, thing: Thing, color: str, span: Span, text: str) -> None:
        """Draw a bracket along the way of a thing, with ``text`` beside it."""
        strokes = self._points(_ruler(self._camera, self._size, thing, span).reshape(-1, 3)).reshape(3, 2, 2)
        for paint, thickness in ((_HALO, 8), (color, 4)):
            for stroke in strokes:
                self._draw.line([*map(tuple, stroke)], fill=paint, width=thickness)
        body = self._points([np.add(span.start, span.end) / 2])[0]
        self._write(text, *self._beside(strokes, body, text), color)

    def _beside(self, strokes: NDArray[np.float64], body: NDArray[np.float64], text: str) -> tuple[float, float]:
        """Where a text stands beside a bracket, across its line and away from the thing."""
        line = strokes[0]
        across = int(np.abs(np.ptp(line, axis=0)).argmin())
        room = (self._draw.textlength(text, font=self._font), 1.4 * self._line_height())[across] / 2 + _BESIDE
        place = line.mean(axis=0)
        away = place[across] >= body[across]
        place[across] = strokes[..., across].max() + room if away else strokes[..., across].min() - room
        if not room - _BESIDE <= place[across] <= self._picture[across] - room + _BESIDE:
            # No room between the bracket and the edge of the picture: before where it starts.
            place = line[0] + np.array([0.0, np.sign(line[0, 1] - line[1, 1]) * (self._line_height() + _BESIDE)])
        return float(place[0]), float(place[1])

    def name(self, thing: Thing, color: str, position: Vec3) -> None:
        """Write what a thing is called beside it, towards the middle of the picture, where rulers are not."""
        corners = self._points(_corners(thing) + position)
        (u, v), room = corners.mean(axis=0), self._draw.textlength(thing.name, font=self._font) / 2 + _BESIDE
        inwards = corners[:, 0].max() + room if u < self._picture[0] / 2 else corners[:, 0].min() - room
        self._write(thing.name, float(inwards), float(v), color)

    def _points(self, points: ArrayLike) -> NDArray[np.float64]:
        pixels: NDArray[np.float64] = (project(self._camera, points, *self._size) - self._corner) * self._scale
        return pixels

    def _line_height(self) -> float:
        _, top, _, bottom = self._draw.textbbox((0, 0), "Ag", font=self._font)
        return bottom - top

    def _write(self, text: str, u: float, v: float, color: str) -> None:
        """Write around a point, but inside the picture."""
        if not np.isfinite([u, v]).all():
            return
        width, height = self._draw.textlength(text, font=self._font), 1.4 * self._line_height()
        u = min(max(u, width / 2 + 4), self._picture[0] - width / 2 - 4)
        v = min(max(v, height / 2), self._picture[1] - height / 2)
        self._draw.text((u, v), text, fill=color, font=self._font, anchor="mm", stroke_width=4, stroke_fill=_HALO)
