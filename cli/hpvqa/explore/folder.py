"""A folder of scenes: drawn by many workers, in any order, and gone on with after an interrupt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from hpvqa.errors import RunError, UsageError
from hpvqa.explore.bench.draw import draw_bench
from hpvqa.explore.check import trouble
from hpvqa.explore.draw import GROUP, draw_group
from hpvqa.explore.rays import PIXELS
from hpvqa.explore.scene import HIDING, SCENE_VERSION, Family, read_scene, scene_file, write_scene
from hpvqa.explore.world import SceneWorld
from hpvqa.files import check_target, locked, read_bytes, write_json
from hpvqa.plain import Model, explain
from hpvqa.processes import ONE_THREAD, Workers, exit_with_parent
from hpvqa.progress.reporter import Reporter

WORLDS_FILE = "worlds.json"
LOCK_FILE = ".lock"


class Worlds(Model):
    """What a folder of scenes holds: ``worlds.json``."""

    schema_version: Literal[1] = SCENE_VERSION
    seed: int
    families: tuple[Family, ...]
    scenes: int

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
        raise UsageError(f"{folder} holds no scenes; draw some with `hpvqa explore draw --out {folder}`") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValidationError as error:
        raise UsageError(f"{path} is damaged or of another version ({explain(error)})") from None


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
    check_target(folder, folder=True)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / LOCK_FILE):
        return _draw(folder, worlds, workers, reporter)


def _draw(folder: Path, worlds: Worlds, workers: int, reporter: Reporter) -> Counter[str]:
    rejected = Counter[str]()
    if (folder / WORLDS_FILE).exists():
        there = read_worlds(folder)
        if (there.seed, there.families) != (worlds.seed, worlds.families):
            raise UsageError(
                f"{folder} holds scenes of seed {there.seed} and of {', '.join(there.families)}; choose another folder"
            )
        worlds = worlds.model_copy(update={"scenes": max(worlds.scenes, there.scenes)})
    write_json(folder / WORLDS_FILE, worlds.model_dump(mode="json"))
    missing = [job for job in worlds.groups() if not _is_there(folder, *job)]
    reporter.start("draw", "scenes", worlds.scenes, worlds.scenes - GROUP * len(missing))
    if not missing:
        reporter.done()
        return rejected
    processes = Workers(min(workers, len(missing)), exit_with_parent, (), ONE_THREAD)
    try:
        running: dict[Future[Counter[str]], tuple[Family, int]] = {}
        while missing or running:
            while missing and len(running) < workers:
                job = missing.pop(0)
                running[processes.submit(draw_into, folder, *job, worlds.seed)] = job
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


def _is_there(folder: Path, family: Family, group: int) -> bool:
    paths = [scene_file(folder, family, GROUP * group + number) for number in range(GROUP)]
    # Read, not only found: what was altered is told now, and not when an agent is half-way through.
    return all(path.exists() and bool(read_scene(path)) for path in paths)


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
