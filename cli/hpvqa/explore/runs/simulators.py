"""Scenes in simulators, in worker processes: each worker has several scenes at a time, and each scene one worker."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass

from hpvqa.errors import RunError
from hpvqa.explore.scene import Action, Scene
from hpvqa.explore.world import Outcome, SceneWorld
from hpvqa.processes import ONE_THREAD, Workers, exit_with_parent
from hpvqa.sim import open_simulator

DIED = "A worker died, perhaps of too little memory; go on with the same command and fewer --workers"


class Simulators:
    """Plays scenes in worker processes.

    Args:
        workers: How many processes.
        resolution: Width and height of the pictures [pixels].
    """

    def __init__(self, workers: int, resolution: tuple[int, int]) -> None:
        # A pool each, so that a scene stays where its simulator is.
        self._pools = [Workers(1, _initialize, (resolution,), ONE_THREAD) for _ in range(workers)]
        self._where: dict[str, int] = {}

    def begin(self, key: str, scene: Scene) -> Future[Outcome]:
        """Begin a scene, where fewest are.

        Raises:
            RunError: A worker died.
        """
        load = [list(self._where.values()).count(number) for number in range(len(self._pools))]
        self._where[key] = load.index(min(load))
        return self._submit(key, scene)

    def act(self, key: str, action: Action) -> Future[Outcome]:
        """Do something.

        Raises:
            RunError: A worker died.
        """
        return self._submit(key, action)

    def _submit(self, key: str, what: Scene | Action) -> Future[Outcome]:
        try:
            return self._pools[self._where[key]].submit(_advance, key, what)
        except BrokenExecutor:
            raise RunError(DIED) from None

    def end(self, key: str) -> None:
        """Let its simulator serve another scene.

        Raises:
            RunError: A worker died.
        """
        try:
            self._pools[self._where.pop(key)].submit(_end, key)
        except BrokenExecutor:
            raise RunError(DIED) from None

    def close(self) -> None:
        """End the workers, whatever they are doing."""
        for pool in self._pools:
            pool.kill()


@dataclass
class _Worker:
    """What a worker holds.

    Attributes:
        resolution: Of the pictures.
        playing: The world of each scene that has begun.
        idle: Worlds whose scene is over.
    """

    resolution: tuple[int, int]
    playing: dict[str, SceneWorld]
    idle: list[SceneWorld]


_worker: _Worker | None = None


def _initialize(resolution: tuple[int, int]) -> None:
    global _worker
    _worker = _Worker(resolution, {}, [])
    exit_with_parent()


def _advance(key: str, what: Scene | Action) -> Outcome:
    assert _worker is not None  # noqa: S101 - the pool has initialised every process
    if isinstance(what, Action):
        return _worker.playing[key].act(what)
    world = _worker.idle.pop() if _worker.idle else SceneWorld(open_simulator(_worker.resolution))
    _worker.playing[key] = world
    return world.reset(what)


def _end(key: str) -> None:
    assert _worker is not None  # noqa: S101
    _worker.idle.append(_worker.playing.pop(key))
