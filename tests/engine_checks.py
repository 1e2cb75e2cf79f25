"""What the tests of both engines share."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hpvqa.scene.spec import SIDES
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.prompt import swap_sides
from hpvqa.vlm.protocol import Answer, Query
from hpvqa.vlm.tiny.kinds import Kind
from tests.tiny_models import SIDE, brightening, frames_of, make_query, noise

LONG = "You are a helpful assistant. Answer with only a single word: 'right' or 'left'. Which one?"
FIXED: tuple[Kind, ...] = ("internvl", "pooled")
"""Those that take frames of one size only, at even times."""


def swapped(query: Query) -> Query:
    """The same query with its choices in the other order."""
    return dataclasses.replace(query, text=swap_sides(query.text), choices=query.choices[::-1])


def mixed_queries(kind: Kind) -> list[Query]:
    """Queries that differ in every way in which those of one batch can.

    Several frames, one frame, several videos, other texts, both orders of the choices; and, where a family takes them,
    other sizes and uneven times.
    """
    found = [
        make_query(noise(4, seed=1)),
        swapped(make_query(noise(4, seed=1))),
        make_query(noise(7, seed=2), text=LONG),
        make_query(noise(1, seed=3)),
        make_query(noise(4, seed=4), noise(4, seed=5)),
        make_query(noise(4, seed=6), system=""),
    ]
    if kind not in FIXED:
        uneven = frames_of(noise(4, seed=7).images, (0, 3, 40, 41))
        wide = frames_of(np.concatenate([noise(6, seed=8).images, noise(6, seed=9).images], axis=2))
        found += [make_query(uneven), make_query(wide), make_query(noise(2, seed=10, side=32))]
    assert SIDE == 64
    return found


def table(answers: Sequence[Answer]) -> np.ndarray:
    """Log-probabilities of left and right, shape (answers, 2)."""
    assert [answer.error for answer in answers] == [None] * len(answers)
    return np.array([[(answer.logprobs or {})[side] for side in SIDES] for answer in answers])


def clips(count: int, seed: int = 0) -> list[Frames]:
    """Clips of the kind that trained tiny models were trained on."""
    rng = np.random.default_rng(seed)
    return [brightening(rng)[0] for _ in range(count)]


def reversed_in_time(frames: Frames) -> Frames:
    """The same pictures in the opposite order, at the same times."""
    return dataclasses.replace(frames, images=frames.images[::-1].copy())


def halved(frames: Frames) -> Frames:
    """Every second frame, as when frames that were sampled are sampled again."""
    return dataclasses.replace(frames, images=frames.images[::2].copy(), indices=frames.indices[::2])


def without(folder: Path, *names: str) -> Path:
    """The folder, after some of its files are gone."""
    for name in names:
        (folder / name).unlink()
    return folder
