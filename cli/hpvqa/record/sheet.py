"""The contact sheet: all cameras of an episode at its key moments, in one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hpvqa.errors import UsageError
from hpvqa.record.decode import read_frames
from hpvqa.record.episode import EpisodeRecord
from hpvqa.record.moments import Moment, frame_at, key_moments

CELL_WIDTH = 360
_GAP = 6
_HEADER = 64
_LABEL = 26
_FONT = 18
_PAPER = (250, 250, 248)
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
    (image,) = read_frames(folder / f"{record.cameras[0].camera.name}.mp4", [frame])
    height = round(width * record.video.height / record.video.width)
    return Image.fromarray(np.ascontiguousarray(image)).resize((width, height), Image.Resampling.LANCZOS)


def contact_sheet(folder: Path, record: EpisodeRecord) -> Image.Image:
    """Draw the sheet: a row for every camera, a column for every key moment.

    Raises:
        UsageError: The episode was recorded without clips.
        RunError: A clip cannot be decoded.
    """
    if record.video is None:
        raise UsageError(f"{folder} was recorded without clips (--no-video), so there is nothing to put on a sheet")
    moments = key_moments(record)
    cell_height = round(CELL_WIDTH * record.video.height / record.video.width)
    width = len(moments) * (CELL_WIDTH + _GAP) + _GAP
    height = _HEADER + len(record.cameras) * (cell_height + _LABEL + _GAP) + _GAP
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_FONT)
    draw.text((_GAP, 8), title(record), fill=_INK, font=font)
    _draw_columns(draw, moments, font)
    frames = [frame_at(record, moment.time) for moment in moments]
    for row, camera in enumerate(record.cameras):
        top = _HEADER + row * (cell_height + _LABEL + _GAP)
        draw.text((_GAP, top + 2), camera.camera.name, fill=_FAINT, font=font)
        images = read_frames(folder / f"{camera.camera.name}.mp4", frames)
        for column, image in enumerate(images):
            cell = Image.fromarray(np.ascontiguousarray(image)).resize(
                (CELL_WIDTH, cell_height), Image.Resampling.LANCZOS
            )
            sheet.paste(cell, (_GAP + column * (CELL_WIDTH + _GAP), top + _LABEL))
    return sheet


def title(record: EpisodeRecord) -> str:
    """The episode, its hidden values and its outcome in one line."""
    task, spec = record.task, record.spec
    unit = {"mass": " kg", "restitution": ""}[task.hidden]
    values = ", ".join(f"{side} {task.hidden_value(spec, side):.2f}{unit}" for side in ("left", "right"))
    outcome = f"answer: {task.answer(spec)}" if record.outcome.ok else f"failed: {record.outcome.reason}"
    return f"{spec.task} episode {spec.index} (seed {spec.seed})  ·  {task.hidden}: {values}  ·  {outcome}"


def _draw_columns(
    draw: ImageDraw.ImageDraw, moments: list[Moment], font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    for column, moment in enumerate(moments):
        x = _GAP + column * (CELL_WIDTH + _GAP)
        draw.text((x, 36), f"{moment.time:.2f} s  {moment.label}", fill=_INK, font=font)
