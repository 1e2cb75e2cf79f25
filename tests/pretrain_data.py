"""Tiny data folders for pre-training: real clips and trajectories in which objects move when the plan says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hpvqa.record.episode import TRAJECTORY_FILE, find_episodes, read_episode
from hpvqa.record.trajectory import column_names, write_trajectory
from hpvqa.scene.spec import SIDES, EpisodeSpec, Side, Vec3
from hpvqa.vlm.frames.sampling import FrameSampling
from research.pretrain.phases import phase
from research.pretrain.settings import ModelSettings, PretrainSettings, StageSettings
from tests import factories

FPS = {"push": 2, "drop": 4}
FRAMES = {"push": 12, "drop": 32}
TINY = PretrainSettings(
    model=ModelSettings(
        side=40, patch=10, vision_width=16, vision_heads=2, vision_layers=1, width=24, heads=2, layers=1
    ),
    pointing=StageSettings(steps=3, batch_size=4, learning_rate=1e-3, warmup=1),
    language=StageSettings(steps=3, batch_size=4, learning_rate=1e-3, warmup=1),
    push_frames=FrameSampling(fps=0.55, resolution=(40, 40)),
    drop_frames=FrameSampling(count=4, resolution=(40, 40)),
)


def place(spec: EpisodeSpec, side: Side, time: float) -> Vec3:
    """Where an object is: pushed ones go at an even pace, lifted ones up, and down when they are released."""
    x, y, z = spec.thing(side).position
    number = spec.order.index(side)
    name = "push" if spec.task == "push" else "lift"
    begin, end = phase(spec, name, number)
    done = float(np.clip((time - begin) / (end - begin), 0.0, 1.0))
    if spec.task == "push":
        return (x + done * 0.4 / (1 + spec.thing(side).mass), y, z)
    held = time < phase(spec, "settle", number)[1]
    return (x, y, z + (0.3 * done if held else 0.0))


def make_recordings(folder: Path, monkeypatch: pytest.MonkeyPatch, task: str, count: int, cameras: int = 2) -> Path:
    """A data folder of one task, few frames a second, but as long as real episodes."""
    monkeypatch.setattr(factories, "FPS", FPS[task])
    monkeypatch.setattr(factories, "FRAMES", FRAMES[task])
    factories.make_data(folder, cameras=cameras, **{task: count})
    for path in find_episodes(folder, task):
        spec = read_episode(path).spec
        write_trajectory(path / TRAJECTORY_FILE, list(_rows(spec, FRAMES[task])), SIDES)
    return folder


def _rows(spec: EpisodeSpec, frames: int) -> Iterator[list[float]]:
    for frame in range(frames):
        row = dict.fromkeys(column_names(SIDES), 0.0) | {"ee_x": 0.4, "ee_z": 0.1}
        for side in SIDES:
            row.update(
                {
                    f"{side}_{axis}": value
                    for axis, value in zip("xyz", place(spec, side, frame / FPS[spec.task]), strict=True)
                }
            )
        yield list(row.values())
