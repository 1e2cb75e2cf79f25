"""What a collection would take, without making any of it: what is missing, how large, how long."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from pydantic import Field

from hpvqa.collect.folder import check_ours
from hpvqa.collect.lock import holder
from hpvqa.collect.run import Request
from hpvqa.collect.settings import check_agrees, read_collection
from hpvqa.plain import Model
from hpvqa.recipe import Recipe
from hpvqa.record.episode import find_episodes, read_episode
from hpvqa.scene.layers import Layer
from hpvqa.scene.rigs import Rig
from hpvqa.tasks import TASKS

_SAMPLE = 8
"""From how many episodes of a task the size of the others is taken."""
_BYTES_PER_PIXEL = 0.02
"""Size of a clip for every pixel of every frame; measured at 640x480."""
_LAYER_BYTES: dict[Layer, float] = {"depth": 0.12, "segmentation": 0.005}
"""The same of what is recorded beside clips (docs/dataset.md)."""
_BYTES_BESIDES = 50_000
"""Size of an episode's record and trajectory."""
_STEPS_PER_SECOND = 3.0
"""How long one worker of the embedded simulator takes for a second of physics [s] (docs/performance.md)."""
_FRAME_SECONDS = (0.010, 3.0e-8)
"""How long drawing a frame takes, and what each pixel adds [s] (docs/performance.md)."""
_LAYERS_SECONDS = (0.003, 3.0e-8)
"""The same of drawing and encoding what is recorded beside it."""


class TaskEstimate(Model):
    """What is there of one task, and what is missing."""

    asked: int = Field(description="Episodes that there should be.")
    already: int = Field(description="Episodes that are there.")
    fps: int = Field(description="Frame rate of their clips.")
    frames: int = Field(description="Frames of each episode, of all cameras.")
    bytes: int = Field(description="Size of each episode, about.")
    seconds: float | None = Field(description="Time that one worker takes for each episode, about; null if unknown.")


class Estimate(Model):
    """What a collection would take."""

    recipe: Recipe = Field(description="All settings.")
    rig: Rig = Field(description="The cameras that they mean.")
    data: str
    tasks: dict[str, TaskEstimate]
    bytes: int = Field(description="Size of all missing episodes, about.")
    seconds: float | None = Field(description="Time that the missing episodes take, about; null if unknown.")
    free_bytes: int = Field(description="Free space on the disk of the data folder.")
    busy: bool = Field(description="Whether another run is writing to the data folder.")
    warnings: tuple[str, ...] = Field(description="What is wrong with the settings, though they are possible.")


def estimate(request: Request, recipe: Recipe, workers: int) -> Estimate:
    """Work out what a request would take. Nothing is written.

    Args:
        request: What should be there.
        recipe: What the request was made from.
        workers: Processes at work.

    Raises:
        UsageError: The folder is not ours, or holds other settings or a damaged episode.
    """
    data = request.data
    check_ours(data)
    found = read_collection(data)
    if found is not None and next(find_episodes(data), None) is not None:
        check_agrees(data, found, request.collection)
    tasks = {task: _task(request, task) for task in request.episodes}
    missing = {task: what.asked - what.already for task, what in tasks.items()}
    times = [None if what.seconds is None else what.seconds * missing[task] for task, what in tasks.items()]
    known = [time for time in times if time is not None]
    return Estimate(
        recipe=recipe,
        rig=recipe.camera_rig(),
        data=str(data),
        tasks=tasks,
        bytes=sum(what.bytes * missing[task] for task, what in tasks.items()),
        seconds=sum(known) / max(min(workers, sum(missing.values())), 1) if len(known) == len(times) else None,
        free_bytes=shutil.disk_usage(_existing(data)).free,
        busy=data.is_dir() and holder(data) is not None,
        warnings=tuple(request.collection.warnings()),
    )


def _task(request: Request, task: str) -> TaskEstimate:
    collection = request.collection
    settings = collection.tasks[task]
    there = request.there(task).values()
    duration = TASKS[task].duration(collection.spec(task, 0))
    each_camera = round(duration * settings.fps) if collection.resolution else 0
    frames = each_camera * len(settings.cameras)
    width, height = collection.resolution or (0, 0)
    seconds = None
    if collection.backend == "mujoco":
        seconds = duration / _STEPS_PER_SECOND
        for base, pixel in (_FRAME_SECONDS, *((_LAYERS_SECONDS,) if collection.layers else ())):
            seconds += frames * (base + pixel * width * height)
    each_pixel = _BYTES_PER_PIXEL + sum(_LAYER_BYTES[layer] for layer in collection.layers)
    return TaskEstimate(
        asked=len(request.indices(task)),
        already=len(there),
        fps=settings.fps,
        frames=frames,
        bytes=_measured(there) or round(_BYTES_BESIDES + each_pixel * frames * width * height),
        seconds=seconds,
    )


def _measured(folders: Iterable[Path]) -> int:
    """Mean size of some episodes [bytes]; 0 if there are none."""
    sizes = [sum(file.bytes for file in read_episode(folder).files.values()) for folder in islice(folders, _SAMPLE)]
    return round(sum(sizes) / len(sizes)) if sizes else 0


def _existing(folder: Path) -> Path:
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - without following links, and without asking the disk
    return next(path for path in (folder, *folder.parents) if path.is_dir())
