"""What pictures can hold beside colours."""

from __future__ import annotations

from typing import Final, Literal

Layer = Literal["depth", "segmentation"]
"""depth: how far what a pixel shows is from the camera, along its line of sight; segmentation: which thing it is."""
LAYERS: Final[tuple[Layer, ...]] = ("depth", "segmentation")

DEPTH_SCALE = 1000
"""Units of a recorded depth in a metre: millimetres. 0 where nothing is."""
