"""Small frames of many episodes in one file that is mapped into memory, and what the simulator knows of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import RunError, UsageError
from hpvqa.files import write_json
from hpvqa.progress.reporter import Reporter
from hpvqa.record.decode import read_frames
from hpvqa.record.episode import TRAJECTORY_FILE, EpisodeRecord, find_episodes, read_episode
from hpvqa.record.fitting import inner_size
from hpvqa.record.trajectory import read_trajectory
from hpvqa.scene.camera import project
from hpvqa.scene.spec import SIDES
from hpvqa.vlm.frames.choose import choose
from hpvqa.vlm.frames.clip import Clip
from hpvqa.vlm.frames.sampling import FrameSampling
from research.pretrain.questions import Seen

STEP = {"push": 0.5, "drop": 1 / 15}
"""Time between kept frames by task [s]: cubes rest between pushes, spheres fall and bounce in tenths of a second."""
THINGS = (*SIDES, "ee")
"""What is followed: both objects and the point between the finger tips."""


@dataclass(frozen=True)
class Store:
    """Frames of the episodes of one task in one data folder.

    Attributes:
        task: The task.
        records: The episodes.
        cameras: Names of their cameras.
        numbers: Numbers of the kept frames in the clips.
        fps: Frame rate of the clips [1/s].
        total: Frames of a clip.
        images: RGB, shape (episodes, cameras, frames, side, side, 3), on disk.
        world: Where :data:`THINGS` were [m], shape (episodes, frames, 3, 3).
        pixels: Where they are in the images [pixels], shape (episodes, cameras, frames, 3, 2).
        whole: Which kept frames make up a clip as a model is shown it.
    """

    task: str
    records: tuple[EpisodeRecord, ...]
    cameras: tuple[str, ...]
    numbers: tuple[int, ...]
    fps: float
    total: int
    images: NDArray[np.uint8]
    world: NDArray[np.float32]
    pixels: NDArray[np.float32]
    whole: tuple[int, ...]

    @cached_property
    def times(self) -> tuple[float, ...]:
        """When the kept frames were seen [s]."""
        return tuple(number / self.fps for number in self.numbers)

    def seen(self, episode: int, shown: Sequence[int]) -> Seen:
        """What some kept frames of an episode show."""
        record, last = self.records[episode], self.world[episode, shown[-1]]
        return Seen(
            record.spec, record.events, [self.times[frame] for frame in shown], dict(zip(SIDES, last, strict=False))
        )

    def split(self, held_out: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the episodes to train on, and of the last ones, which are held out."""
        count = len(self.records)
        checks = min(max(round(held_out * count), 1), count - 1)
        return np.arange(count - checks), np.arange(count - checks, count)


def open_store(data: Path, task: str, folder: Path, sampling: FrameSampling, side: int, reporter: Reporter) -> Store:
    """Read the episodes of a task from a data folder; frames are decoded once and kept.

    Args:
        data: The data folder.
        task: The task.
        folder: Where frames are kept.
        sampling: Which frames of a whole clip a model is shown.
        side: Width and height of the frames [pixels]; clips of another shape get bars.
        reporter: Told of every episode that is decoded.

    Raises:
        UsageError: There are too few episodes, or they were not all recorded alike.
        RunError: A clip does not decode, or the disk does not take the frames.
    """
    found = [(path, read_episode(path)) for path in find_episodes(data, task)]
    found = [pair for pair in found if pair[1].outcome.ok and pair[1].video is not None and pair[1].spec.shift is None]
    if len(found) < 2:
        raise UsageError(f"{data} has {len(found)} recorded episodes of {task}; collect some hundreds")
    paths, records = zip(*found, strict=True)
    cameras = tuple(camera.camera.name for camera in records[0].cameras)
    video = records[0].video
    for path, record in found:
        if record.video != video or tuple(camera.camera.name for camera in record.cameras) != cameras:
            raise UsageError(f"{path} was recorded otherwise than {paths[0]}; give only one recording at a time")
    clip = Clip(paths[0], video.fps, video.frames)
    chosen = choose(sampling, clip)
    grid = {min(round(number * STEP[task] * clip.fps), clip.frames - 1) for number in range(_steps(task, clip))}
    numbers = tuple(sorted(grid | set(chosen)))
    images = _images(paths, cameras, numbers, side, folder, reporter)
    world = np.stack([_world(path, numbers) for path in paths])
    return Store(
        task=task,
        records=records,
        cameras=cameras,
        numbers=numbers,
        fps=clip.fps,
        total=clip.frames,
        images=images,
        world=world,
        pixels=np.stack([_pixels(record, points, side) for record, points in zip(records, world, strict=True)]),
        whole=tuple(numbers.index(number) for number in chosen),
    )


def _steps(task: str, clip: Clip) -> int:
    return int((clip.frames - 1) / clip.fps / STEP[task] + 1e-6) + 1


def _images(
    paths: Sequence[Path], cameras: Sequence[str], numbers: Sequence[int], side: int, folder: Path, reporter: Reporter
) -> NDArray[np.uint8]:
    """Frames of all clips, mapped from a file that is named after what is in it."""
    content = ["pad", str(side), *map(str, numbers), *cameras, *(str(path.resolve()) for path in paths)]
    path = folder / f"frames-{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]}.npy"
    shape = (len(paths), len(cameras), len(numbers), side, side, 3)
    if not path.is_file():
        partial = path.with_suffix(".partial")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            images = np.lib.format.open_memmap(partial, "w+", np.uint8, shape)  # type: ignore[no-untyped-call]
            reporter.start("decode", "episodes", len(paths))
            for row, episode in enumerate(paths):
                for column, camera in enumerate(cameras):
                    images[row, column] = read_frames(episode / f"{camera}.mp4", numbers, (side, side), "pad")
                reporter.item(episode.name)
            images.flush()
            reporter.done()
            write_json(path.with_suffix(".json"), content)
            partial.replace(path)
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror or error}") from None
        finally:
            partial.unlink(missing_ok=True)
    mapped: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return mapped


def _world(episode: Path, numbers: Sequence[int]) -> NDArray[np.float32]:
    """Where everything was in some frames [m], shape (frames, 3, 3)."""
    columns = read_trajectory(episode / TRAJECTORY_FILE, SIDES)
    rows = list(numbers)
    places = [np.stack([columns[f"{thing}_{axis}"][rows] for axis in "xyz"], axis=1) for thing in THINGS]
    return np.stack(places, axis=1).astype(np.float32)


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
