"""Scenes that several tests share, drawn once in a process without a simulator."""

from __future__ import annotations

from functools import cache

from hpvqa.explore.draw import draw_group
from hpvqa.explore.scene import Family, Scene


@cache
def group(family: Family, number: int, seed: int = 0) -> tuple[Scene, ...]:
    """Four scenes: two twins, and two whose first view suffices."""
    return next(draw_group(family, number, seed))
