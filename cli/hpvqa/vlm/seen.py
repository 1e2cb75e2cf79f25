"""What the clips of a training looked like, and in what other clips differ from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from hpvqa.plain import Model
from hpvqa.record.episode import CameraRecord
from hpvqa.record.fitting import Size
from hpvqa.scene.camera import rotation
from hpvqa.scene.spec import CameraSpec
from hpvqa.vlm.frames.sampling import FrameSampling

# Up to these differences, a picture 224 pixels wide moves by about two of them.
_MOVED = 0.01
"""A camera this far away is still the same [m]."""
_TURNED = math.radians(0.5)
"""And one that is turned by this [rad]."""
_ZOOMED = 0.01
"""And one whose focal length differs by this share."""
_REFORMED = 0.02
"""Clips whose width by height differs by this share have the same shape."""
_FITTED = {"pad": ", which are padded to keep their shape", "squeeze": ", which are squeezed"}


@dataclass(frozen=True)
class Shot:
    """How a clip was taken.

    Attributes:
        task: The task that it shows.
        size: Its width and height [pixels].
        camera: Where its camera stood; None: it is not known.
    """

    task: str
    size: Size
    camera: CameraSpec | None

    @classmethod
    def of(cls, task: str, size: Size, camera: CameraRecord | None) -> Shot:
        """From what was recorded."""
        return cls(task, size, None if camera is None else camera.camera)


class Seen(Model):
    """What the clips of a training looked like."""

    sizes: tuple[Size, ...] = Field(description="Width and height of the clips [pixels], each once.")
    cameras: dict[str, tuple[CameraSpec, ...]] = Field(
        description="The cameras of each task, as far as they are known; of one name there may be several."
    )


def seen_in(shots: Iterable[Shot]) -> Seen:
    """What some clips look like; cameras that differ by less than a model would notice are one."""
    shots = dict.fromkeys(shots)
    cameras: dict[str, list[CameraSpec]] = {}
    for shot in shots:
        known = cameras.setdefault(shot.task, [])
        if shot.camera is not None and not any(_same_camera(shot.camera, other) for other in known):
            known.append(shot.camera)
    return Seen(
        sizes=tuple(sorted({shot.size for shot in shots})),
        cameras={task: tuple(sorted(cameras[task], key=lambda camera: camera.name)) for task in sorted(cameras)},
    )


def unlike(seen: Seen | None, frames: FrameSampling, shots: Iterable[Shot]) -> list[str]:
    """In what clips look other to a model than those that it was trained on, in sentences; none if in nothing.

    Args:
        seen: What it was trained on; None: it is not known.
        frames: What it is shown of clips.
        shots: The clips.
    """
    shots = list(dict.fromkeys(shots))
    sizes = sorted({shot.size for shot in shots})
    if seen is None:
        strange = [size for size in sizes if not frames.suits([size])]
        if frames.fit == "pad" or not strange:
            return []
        return [
            f"Frames of {_said(strange)} are squeezed to {_said([frames.resolution or (0, 0)])}, and it is not known "
            "whether the model was trained so; its answers may be worse than those to clips of the shape of its frames"
        ]
    return [*_other_shapes(seen, frames, sizes), *_other_cameras(seen, shots)]


def _other_shapes(seen: Seen, frames: FrameSampling, sizes: Sequence[Size]) -> list[str]:
    strange = [size for size in sizes if not any(_same_shape(size, other) for other in seen.sizes)]
    if not strange or not seen.sizes:
        return []
    how = "" if frames.suits(strange) else _FITTED[frames.fit]
    return [f"The model was trained on clips of another shape ({_said(seen.sizes)}) than these ({_said(strange)}){how}"]


def _other_cameras(seen: Seen, shots: Sequence[Shot]) -> list[str]:
    found: dict[str, list[str]] = {}
    for shot in shots:
        camera = shot.camera
        if camera is None:
            continue
        known = [other for other in seen.cameras.get(shot.task, ()) if other.name == camera.name]
        # A name that was never seen is said elsewhere.
        if known and not any(_same_camera(camera, other) for other in known):
            found.setdefault(shot.task, []).append(f"{camera.name} ({_difference(camera, known)})")
    return [
        f"The cameras of {task} are not where they were in the model's training, whatever their names: "
        f"{', '.join(dict.fromkeys(cameras))}"
        for task, cameras in found.items()
    ]


def _same_shape(one: Size, other: Size) -> bool:
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) <= _REFORMED


def _same_camera(one: CameraSpec, other: CameraSpec) -> bool:
    if one.name != other.name:
        return False
    moved, turned, zoomed = _apart(one, other)
    return moved <= _MOVED and turned <= _TURNED and zoomed <= _ZOOMED


def _apart(one: CameraSpec, other: CameraSpec) -> tuple[float, float, float]:
    """How far a camera was moved [m], turned [rad] and zoomed [share of its focal length]."""
    moved = math.dist(one.position, other.position)
    # The trace of a rotation matrix is 1 + 2 cos(angle).
    trace = float(np.trace(rotation(one.quat_wxyz).T @ rotation(other.quat_wxyz)))
    turned = math.acos(min(max((trace - 1) / 2, -1.0), 1.0))
    return moved, turned, abs(one.focal_length / other.focal_length - 1)


def _difference(camera: CameraSpec, known: Sequence[CameraSpec]) -> str:
    """What is other than with the nearest of some cameras, in words."""
    nearest = min(known, key=lambda other: _apart(camera, other))
    moved, turned, zoomed = _apart(camera, nearest)
    parts = [
        f"moved by {100 * moved:.0f} cm" if moved > _MOVED else "",
        f"turned by {math.degrees(turned):.1f} degrees" if turned > _TURNED else "",
        f"a lens of {camera.focal_length:g} mm instead of {nearest.focal_length:g}" if zoomed > _ZOOMED else "",
    ]
    return ", ".join(part for part in parts if part)


def _said(sizes: Iterable[Size]) -> str:
    return ", ".join(f"{width}x{height}" for width, height in sizes)
