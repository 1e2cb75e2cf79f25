"""How well a person sees the answer in each clip of an episode, measured in pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hpvqa.probes.events import Span
from hpvqa.record.episode import CameraRecord, EpisodeRecord
from hpvqa.record.moments import spans
from hpvqa.scene.camera import project
from hpvqa.scene.spec import CameraSpec


@dataclass(frozen=True)
class Sight:
    """What one camera shows of the answer.

    Attributes:
        camera: The camera.
        pixels: By how much the thing that went further did so in the picture [pixels], or how far a thing alone went; 0
            where part of the way of either lies outside the picture.
    """

    camera: CameraSpec
    pixels: float


def clearest(record: EpisodeRecord) -> Sight:
    """The camera that shows the answer best; the first one where nothing was measured.

    Raises:
        ValueError: The episode was recorded without clips.
    """
    if not record.cameras:
        raise ValueError("the episode has no clips")
    return max((_sight(record, camera) for camera in record.cameras), key=lambda sight: sight.pixels)


def _sight(record: EpisodeRecord, camera: CameraRecord) -> Sight:
    further = sorted(spans(record).values(), key=lambda span: -span.length)
    seen = [_pixels(record, camera.camera, span) for span in further]
    if not seen or not np.isfinite(seen).all():
        return Sight(camera.camera, 0.0)
    # Of a thing alone, its own way tells the answer.
    return Sight(camera.camera, max(0.0, seen[0] - (seen[1] if len(seen) > 1 else 0.0)))


def _pixels(record: EpisodeRecord, camera: CameraSpec, span: Span) -> float:
    """Length of a span in a clip [pixels]; NaN where it does not lie inside the picture."""
    assert record.video is not None  # noqa: S101 - cameras are recorded with their clips' format
    size = np.array([record.video.width, record.video.height])
    ends = project(camera, [span.start, span.end], *map(int, size))
    inside = ((ends >= 0) & (ends <= size)).all()
    return float(np.linalg.norm(ends[1] - ends[0])) if inside else float("nan")
