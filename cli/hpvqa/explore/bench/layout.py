"""What stands on a bench, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hpvqa.explore.bench.methods import Kind
from hpvqa.explore.scene import Item
from hpvqa.explore.words import COLORS, Look

X = 0.40
SLOTS = (0.25, 0.10, -0.10, -0.25)
"""Where things stand, x and y [m]: as far from each other as the open gripper needs."""
WIDE_SLOTS = (0.2, 0.0, -0.2)
"""The same where some of them are bars across the robot's way."""
_WIDE = 0.1
"""What is wider than this is one [m]."""
JITTER = 0.008
"""By so much they stand off in x and y at most [m]."""


def draw_things(
    kinds: Sequence[Kind], rng: np.random.Generator, *, first: Mapping[str, float] | None = None
) -> list[Item]:
    """Things of some kinds in places and colours of their own, with any of the hidden values that they may have.

    Args:
        kinds: What kinds, at most as many as there are places.
        rng: For everything that is drawn.
        first: Hidden values of the first one; None: any.
    """
    slots = WIDE_SLOTS if any(kind.size[1] > _WIDE for kind in kinds) else SLOTS
    slots, colors = rng.permutation(slots).tolist(), rng.permutation(list(COLORS)).tolist()
    items = []
    for number, (kind, y, color) in enumerate(zip(kinds, slots, colors, strict=False)):
        hidden = kind.nodes[int(rng.integers(len(kind.nodes)))]
        dx, dy = rng.uniform(-JITTER, JITTER, 2).tolist()
        hidden = dict(first) if first is not None and number == 0 else hidden
        thing = kind.thing(f"thing_{number + 1}", X + dx, y + dy, COLORS[color], hidden)
        items.append(Item(thing=thing, look=Look.model_validate({"shape": kind.noun, "size": "large", "color": color})))
    return items
