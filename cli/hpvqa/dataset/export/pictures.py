"""Frames as files, and chat messages about them, for trainers that take a video as a list of pictures."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hpvqa.dataset.export.base import Example, Job, by_clip
from hpvqa.files import link_or_copy, write_text

TAG = "<video>"
"""Where a video stands in a text."""
_ALIKE = 0.02
"""Rates that differ by this share count as one: a frame is at most half a frame of its clip from its even place."""


def png(image: NDArray[np.uint8]) -> bytes:
    """A picture, RGB of shape (height, width, 3), as a PNG file: nothing is lost."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="png")
    return file.getvalue()


def chat(example: Example, tag: str = "") -> list[dict[str, str]]:
    """The messages of an example: what a model is told, what it is asked after the video, the answer."""
    told = [{"role": "system", "content": example.system}] if example.system else []
    return [
        *told,
        {"role": "user", "content": tag + example.text},
        {"role": "assistant", "content": example.row.answer},
    ]


def place(example: Example) -> PurePosixPath:
    """Where a clip or its frames lie in an export, without an ending."""
    return PurePosixPath(example.split) / PurePosixPath(example.row.file_name).with_suffix("")


def write_videos(root: Path, job: Job) -> tuple[dict[Path, str | list[str]], list[float | None]]:
    """Write the clips, or the frames that are seen of them.

    Returns:
        By clip, the file or the list of files, relative to the root; and, of the frames of each clip that are
        written, how many a second they are [1/s], None if they are not evenly spaced.

    Raises:
        RunError: A clip is damaged.
    """
    clips = by_clip(job.examples)
    job.reporter.start("export", "clips", len(clips))
    videos: dict[Path, str | list[str]] = {}
    rates: list[float | None] = []
    firsts = [examples[0] for examples in clips]
    if job.media == "clips":
        for first in firsts:
            name = f"clips/{place(first)}.mp4"
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(first.clip.resolve(strict=True), target)
            videos[first.clip] = name
            job.reporter.item(name)
    else:
        for first, found in zip(firsts, job.look(firsts), strict=True):
            folder = f"frames/{place(first)}"
            (root / folder).mkdir(parents=True, exist_ok=True)
            names = [f"{folder}/{number:03d}.png" for number in range(len(found.images))]
            for name, image in zip(names, found.images, strict=True):
                (root / name).write_bytes(png(image))
            videos[first.clip] = names
            rates.append(found.rate)
            job.reporter.item(folder)
    job.reporter.done()
    return videos, rates


def common_rate(rates: Sequence[float | None], wanted: float) -> float | None:
    """Frames a second [1/s] of all clips, the wanted one if possible; None if they differ or are not evenly spaced."""
    known = [rate for rate in rates if rate is not None]
    if len(known) == len(rates):
        for rate in (wanted, *known[:1]):
            if all(abs(found / rate - 1) <= _ALIKE for found in known):
                return round(rate, 2)
    return None


def most_pixels(job: Job) -> int:
    """How many pixels a picture has at the most."""
    size = job.sampling.get("resolution")
    return size[0] * size[1] if size else max(one.row.width * one.row.height for one in job.examples)


def uneven_note(rate: float | None) -> list[str]:
    """A note where a trainer cannot be told when frames were seen."""
    if rate is not None:
        return []
    return [
        "The frames of these clips have no one rate, and the trainer is told a single one: "
        "export each task by itself, or choose frames with --sampler uniform"
    ]


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines.

    Raises:
        RunError: The disk does not take it.
    """
    write_text(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
