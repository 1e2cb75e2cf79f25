"""The loop: many scenes at a time, so that an agent decides in batches while simulators are at work on others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hpvqa.errors import RunError
from hpvqa.explore.bench.game import BenchGame
from hpvqa.explore.game import Game, State
from hpvqa.explore.protocol import Agent
from hpvqa.explore.rays import PIXELS
from hpvqa.explore.runs.conditions import CONDITIONS, Condition
from hpvqa.explore.runs.course import Course
from hpvqa.explore.runs.facts import facts
from hpvqa.explore.runs.folder import RunSettings, Split, find_played, open_run, store_picture
from hpvqa.explore.runs.record import Played, played_file, write_played
from hpvqa.explore.runs.simulators import DIED, Simulators
from hpvqa.explore.runs.stage import Stage, Tables
from hpvqa.explore.scene import Family, Scene, find_scenes, read_scene
from hpvqa.explore.world import Outcome
from hpvqa.progress.reporter import Reporter

_AHEAD = 2
"""So many batches of scenes are under way: while one is decided, simulators work on the other."""


@dataclass
class Waits:
    """Where the time went [s].

    Attributes:
        deciding: The agent decided.
        waiting: The agent waited for simulators.
        decisions: How many decisions were made.
        batches: In how many batches.
    """

    deciding: float = 0.0
    waiting: float = 0.0
    decisions: int = 0
    batches: int = 0


def select(worlds: Path, families: Sequence[Family], split: Split, limit: int | None) -> list[Scene]:
    """Scenes of a folder, group by group, so that any number of them is of all families.

    Args:
        worlds: The folder.
        families: Which families.
        split: Which types.
        limit: Most scenes; None: all.

    Raises:
        UsageError: A scene is damaged or was altered.
    """
    scenes = [read_scene(path) for path in find_scenes(worlds) if path.parent.parent.name in families]
    wanted = [scene for scene in scenes if split == "all" or scene.held_out == (split == "held-out")]
    return sorted(wanted, key=lambda scene: (scene.group, scene.number, scene.index))[:limit]


def open_stage(looks: bool, condition: Condition, workers: int) -> Stage:
    """Where scenes are played: in simulators if their pictures are looked at.

    Args:
        looks: Whether who plays looks at pictures.
        condition: How.
        workers: Processes that simulate.
    """
    if condition.shown == "facts":
        return Tables(_told)
    if looks and condition.shown == "pictures":
        return Simulators(workers, (PIXELS, PIXELS))
    return Tables()


def _told(game: Game, state: State) -> str:
    """What is to be seen, or was measured, in words."""
    return game.told(state) if isinstance(game, BenchGame) else facts(game, state.moment)


def run(
    scenes: Sequence[Scene],
    agent: Agent,
    out: Path,
    settings: RunSettings,
    reporter: Reporter,
    *,
    workers: int = 1,
    one_by_one: bool = False,
    restart: bool = False,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[list[Played], Waits]:
    """Have an agent play scenes into a run's folder; what was played to its end is not played again.

    Args:
        scenes: The scenes.
        agent: Who plays.
        out: The run's folder, a new one or one to go on with.
        settings: What ``run.json`` says; it must agree with what is there.
        reporter: Told of every scene.
        workers: Processes that simulate.
        one_by_one: Whether a scene begins only when the one before it is over, as a person wants it.
        restart: Whether to drop what the folder holds, and begin anew.
        clock: The time [s].

    Returns:
        All these scenes, played, and where the time went.

    Raises:
        UsageError: The folder holds something else.
        RunError: Another process writes to the folder, a worker or server is gone, or the disk is full; scenes that
            were played to their end stay.
    """
    condition, waits = CONDITIONS[settings.condition], Waits()
    keys = [scene.key for scene in scenes]
    with open_run(out, settings, restart=restart):
        played = {key: find_played(out, key, scene) for key, scene in zip(keys, scenes, strict=True)}
        missing = [scene for key, scene in zip(keys, scenes, strict=True) if played[key] is None]
        if missing:
            agent.load(reporter.warning)
        reporter.start("explore", "scenes", len(scenes), len(scenes) - len(missing))
        if missing:
            courses = (Course(scene, condition, lambda name, data: store_picture(out, name, data)) for scene in missing)
            with closing(open_stage(agent.looks, condition, workers)) as stage:
                most = 1 if one_by_one else _AHEAD * agent.batch_size
                for course in _play(courses, agent, stage, most, waits, clock):
                    ending = course.ending()
                    write_played(played_file(out, course.key), course.records, ending)
                    mishap = next(filter(None, (step.mishap for step in course.records)), None)
                    reporter.item(course.key, ok=mishap is None, message=mishap)
                    played[course.key] = Played(ending, course.records)
        reporter.done()
    return [one for one in played.values() if one is not None], waits


def _play(
    courses: Iterator[Course], agent: Agent, stage: Stage, most: int, waits: Waits, clock: Callable[[], float]
) -> Iterator[Course]:
    """Play all scenes, so many at a time; each comes out when it is over."""
    ready: list[Course] = []
    moving: dict[Future[Outcome], Course] = {}
    while True:
        fresh = []
        while len(ready) + len(moving) < most and (course := next(courses, None)) is not None:
            fresh.append(course)
            moving[stage.begin(course.key, course.brief.scene)] = course
        agent.begin([course.brief for course in fresh])
        if not ready and not moving:
            return
        begin = clock()
        while moving and (len(ready) < agent.batch_size or any(future.done() for future in moving)):
            ready += _arrive(moving, stage)
        waits.waiting += clock() - begin
        batch, ready = ready[: agent.batch_size], ready[agent.batch_size :]
        begin = clock()
        decisions = agent.decide([course.turn for course in batch])
        waits.deciding += clock() - begin
        waits.decisions, waits.batches = waits.decisions + len(batch), waits.batches + 1
        for course, decision in zip(batch, decisions, strict=True):
            action = course.decided(decision)
            if course.over:
                stage.end(course.key)
                yield course
            elif action is None:
                ready.append(course)
            else:
                moving[stage.act(course.key, action)] = course


def _arrive(moving: dict[Future[Outcome], Course], stage: Stage) -> list[Course]:
    """Wait until something was done; the scenes that the agent must decide about now."""
    done, _ = wait(moving, return_when=FIRST_COMPLETED)
    ready = []
    for future in [future for future in moving if future in done]:
        course = moving.pop(future)
        try:
            action = course.arrived(future.result())
        except BrokenExecutor:
            raise RunError(DIED) from None
        if action is None:
            ready.append(course)
        else:
            moving[stage.act(course.key, action)] = course
    return ready
