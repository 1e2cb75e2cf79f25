"""Pictures of layouts that nobody asks about: what the vision tower is trained on besides those of scenes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hpvqa.explore.layouts.layout import Layout, draw_layout
from hpvqa.explore.layouts.types import TYPES
from hpvqa.explore.scene import Moment
from research.choose.pictures import Camera, Picture

_DONE = 0.4
"""How often each deed is done that can be."""
_KEY = 5
"""Keeps the generators of these layouts apart from those of scenes with the same seed."""


def layout_pictures(camera: Camera, seed: int, layouts: range, moments: int) -> Iterator[Picture]:
    """Pictures of layouts of all types that are not kept for evaluation, in turn.

    Args:
        camera: Takes them.
        seed: Of the layouts.
        layouts: Their numbers.
        moments: So many pictures of each, each with other contents.
    """
    kinds = [kind for family in TYPES.values() for kind in family if not kind.held_out]
    for number in layouts:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_KEY, number)))
        layout = draw_layout(kinds[number % len(kinds)], rng)
        if layout is None:
            continue
        for _ in range(moments):
            contents = [int(rng.integers(len(place.contents))) for place in layout.places]
            yield camera.take(layout, contents, _moment(layout, contents, rng))


def _moment(layout: Layout, contents: list[int], rng: np.random.Generator) -> Moment:
    """Any view, and any deeds that can be done, in an order in which they can."""
    empty = {
        place.name for place, number in zip(layout.places, contents, strict=True) if place.contents[number] is None
    }
    done: set[int] = set()
    for _ in range(2):
        for number, deed in enumerate(layout.deeds):
            if set(deed.after) <= done and deed.thing not in empty and rng.random() < _DONE:
                done.add(number)
    return Moment(view=int(rng.integers(len(layout.views))), done=tuple(sorted(done)))
