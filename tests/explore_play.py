"""Playing scenes in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from hpvqa.explore.agents import open_rule
from hpvqa.explore.protocol import Agent, Brief, Decision, Turn
from hpvqa.explore.runs.folder import RunSettings
from hpvqa.explore.runs.record import Played
from hpvqa.explore.runs.run import run
from hpvqa.explore.scene import Scene
from hpvqa.progress.reporter import Reporter
from tests.explore_worlds import group


class Scripted:
    """An agent that does what a function says, and remembers all turns."""

    name = "scripted"
    details: Mapping[str, JsonValue] = {}
    looks = False
    privileged = False

    def __init__(self, choose: Callable[[Turn], Decision], batch_size: int = 8) -> None:
        self._choose = choose
        self.batch_size = batch_size
        self.turns: list[Turn] = []
        self.batches: list[int] = []

    def load(self, tell: Callable[[str], None]) -> None:
        """Nothing."""

    def begin(self, briefs: Sequence[Brief]) -> None:
        """Nothing."""

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One by one."""
        self.turns += turns
        self.batches.append(len(turns))
        return [self._choose(turn) for turn in turns]

    def close(self) -> None:
        """Nothing."""


def settings(agent: Agent, condition: str = "active", seed: int = 0) -> RunSettings:
    """What ``run.json`` says of a rule."""
    return RunSettings(
        agent=agent.name,
        backend="rule",
        condition=condition,
        worlds="worlds",
        worlds_seed=0,
        families=("stack",),
        split="all",
        seed=seed,
        looks=False,
        privileged=agent.privileged,
        versions={},
    )


def play(
    agent: Agent, out: Path, condition: str = "active", scenes: Sequence[Scene] | None = None, **options: Any
) -> list[Played]:
    """Play some scenes."""
    told = Reporter([], lambda: 0.0)
    return run(group() if scenes is None else scenes, agent, out, settings(agent, condition), told, **options)[0]


def rule(name: str, seed: int = 0) -> Agent:
    """A rule that has learnt, if it learns, from another group."""
    return open_rule(name, seed=seed, training=group(1))
