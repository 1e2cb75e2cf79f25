"""The contact sheet: all cameras of an episode at its key moments, and how far things went, in one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hpvqa.errors import UsageError
from hpvqa.probes.events import Span
from hpvqa.record.decode import read_frames
from hpvqa.record.episode import CameraRecord, EpisodeRecord
from hpvqa.record.marks import PAPER, Marker, close_ups, color_of
from hpvqa.record.moments import Moment, frame_at, key_moments, spans

CELL_WIDTH = 240
_GAP = 6
_HEADER = 46
_LABEL = 26
_CAPTION = 22
_FONT = 18
_SMALL = 14
_LARGE = 26
_INK = (25, 25, 28)
_FAINT = (110, 110, 116)


def small_picture(folder: Path, record: EpisodeRecord, width: int = 192) -> Image.Image:
    """What the first camera saw at the middle one of the key moments.

    Raises:
        UsageError: The episode was recorded without clips.
        RunError: The clip cannot be decoded.
    """
    if record.video is None:
        raise UsageError(f"{folder} was recorded without clips (--no-video), so there is nothing to see")
    moments = key_moments(record)
    frame = frame_at(record, moments[len(moments) // 2].time)
    (image,) = frames(folder, record.cameras[0], [frame])
    height = round(width * record.video.height / record.video.width)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def frames(folder: Path, camera: CameraRecord, numbers: list[int]) -> list[Image.Image]:
    """Pictures of a camera's clip, by number.

    Raises:
        RunError: The clip cannot be decoded.
    """
    images = read_frames(folder / f"{camera.camera.name}.mp4", numbers)
    return [Image.fromarray(np.ascontiguousarray(image)) for image in images]


@dataclass(frozen=True)
class _Layout:
    """A block for each camera: its name, its pictures in two lines, and both close-ups beside them [pixels]."""

    cell_height: int
    columns: int
    close_up: int
    marked: int
    blocks: int

    @classmethod
    def of(cls, record: EpisodeRecord, moments: int, marked: int) -> _Layout:
        assert record.video is not None  # noqa: S101 - checked by the caller
        cell_height = round(CELL_WIDTH * record.video.height / record.video.width)
        close_up = 2 * cell_height + _CAPTION + _GAP if marked else 0
        return cls(cell_height, -(-moments // 2), close_up, marked, len(record.cameras))

    @property
    def line(self) -> int:
        return _CAPTION + self.cell_height + _GAP

    @property
    def block(self) -> int:
        return _LABEL + 2 * self.line + _GAP

    @property
    def size(self) -> tuple[int, int]:
        close_ups = self.marked * (self.close_up + _GAP)
        return _GAP + self.columns * (CELL_WIDTH + _GAP) + close_ups, _HEADER + self.blocks * self.block

    def cell(self, block: int, number: int) -> tuple[int, int]:
        """Corner of the caption of a picture."""
        line, column = divmod(number, self.columns)
        return _GAP + column * (CELL_WIDTH + _GAP), _HEADER + block * self.block + _LABEL + line * self.line

    def close_up_at(self, block: int, number: int) -> tuple[int, int]:
        """Corner of the caption of a close-up."""
        x, y = self.cell(block, 0)
        return x + self.columns * (CELL_WIDTH + _GAP) + number * (self.close_up + _GAP), y


def contact_sheet(folder: Path, record: EpisodeRecord) -> Image.Image:
    """Draw the sheet: for every camera a picture of each key moment, and close-ups with how far things went.

    Raises:
        UsageError: The episode was recorded without clips.
        RunError: A clip cannot be decoded.
    """
    if record.video is None:
        raise UsageError(f"{folder} was recorded without clips (--no-video), so there is nothing to put on a sheet")
    moments, shown = key_moments(record), spans(record)
    layout = _Layout.of(record, len(moments), len(shown))
    sheet = Image.new("RGB", layout.size, PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP, 10), title(record), fill=_INK, font=ImageFont.load_default(_FONT))
    numbers = [
        frame_at(record, moment.time) for moment in (*moments, *(Moment(span.seen, "") for span in shown.values()))
    ]
    for block, camera in enumerate(record.cameras):
        _, top = layout.cell(block, 0)
        draw.text((_GAP, top - _LABEL + 2), camera.camera.name, fill=_INK, font=ImageFont.load_default(_FONT))
        pictures = frames(folder, camera, numbers)
        _paste_moments(sheet, layout, block, moments, pictures)
        ends = dict(zip(shown, pictures[len(moments) :], strict=True))
        _paste_close_ups(sheet, layout, block, record, camera, shown, ends)
    return sheet


def _paste_moments(
    sheet: Image.Image, layout: _Layout, block: int, moments: list[Moment], pictures: list[Image.Image]
) -> None:
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_SMALL)
    for number, (moment, picture) in enumerate(zip(moments, pictures, strict=False)):
        x, y = layout.cell(block, number)
        draw.text((x, y + 3), f"{moment.time:.2f} s  {moment.label}", fill=_FAINT, font=font)
        sheet.paste(picture.resize((CELL_WIDTH, layout.cell_height), Image.Resampling.LANCZOS), (x, y + _CAPTION))


def _paste_close_ups(
    sheet: Image.Image,
    layout: _Layout,
    block: int,
    record: EpisodeRecord,
    camera: CameraRecord,
    shown: Mapping[str, Span],
    pictures: Mapping[str, Image.Image],
) -> None:
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_SMALL)
    windows = close_ups(record, camera, shown)
    for number, (name, span) in enumerate(shown.items()):
        x, y = layout.close_up_at(block, number)
        words = f"{span.seen:.2f} s  {name}: {span.words}" if name in windows else f"{name}: out of the picture"
        draw.text((x, y + 3), words, fill=_FAINT, font=font)
        if name in windows:
            picture = windows[name].cut(pictures[name], layout.close_up)
            marker = Marker(picture, camera.camera, pictures[name].size, ImageFont.load_default(_LARGE), windows[name])
            marker.ruler(record.spec.thing(name), color_of(name, record.spec.names), span, span.words)
            sheet.paste(picture, (x, y + _CAPTION))


def title(record: EpisodeRecord) -> str:
    """The episode, its hidden values and its outcome in one line."""
    task, spec = record.task, record.spec
    values = ", ".join(f"{name} {task.words_for(task.hidden_value(spec, name))}" for name in spec.names)
    outcome = f"answer: {task.answer(spec)}" if record.outcome.ok else f"failed: {record.outcome.reason}"
    hidden = task.hidden.replace("_", " ")
    return f"{spec.task} episode {spec.index} (seed {spec.seed})  ·  {hidden}: {values}  ·  {outcome}"
