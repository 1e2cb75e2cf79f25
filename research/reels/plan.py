"""Which episodes are filmed, in which order, and how each of them looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from hpvqa.collect.settings import Collection
from hpvqa.recipe import Recipe
from hpvqa.scene.randomization import Randomization
from hpvqa.vlm.frames.sampling import FrameSampling

EVERY: Final = 0.45
"""Time between frames [s]. The second of two spheres is let go seven times as long after the first, so that both are
seen at the same moments of their bounce."""
FRAMES = FrameSampling(fps=round(1 / EVERY, 4))
"""Which frames of a recording are drawn."""
RATES = (15, 20, 30)
"""Frame rates that recordings stand for: where frames lie between, a model is shown the nearest ones."""
LOOKS = ("plain", "materials")
BLOCK = 4
"""So many episodes in a row look alike, since answers and orders are balanced within each of them."""
SHARE = 1 / 3
"""Share of the blocks that every rig films; the others, the first one alone."""


@dataclass(frozen=True)
class Take:
    """How an episode is filmed.

    Attributes:
        collections: What draws its spec, for each rig that films it, by the rig's name.
        fps: Frame rate of the recording that the frames are of.
    """

    collections: Mapping[str, Collection]
    fps: int


class Plan:
    """How the episodes of a seed are filmed.

    Args:
        tasks: The tasks.
        rigs: Names of the rigs; the first films all.
        seed: Seed of everything drawn.
    """

    def __init__(self, tasks: Mapping[str, int], rigs: tuple[str, ...], seed: int) -> None:
        self.seed = seed
        self._tasks, self._rigs = tasks, rigs
        self._collections = {
            (rig, look): Collection.of(
                Recipe(seed=seed, rig=rig, randomization=Randomization(look=look)), tuple(tasks), {}
            )
            for rig in rigs
            for look in LOOKS
        }

    def order(self) -> Iterator[tuple[str, int]]:
        """Tasks and numbers of episodes, so that all tasks grow side by side."""
        blocks = [
            ((begin + BLOCK / 2) / count, task, begin)
            for task, count in self._tasks.items()
            for begin in range(0, count, BLOCK)
        ]
        for _, task, begin in sorted(blocks):
            for index in range(begin, min(begin + BLOCK, self._tasks[task])):
                yield task, index

    def take(self, index: int) -> Take:
        """How an episode is filmed."""
        rng = np.random.default_rng([self.seed, index // BLOCK])
        look, fps = rng.choice(LOOKS), int(rng.choice(RATES))
        rigs = self._rigs if rng.random() < SHARE else self._rigs[:1]
        return Take({rig: self._collections[rig, look] for rig in rigs}, fps)
