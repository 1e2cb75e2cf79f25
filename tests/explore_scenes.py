"""Scenes that several tests share, drawn once in a process without a simulator."""

from __future__ import annotations

from functools import cache

import pytest

from hpvqa.explore.draw import draw_group
from hpvqa.explore.scene import Family, Scene

GROUPS: list[tuple[Family, int]] = [("occlusion", 0), ("stack", 0), ("cover", 4), ("composite", 0)]
scenes = pytest.mark.parametrize("which", GROUPS, ids=lambda which: f"{which[0]}-{which[1]}")


@cache
def group(family: Family, number: int, seed: int = 0) -> tuple[Scene, ...]:
    """Four scenes: two twins, and two whose first view suffices."""
    return next(draw_group(family, number, seed))
