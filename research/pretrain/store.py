"""What is trained on: filmed episodes, and where everything was in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import UsageError
from hpvqa.record.decode import read_frames
from hpvqa.record.episode import TRAJECTORY_FILE, EpisodeRecord, find_episodes, read_episode
from hpvqa.record.fitting import inner_size
from hpvqa.record.trajectory import read_trajectory
from hpvqa.scene.camera import project
from hpvqa.scene.spec import SIDES, EpisodeSpec
from hpvqa.tasks import TASKS
from hpvqa.vlm.frames.choose import choose
from hpvqa.vlm.frames.clip import Clip
from research.pretrain.questions import Seen
from research.reels.plan import FRAMES

THINGS = (*SIDES, "ee")
"""What is followed: the things that answers are about, or the ends of the only one, and where the finger tips meet."""
MOVED = 0.02
"""A thing is away from where it started when it is so far from there, along the axis in which the outcome shows [m]."""
_DECODED = 128
"""So many clips are kept decoded."""


@dataclass(frozen=True)
class Store:
    """Filmed episodes of one task that show the same moments to the same cameras.

    Attributes:
        task: The task.
        paths: Folders of the episodes.
        records: Their records.
        cameras: Names of their cameras.
        numbers: Numbers of the frames, in recordings of the whole.
        fps: Frame rate of such recordings [1/s].
        total: Frames of such a recording.
        side: Width and height of the images [pixels].
        world: Where :data:`THINGS` were [m], shape (episodes, frames, 3, 3).
        pixels: Where they are in the images [pixels], shape (episodes, cameras, frames, 3, 2).
    """

    task: str
    paths: tuple[Path, ...]
    records: tuple[EpisodeRecord, ...]
    cameras: tuple[str, ...]
    numbers: tuple[int, ...]
    fps: float
    total: int
    side: int
    world: NDArray[np.float32]
    pixels: NDArray[np.float32]

    @cached_property
    def times(self) -> tuple[float, ...]:
        """When the frames were seen [s]."""
        return tuple(number / self.fps for number in self.numbers)

    def images(self, episode: int, camera: int) -> NDArray[np.uint8]:
        """The frames of a clip, RGB, shape (frames, side, side, 3).

        Raises:
            RunError: The clip does not decode.
        """
        return _decoded(self.paths[episode] / f"{self.cameras[camera]}.mp4", len(self.numbers), self.side)

    def moved(self, episode: int) -> NDArray[np.bool_]:
        """Whether something is away from where it started, by :data:`MOVED`, shape (frames, 2)."""
        axis = "xyz".index(TASKS[self.task].probe.axis)
        along = self.world[episode, :, : len(SIDES), axis]
        return np.asarray(np.abs(along - along[0]) >= MOVED, np.bool_)

    def seen(self, episode: int, shown: Sequence[int]) -> Seen:
        """What some frames of an episode show."""
        record, last = self.records[episode], self.world[episode, shown[-1]]
        return Seen(
            record.spec, record.events, [self.times[frame] for frame in shown], dict(zip(SIDES, last, strict=False))
        )

    def split(self, held_out: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the episodes to train on, and of the last ones, which are held out."""
        count = len(self.records)
        checks = min(max(round(held_out * count), 1), count - 1)
        return np.arange(count - checks), np.arange(count - checks, count)


@lru_cache(_DECODED)
def _decoded(path: Path, frames: int, side: int) -> NDArray[np.uint8]:
    images = read_frames(path, range(frames), (side, side), "pad")
    images.flags.writeable = False
    return images


def open_stores(data: Path, side: int) -> list[Store]:
    """Everything that was filmed into a folder, a store for each task and frame rate.

    Args:
        data: The folder.
        side: Width and height of the images [pixels]; clips of another shape get bars.

    Raises:
        UsageError: There are too few episodes, or what is there was not filmed for training.
    """
    found: dict[tuple[object, ...], list[tuple[Path, EpisodeRecord]]] = defaultdict(list)
    for path in find_episodes(data):
        record = read_episode(path)
        if record.outcome.ok and record.video is not None and record.spec.shift is None:
            names = tuple(camera.camera.name for camera in record.cameras)
            found[record.spec.task, record.video.fps, record.video.frames, names].append((path, record))
    # Of one alone, none could be held out.
    stores = [_store(pairs, side) for pairs in found.values() if len(pairs) > 1]
    if not stores:
        raise UsageError(f"{data} has too few episodes; film some hundreds with python -m research.reels")
    return stores


def _store(found: Sequence[tuple[Path, EpisodeRecord]], side: int) -> Store:
    paths, records = zip(*found, strict=True)
    video = records[0].video
    numbers = choose(FRAMES, Clip(paths[0], video.fps, video.frames))
    world = np.stack([_world(path, record.spec, numbers) for path, record in found])
    return Store(
        task=records[0].spec.task,
        paths=paths,
        records=records,
        cameras=tuple(camera.camera.name for camera in records[0].cameras),
        numbers=numbers,
        fps=video.fps,
        total=video.frames,
        side=side,
        world=world,
        pixels=np.stack([_pixels(record, points, side) for record, points in zip(records, world, strict=True)]),
    )


def _world(episode: Path, spec: EpisodeSpec, numbers: Sequence[int]) -> NDArray[np.float32]:
    """Where everything was in some frames [m], shape (frames, 3, 3)."""
    columns = read_trajectory(episode / TRAJECTORY_FILE, spec.names)
    rows = list(numbers)

    def of(name: str, parts: Sequence[str]) -> NDArray[np.float64]:
        return np.stack([columns[f"{name}_{part}"][rows] for part in parts], axis=1)

    gripper = of("ee", "xyz")
    if set(SIDES) <= set(spec.names):
        places = [of(side, "xyz") for side in SIDES]
    else:
        (thing,) = spec.things
        along = thing.size[1] / 2 * _own_y(of(thing.name, ("qw", "qx", "qy", "qz")))
        places = [of(thing.name, "xyz") + along, of(thing.name, "xyz") - along]
    return np.stack([*places, gripper], axis=1).astype(np.float32)


def _own_y(quat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the y axes of turned bodies point, shape (n, 3), for quaternions (w, x, y, z), shape (n, 4)."""
    w, x, y, z = quat.T
    return np.stack([2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)], axis=1)


def _pixels(record: EpisodeRecord, world: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Where everything is in the frames of each camera [pixels], shape (cameras, frames, 3, 2)."""
    assert record.video is not None  # noqa: S101 - episodes without clips were left out
    width, height = record.video.width, record.video.height
    inner = inner_size((width, height), (side, side))
    scale = np.array(inner) / (width, height)
    corner = (side - np.array(inner)) // 2
    points = world.reshape(-1, 3)
    views = [project(camera.camera, points, width, height) * scale + corner for camera in record.cameras]
    return np.stack(views).reshape(len(views), len(world), len(THINGS), 2).astype(np.float32)


def by_task(stores: Sequence[Store]) -> Iterator[tuple[str, list[Store]]]:
    """The stores of each task, in the order of the registry."""
    for task in TASKS:
        own = [store for store in stores if store.task == task]
        if own:
            yield task, own
