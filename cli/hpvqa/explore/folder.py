"""A folder of scenes: drawn by many workers, in any order, and gone on with after an interrupt."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from itertools import islice
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from hpvqa.errors import RunError, UsageError
from hpvqa.explore.bench.draw import draw_bench
from hpvqa.explore.check import trouble
from hpvqa.explore.draw import GROUP, draw_group
from hpvqa.explore.rays import PIXELS
from hpvqa.explore.scene import HIDING, SCENE_VERSION, Family, find_scenes, read_scene, scene_file, write_scene
from hpvqa.explore.world import SceneWorld
from hpvqa.files import holds_other, locked, read_bytes, write_json
from hpvqa.places import MARKERS, not_a
from hpvqa.plain import Model, explain
from hpvqa.processes import ONE_THREAD, Workers, exit_with_parent
from hpvqa.progress.reporter import Reporter

WORLDS_FILE = MARKERS["folder of scenes"]
LOCK_FILE = ".lock"


class Worlds(Model):
    """What a folder of scenes holds: ``worlds.json``."""

    schema_version: Literal[1] = SCENE_VERSION
    seed: int = Field(ge=0)
    families: tuple[Family, ...] = Field(min_length=1)
    scenes: int = Field(ge=0, le=2**31 - 1)

    def holds(self, family: Family, group: int) -> bool:
        """Whether a group is one of them."""
        if family not in self.families:
            return False
        return group * len(self.families) + self.families.index(family) < self.scenes // GROUP

    def groups(self) -> Iterator[tuple[Family, int]]:
        """Family and number of every group, in the order in which they are drawn."""
        for number in range(self.scenes // GROUP):
            yield self.families[number % len(self.families)], number // len(self.families)


def read_worlds(folder: Path) -> Worlds:
    """What a folder of scenes holds.

    Raises:
        UsageError: It is none, or its file is damaged.
        RunError: The file cannot be read.
    """
    path = folder / WORLDS_FILE
    try:
        return Worlds.model_validate_json(read_bytes(path))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(not_a("folder of scenes", folder)) from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValidationError as error:
        raise UsageError(f"{path} is damaged or of another version ({explain(error)})") from None


def begun(folder: Path) -> Worlds | None:
    """What a folder that scenes are to be drawn into holds of them; None if nothing yet.

    Raises:
        UsageError: It holds something else, or cannot be a folder; or its file is damaged.
        RunError: The file cannot be read.
    """
    if holds_other(folder, WORLDS_FILE, LOCK_FILE):
        raise UsageError(f"{folder} exists and holds no scenes; choose another --out")
    return read_worlds(folder) if os.path.lexists(folder / WORLDS_FILE) else None


def draw(folder: Path, worlds: Worlds, workers: int, reporter: Reporter) -> Counter[str]:
    """Draw all scenes that a folder lacks.

    Args:
        folder: Where; a new one, or one that was begun with the same seed and families.
        worlds: What it should hold.
        workers: How many processes draw.
        reporter: Told of every scene.

    Returns:
        How many layouts were rejected meanwhile, by why that was.

    Raises:
        UsageError: The folder cannot be used, or a scene in it is damaged.
        RunError: A worker died, no scene of a group passed all checks, or another process draws there.
    """
    begun(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / LOCK_FILE):
        return _draw(folder, worlds, workers, reporter)


def _draw(folder: Path, worlds: Worlds, workers: int, reporter: Reporter) -> Counter[str]:
    rejected = Counter[str]()
    there = begun(folder)
    if there is not None:
        if (there.seed, there.families) != (worlds.seed, worlds.families):
            raise UsageError(
                f"{folder} holds scenes of seed {there.seed} and of {', '.join(there.families)}; choose another folder"
            )
        worlds = worlds.model_copy(update={"scenes": max(worlds.scenes, there.scenes)})
    write_json(folder / WORLDS_FILE, worlds.model_dump(mode="json"))
    # There may be more to draw than fits into memory.
    whole = {job for job in _drawn(folder) if worlds.holds(*job)}
    count = worlds.scenes // GROUP - len(whole)
    missing = (job for job in worlds.groups() if job not in whole)
    reporter.start("draw", "scenes", worlds.scenes, GROUP * len(whole))
    if not count:
        reporter.done()
        return rejected
    processes = Workers(min(workers, count), exit_with_parent, (), ONE_THREAD)
    try:
        running: dict[Future[Counter[str]], tuple[Family, int]] = {}
        while True:
            for job in islice(missing, workers - len(running)):
                running[processes.submit(draw_into, folder, *job, worlds.seed)] = job
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                rejected += future.result()
                family, group = running.pop(future)
                for number in range(GROUP):
                    reporter.item(scene_file(Path(), family, GROUP * group + number).as_posix())
        processes.close()
        reporter.done()
        return rejected
    except BrokenExecutor:
        raise RunError("A worker ended unexpectedly; run the same command again, finished scenes are kept") from None
    finally:
        processes.kill()


def _drawn(folder: Path) -> Iterator[tuple[Family, int]]:
    """Family and number of every group of which all scenes are in a folder.

    Raises:
        UsageError: One of them is damaged.
    """
    # Read, not only found: what was altered is told now, and not when an agent is half-way through.
    found = Counter((scene.family, scene.index // GROUP) for scene in map(read_scene, find_scenes(folder)))
    return (job for job, count in found.items() if count == GROUP)


_world: SceneWorld | None = None


def simulated() -> SceneWorld:
    """The world in which this process tries scenes."""
    global _world
    if _world is None:
        from hpvqa.sim import open_simulator

        _world = SceneWorld(open_simulator((PIXELS, PIXELS)))
    return _world


def draw_into(folder: Path, family: Family, group: int, seed: int) -> Counter[str]:
    """Draw one group of scenes into a folder.

    Returns:
        How many layouts were rejected, by why that was.

    Raises:
        RunError: None passed all checks, or the disk does not take it.
    """
    rejected = Counter[str]()
    groups = draw_group(family, group, seed, rejected) if family in HIDING else draw_bench(group, seed, rejected)
    for scenes in groups:
        wrong = trouble(scenes, simulated())
        if wrong is None:
            for scene in scenes:
                write_scene(scene_file(folder, family, scene.index), scene)
            return rejected
        rejected[f"in the simulator: {wrong}"] += 1
    raise RunError(f"No scenes of group {group} of {family} with seed {seed} passed all checks; choose another seed")
