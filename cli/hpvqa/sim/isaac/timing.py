"""How Isaac Sim divides time."""

from __future__ import annotations

MINIMUM_RATE = 240
"""Physics steps a second, at least: below, bouncing spheres lose height (see docs/physics.md)."""


def substeps(fps: int) -> int:
    """Physics steps in one frame of the video: the fewest that reach the least physics rate."""
    return -(-MINIMUM_RATE // fps)


def timestep(fps: int) -> float:
    """Length of a physics step [s]: a frame holds a whole number of them."""
    return 1.0 / (fps * substeps(fps))
