"""Pictures of an earlier moment are noticed."""

from __future__ import annotations

import numpy as np

from hpvqa.sim.isaac.fresh import Freshness


def room(seed: int, count: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    walls = rng.integers(0, 255, (count, 6, 8, 3), dtype=np.uint8)
    return walls.repeat(16, axis=1).repeat(16, axis=2)


def test_another_room_is_fresh_and_the_same_room_is_stale() -> None:
    fresh = Freshness()
    assert fresh.stale("top", room(0)) == [False] * 3
    fresh.remember("top", room(0))
    assert fresh.stale("top", room(1)) == [False] * 3
    mixed = room(1)
    mixed[1] = room(0)[1]
    assert fresh.stale("top", mixed) == [False, True, False]
    assert fresh.stale("wide", mixed) == [False] * 3


def test_noise_does_not_hide_that_nothing_changed() -> None:
    fresh = Freshness()
    fresh.remember("top", room(0))
    noisy = np.clip(room(0).astype(int) + np.random.default_rng(1).integers(-2, 3, room(0).shape), 0, 255)
    assert fresh.stale("top", noisy.astype(np.uint8)) == [True] * 3


def test_a_picture_of_nothing_is_stale() -> None:
    assert Freshness().stale("top", np.zeros((2, 96, 128, 3), np.uint8)) == [True, True]


def test_fewer_episodes_than_before_are_compared_with_their_own_places() -> None:
    fresh = Freshness()
    fresh.remember("top", room(0, count=4))
    assert fresh.stale("top", room(0)[:2]) == [True, True]
    fresh.remember("top", room(0)[:2])
    assert fresh.stale("top", room(1)) == [False] * 3
