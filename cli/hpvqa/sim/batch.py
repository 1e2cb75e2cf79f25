"""What a simulator can do that realises many episodes side by side, all in step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.protocol import Command, State


class BatchSimulator(Protocol):
    """Worlds of the same task, driven frame by frame."""

    name: str
    timestep: float
    """Length of one physics step [s]."""
    substeps: int
    """Physics steps in one frame."""
    places: int
    """How many episodes can happen at a time."""

    def reset(self, specs: Sequence[EpisodeSpec], starts: Sequence[Command]) -> None:
        """Bring as many worlds as there are specs into the states they describe, arms at rest in the start poses.

        Nothing of an earlier episode is left.
        """

    def states(self) -> list[State]:
        """The states now."""

    def advance(self, commands: Sequence[Sequence[Command]]) -> list[list[State]]:
        """Advance by one frame.

        Args:
            commands: For every episode, a command for each physics step.

        Returns:
            For every episode, the state after each physics step.
        """

    def images(self, camera: str) -> NDArray[np.uint8]:
        """RGB images, shape (episodes, height, width, 3), from a camera of the rig; valid until the next call."""

    def troubles(self) -> list[str | None]:
        """For every episode, what went wrong in the simulator itself since the reset, in words; None if nothing did."""

    def versions(self) -> dict[str, str]:
        """Names and versions of everything that results depend on."""

    def close(self) -> None:
        """Release everything."""
