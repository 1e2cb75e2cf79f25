"""The simplified meshes of the robot, which are kept from one run to the next."""

from __future__ import annotations

import os
from pathlib import Path

import mujoco
import numpy as np
import pytest

from hpvqa.resources import default_cache
from hpvqa.sim.mujoco import robot
from hpvqa.sim.mujoco.assets import MODEL, robot_dir


def same(one: list[robot.DetailedMesh], other: list[robot.DetailedMesh]) -> bool:
    return len(one) == len(other) and all(
        (a.body, a.material) == (b.body, b.material)
        and all(
            np.array_equal(getattr(mine, name), getattr(yours, name))
            for mine, yours in zip(a.levels, b.levels, strict=True)
            for name in ("points", "normals", "faces")
        )
        for a, b in zip(one, other, strict=True)
    )


def test_a_cache_that_is_damaged_or_cannot_be_written_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = robot_dir(default_cache(os.environ)) / MODEL
    spec = mujoco.MjSpec.from_file(str(model))
    # Two of the robot's meshes are enough.
    whole = list(robot.visual_meshes(spec.copy().compile()))[:2]
    monkeypatch.setattr(robot, "visual_meshes", lambda compiled: iter(whole))
    cache = tmp_path / "cache"
    first = robot._cached_meshes(model, spec, cache)
    (kept,) = cache.iterdir()
    assert same(robot._load(kept), first)
    data = kept.read_bytes()
    middle = len(data) // 2
    for damaged in (b"", data[:middle], data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]):
        kept.write_bytes(damaged)
        assert same(robot._cached_meshes(model, spec, cache), first)
        assert same(robot._load(kept), first)
    (tmp_path / "file").touch()
    assert same(robot._cached_meshes(model, spec, tmp_path / "file"), first)
    assert [path.name for path in cache.iterdir()] == [kept.name]
