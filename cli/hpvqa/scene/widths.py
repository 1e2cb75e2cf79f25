"""How large things are in the pictures of cameras."""

from __future__ import annotations

import numpy as np

from hpvqa.scene.camera import focal_pixels, rotation
from hpvqa.scene.spec import CameraSpec, EpisodeSpec, Thing

LEAST_WIDTH = 3.0
"""Things narrower than this are lost [pixels]: video keeps colour at half the size, models' frames may be smaller."""


def thing_width(camera: CameraSpec, thing: Thing, width: int) -> float:
    """How wide a thing at its start is in a picture [pixels], wherever in it; infinite if it is behind the camera.

    Args:
        camera: The camera.
        thing: The thing.
        width: Width of the picture [pixels].
    """
    offset = np.subtract(thing.position, camera.position)
    depth = -float(offset @ rotation(camera.quat_wxyz)[:, 2])
    return min(thing.size) * focal_pixels(camera.focal_length, width) / depth if depth > 0 else float("inf")


def too_small(spec: EpisodeSpec, width: int, height: int) -> str | None:
    """Which cameras of an episode show things too small to tell anything, in a sentence; None if none does.

    Args:
        spec: The episode.
        width: Width of its clips [pixels].
        height: Their height [pixels].
    """
    seen = {camera.name: min(thing_width(camera, thing, width) for thing in spec.things) for camera in spec.cameras}
    small = {name: pixels for name, pixels in seen.items() if pixels < LEAST_WIDTH}
    if not small:
        return None
    views = ", ".join(f"{pixels:.1f} by {name}" for name, pixels in small.items())
    factor = LEAST_WIDTH / min(small.values())
    enough = "x".join(str(2 * int(np.ceil(side * factor / 2))) for side in (width, height))
    return (
        f"At {width}x{height} a thing of {spec.task} is fewer than {LEAST_WIDTH:g} pixels wide ({views}), and "
        f"is hardly seen; set the resolution to {enough} or more, or take cameras that are closer"
    )
