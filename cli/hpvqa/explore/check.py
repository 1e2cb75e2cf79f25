"""Checks of drawn scenes in a simulator: what was planned is what is seen, and what the robot can do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hpvqa.explore.scene import Scene
from hpvqa.explore.world import SceneWorld


def trouble(scenes: Sequence[Scene], world: SceneWorld) -> str | None:
    """Why a group of scenes cannot be kept, in words; None if it can.

    Twins must look the same at first, bit for bit; what an ideal observer does must succeed, and show what it should.

    Args:
        scenes: Two twins, and two whose first view suffices.
        world: Where to try them.
    """
    first: list[NDArray[np.uint8]] = []
    for scene in scenes:
        outcome = world.reset(scene)
        if outcome.mishap is not None:
            return outcome.mishap
        # Of a clip, how all stands before anything is done.
        first.append(outcome.shot.frames[0] if len(first) < 2 else outcome.shot.image)
        for action in scene.plan[:-1]:
            outcome = world.act(action)
            if outcome.mishap is not None:
                return outcome.mishap
    if not np.array_equal(first[0], first[1]):
        return "the first views of twins differ"
    return "different answers look the same" if np.array_equal(first[2], first[3]) else None
