"""The simplified meshes of the robot, which are kept from one run to the next."""

from __future__ import annotations

import os
from pathlib import Path

import mujoco
import numpy as np
import pytest

from hpvqa.resources import default_cache
from hpvqa.sim import prepare
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


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The robot's model, of whose meshes only two are simplified."""
    model = robot_dir(default_cache(os.environ)) / MODEL
    whole = list(robot.visual_meshes(mujoco.MjSpec.from_file(str(model)).compile()))[:2]
    monkeypatch.setattr(robot, "visual_meshes", lambda compiled: iter(whole))
    return model


def test_a_cache_that_is_damaged_or_cannot_be_written_changes_nothing(small: Path, tmp_path: Path) -> None:
    model, cache = small, tmp_path / "cache"
    spec = mujoco.MjSpec.from_file(str(model))
    first = robot._cached_meshes(model, spec, cache)
    (kept,) = cache.iterdir()
    assert same(robot._load(kept), first)
    data = kept.read_bytes()
    middle = len(data) // 2
    # The tenth byte names the way in which the first file is packed, the seventh says whether it is encrypted.
    changed = [data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :] for at in (6, 8, 140, middle)]
    # So does the list of files at the end, which counts.
    listed = data.rfind(b"PK\x01\x02")
    for way in (8, 12, 99):
        changed.append(data[: listed + 10] + bytes([way]) + data[listed + 11 :])
    for damaged in (b"", data[:middle], *changed):
        kept.write_bytes(damaged)
        assert same(robot._cached_meshes(model, spec, cache), first)
        assert same(robot._load(kept), first)
    (tmp_path / "file").touch()
    assert same(robot._cached_meshes(model, spec, tmp_path / "file"), first)
    assert [path.name for path in cache.iterdir()] == [kept.name]


def test_before_workers_start_they_are_made_once_and_that_is_said(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / small.parent.name).symlink_to(small.parent)
    monkeypatch.setenv("HPVQA_CACHE", str(cache))
    said: list[str] = []
    prepare("mujoco", draws=False, tell=said.append)
    assert said == []
    prepare("mujoco", draws=True, tell=said.append)
    (kept,) = cache.glob("*.npz")
    assert [sentence.partition(",")[0] for sentence in said] == ["Simplifying the robot's meshes"]
    made = kept.stat().st_mtime_ns
    prepare("mujoco", draws=True, tell=said.append)
    assert len(said) == 1
    assert kept.stat().st_mtime_ns == made


def test_one_cannot_look_through_the_seams_between_links() -> None:
    model = mujoco.MjSpec.from_file(str(robot_dir(default_cache(os.environ)) / MODEL)).compile()
    joined = list(robot._joined(robot.visual_meshes(model)))
    found = [(mesh.body, robot._seam(model, mesh, joined)) for mesh in joined]
    seams = {body: seam for body, seam in found if seam is not None}
    # Those that turn end to end; the others turn in a shell.
    assert set(seams) == {"link1", "link3", "link5", "link7"}
    nothing = robot.Mesh(np.empty((0, 3)), np.empty((0, 3)), np.empty((0, 3), np.int64))
    empty = robot.DetailedMesh("", "", (nothing,) * len(robot.LEVELS))
    for seam in seams.values():
        for level in robot._filled(empty, seam).levels:
            assert level.points[:, 2].min() < seam.low < seam.high < level.points[:, 2].max()
            # But for the middles of its ends.
            assert 0.98 * seam.radius < np.hypot(*level.points[:-2, :2].T).min() < seam.radius
