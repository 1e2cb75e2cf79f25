"""What bringing environments into the states of specs has in common in all versions of Isaac Lab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from isaaclab.managers import EventTermCfg, ManagerTermBase
from torch import Tensor

from hpvqa.scene.spec import EpisodeSpec, Thing
from hpvqa.sim.inertia import inertia

_TOLERANCE = 1e-4
"""PhysX computes with 24 bits; anything further off was not applied."""


class AssignedSpecs(ManagerTermBase):  # type: ignore[misc] # Isaac Lab has no types
    """An event term that knows what each environment shall become at the next reset."""

    def __init__(self, cfg: EventTermCfg, env: Any) -> None:
        super().__init__(cfg, env)
        self._specs: list[EpisodeSpec] = []
        self.mismatches: dict[int, list[str]] = {}
        """What differed after the last reset, by number of the environment, in words."""

    def assign(self, specs: Sequence[EpisodeSpec]) -> None:
        """Say what the environments shall become at the next reset, one spec each."""
        if len(specs) != self.num_envs:
            raise ValueError(f"{self.num_envs} environments need as many specs, not {len(specs)}")
        self._specs = list(specs)


def inertia_row(thing: Thing) -> Tensor:
    """Inertia about the centre, shape (9,) [kg m²]."""
    return torch.diag(torch.tensor(inertia(thing))).reshape(9)


def wrong_properties(thing: Thing, materials: Tensor, **others: Tensor) -> list[str]:
    """What PhysX holds of a thing that is not as its spec says, in words.

    Args:
        thing: The thing.
        materials: Static and dynamic friction and restitution of its shapes, shape (shapes, 3).
        others: Mass [kg] or stiffness [N/m], shape (1,), or inertia, shape (9,) [kg m²].
    """
    wanted = {
        "mass": torch.tensor([thing.mass]),
        "inertia": inertia_row(thing),
        "stiffness": torch.tensor([thing.stiffness or 0.0]),
    }
    checks = {
        **{name: (found, wanted[name]) for name, found in others.items()},
        "friction": (materials[:, :2], torch.full_like(materials[:, :2], thing.friction)),
        "restitution": (materials[:, 2], torch.full_like(materials[:, 2], thing.restitution)),
    }
    return [f"the {name} of {thing.words}" for name, (found, wanted) in checks.items() if not near(found, wanted)]


def near(found: Tensor, wanted: Tensor) -> bool:
    """Whether PhysX took what was wanted."""
    limit = _TOLERANCE * float(wanted.abs().max()) + 1e-9
    return bool(((found.cpu().float() - wanted.float()).abs() <= limit).all())
