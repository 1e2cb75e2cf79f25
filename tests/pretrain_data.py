"""Tiny data folders for pre-training: real clips and trajectories in which objects move when the plan says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hpvqa.record.decode import read_frames
from hpvqa.record.episode import TRAJECTORY_FILE, find_episodes, read_episode
from hpvqa.record.trajectory import column_names, write_trajectory
from hpvqa.record.video import ClipWriter
from hpvqa.scene.spec import SIDES, EpisodeSpec, Side, Vec3
from hpvqa.tasks import TASKS
from hpvqa.vlm.frames.choose import choose
from hpvqa.vlm.frames.clip import Clip
from research.pretrain.phases import phases
from research.pretrain.settings import ModelSettings, PretrainSettings, StageSettings
from research.reels.plan import FRAMES as SEEN
from tests import factories

FPS = 4
FRAMES = {"push": 24, "drop": 32}
TINY = PretrainSettings(
    model=ModelSettings(
        side=40, patch=10, vision_width=16, vision_heads=2, vision_layers=1, width=24, heads=2, layers=1
    ),
    pointing=StageSettings(steps=3, batch_size=4, learning_rate=1e-3, warmup=1),
    language=StageSettings(steps=3, batch_size=4, learning_rate=1e-3, warmup=1),
    gate=None,
)


def place(spec: EpisodeSpec, side: Side, time: float) -> Vec3:
    """Where an object is: away from its place while it is displayed, and afterwards too if it stays on the table."""
    probe = TASKS[spec.task].probe
    begin, end = phases(spec, probe.displays[0])[spec.order.index(side)]
    x, y, z = spec.thing(side).position
    if probe.axis == "x":
        return (x + (0.4 / (1 + spec.thing(side).mass) if begin <= time else 0.0), y, z)
    return (x, y, z + (getattr(probe, "up", 1) * 0.05 if begin <= time < end else 0.0))


def make_reels(folder: Path, monkeypatch: pytest.MonkeyPatch, task: str, count: int, cameras: int = 2) -> Path:
    """Filmed episodes of one task, as long as real ones."""
    monkeypatch.setattr(factories, "FPS", FPS)
    monkeypatch.setattr(factories, "FRAMES", FRAMES[task])
    factories.make_data(folder, cameras=cameras, **{task: count})
    for path in find_episodes(folder, task):
        spec = read_episode(path).spec
        write_trajectory(path / TRAJECTORY_FILE, list(_rows(spec, FRAMES[task])), SIDES)
        for clip in path.glob("*.mp4"):
            kept = read_frames(clip, choose(SEEN, Clip(clip, FPS, FRAMES[task])))
            with ClipWriter(clip, FPS, factories.WIDTH, factories.HEIGHT) as writer:
                for image in kept:
                    writer.write(image)
    return folder


def _rows(spec: EpisodeSpec, frames: int) -> Iterator[list[float]]:
    for frame in range(frames):
        row = dict.fromkeys(column_names(SIDES), 0.0) | {"ee_x": 0.4, "ee_z": 0.1}
        for side in SIDES:
            row.update(
                {f"{side}_{axis}": value for axis, value in zip("xyz", place(spec, side, frame / FPS), strict=True)}
            )
        yield list(row.values())
