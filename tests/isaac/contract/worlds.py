"""Specs and settings for checks."""

from __future__ import annotations

from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.isaac.managed import Settings
from tests.worlds import sample

BODIES = ["gripper/base_link", "gripper/left_inner_finger", "gripper/right_inner_finger"]


def settings(spec: EpisodeSpec, environments: int = 4, fps: int = 30) -> Settings:
    return Settings(
        example=spec,
        environments=environments,
        fps=fps,
        resolution=(128, 96),
        robot_bodies=BODIES,
        device="cpu",
    )


def specs(task: str, count: int) -> list[EpisodeSpec]:
    return [sample(task, index) for index in range(count)]
