"""Accuracy of the pixels baseline on a data folder: the ceiling that a model should be compared with.

Run on a folder that ``hpvqa collect`` filled. Every clip is measured as it was recorded, squeezed to 224×224 as the
processors of vision-language models do, at 2 frames a second, and both. Prints accuracy by camera with its 95 %
Clopper-Pearson interval (a camera sees each episode once, so that its clips are independent), by majority of an
episode's cameras, and by how far apart the hidden values are; then all figures as one line of JSON, last.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import beta

from hpvqa.errors import HpvqaError
from hpvqa.record.decode import iter_frames
from hpvqa.record.episode import CameraRecord, find_episodes, read_episode
from hpvqa.scene.spec import Side
from hpvqa.tasks import TASKS
from hpvqa.vlm.pixels import measure_clip
from hpvqa.vlm.pixels.answerer import LEAST

SMALL = 224
SLOW = 2.0
SETTINGS = {"recorded": (False, False), "224²": (True, False), "2 fps": (False, True), "224², 2 fps": (True, True)}
"""Whether frames are squeezed, and whether only two a second are kept."""
GAPS = {"push": (2.0, 2.75, 3.5, 4.5), "drop": (0.2, 0.4, 0.6, 1.0)}
"""Bounds of the bins of the difference between both hidden values [kg], [1]."""


Summary = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Clip:
    """The frames of a clip under one setting."""

    path: Path
    fps: float
    small: bool
    slow: bool

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        wanted = 0
        for number, frame in enumerate(iter_frames(self.path)):
            if self.slow and number < round(wanted * self.fps / SLOW):
                continue
            wanted += 1
            yield (
                np.asarray(Image.fromarray(frame).resize((SMALL, SMALL), Image.Resampling.BOX)) if self.small else frame
            )


def squeezed(camera: CameraRecord) -> CameraRecord:
    """The same camera for frames of 224×224 pixels."""
    wide, high = SMALL / (2 * camera.cx), SMALL / (2 * camera.cy)
    new = {"fx": camera.fx * wide, "fy": camera.fy * high, "cx": SMALL / 2, "cy": SMALL / 2}
    return camera.model_copy(update=new)


@dataclass(frozen=True)
class Row:
    """One clip measured under one setting."""

    task: str
    episode: int
    camera: str
    setting: str
    gap: float
    truth: Side
    p_left: float
    left: float | None
    right: float | None
    seconds: float

    @property
    def p_true(self) -> float:
        """Probability that was given to the true answer."""
        return self.p_left if self.truth == "left" else 1 - self.p_left

    @property
    def is_correct(self) -> bool:
        return (self.p_left >= 0.5) == (self.truth == "left")


def measure_episode(folder: Path) -> list[Row]:
    """One row for every camera and setting of an episode."""
    record = read_episode(folder)
    assert record.video is not None, f"{folder} has no clips"
    task, rows = record.task, []
    for camera in record.cameras:
        for setting, (small, slow) in SETTINGS.items():
            start = time.process_time()
            frames = Clip(folder / f"{camera.camera.name}.mp4", record.video.fps, small, slow)
            calibration = squeezed(camera) if small else camera
            measured = measure_clip(frames, calibration, SLOW if slow else record.video.fps, task.name)
            rows.append(
                Row(
                    task=task.name,
                    episode=record.spec.index,
                    camera=camera.camera.name,
                    setting=setting,
                    gap=task.gap(record.spec),
                    truth=task.answer(record.spec),
                    p_left=measured.p_left,
                    left=measured.values["left"],
                    right=measured.values["right"],
                    seconds=time.process_time() - start,
                )
            )
    return rows


def interval(correct: int, n: int) -> tuple[float, float]:
    """The 95 % interval of Clopper and Pearson (1934) of a share."""
    low = beta.ppf(0.025, correct, n - correct + 1) if correct else 0.0
    high = beta.ppf(0.975, correct + 1, n - correct) if correct < n else 1.0
    return float(low), float(high)


def share(outcomes: Sequence[bool]) -> dict[str, float]:
    low, high = interval(sum(outcomes), len(outcomes))
    return {"accuracy": sum(outcomes) / len(outcomes), "low": low, "high": high, "n": len(outcomes)}


def majority(rows: Sequence[Row], weighted: bool) -> list[bool]:
    """Whether an episode's cameras together are right, for each episode: by votes, or by log-odds."""
    votes: dict[int, list[float]] = {}
    for row in rows:
        p = min(max(row.p_true, LEAST), 1 - LEAST)
        votes.setdefault(row.episode, []).append(math.log(p / (1 - p)) if weighted else row.is_correct - 0.5)
    return [sum(vote) > 0 for vote in votes.values()]


def summary(rows: Sequence[Row]) -> Summary:
    """Accuracy by camera, by majority vote and by gap, of one task under one setting."""
    found = {}
    for camera in dict.fromkeys(row.camera for row in rows):
        found[camera] = share([row.is_correct for row in rows if row.camera == camera])
    found["majority"] = share(majority(rows, weighted=False))
    found["weighted majority"] = share(majority(rows, weighted=True))
    for low, high in pairwise(GAPS[rows[0].task]):
        inside = [row for row in rows if low <= row.gap < high]
        if inside:
            # Seven clips of an episode are no seven samples, so that no interval is given.
            accuracy = float(np.mean([row.is_correct for row in inside]))
            found[f"gap {low} to {high}"] = {"accuracy": accuracy, "n": len({row.episode for row in inside})}
    return found


def show(console: Console, task: str, summaries: dict[str, Summary], episodes: int) -> None:
    table = Table(title=f"{task}: {episodes} episodes", title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for setting in summaries:
        table.add_column(setting, no_wrap=True)
    for name in next(iter(summaries.values())):
        cells = []
        for found in summaries.values():
            cell = found[name]
            rest = f"{cell['low']:.2f}-{cell['high']:.2f}" if "low" in cell else f"n={cell['n']}"
            cells.append(f"{cell['accuracy']:.2f} {rest}")
        table.add_row(name, *cells)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="data folder with recorded episodes")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--rows", type=Path, help="also write every single measurement here, one JSON object a line")
    args = parser.parse_args()
    folders = list(find_episodes(args.data))
    if not folders:
        sys.exit(f"{args.data} holds no episodes; fill it with: hpvqa collect push drop --out {args.data}")
    with ProcessPoolExecutor(args.workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        done = track(pool.map(measure_episode, folders), "measuring", total=len(folders), console=Console(stderr=True))
        rows = [row for part in done for row in part]
    if args.rows:
        args.rows.write_text("".join(json.dumps(asdict(row)) + "\n" for row in rows), encoding="utf-8")
    console = Console()
    result = {}
    for task in TASKS:
        of_task = [row for row in rows if row.task == task]
        if of_task:
            found = {name: summary([row for row in of_task if row.setting == name]) for name in SETTINGS}
            show(console, task, found, len({row.episode for row in of_task}))
            result[task] = found
    seconds = float(np.mean([row.seconds for row in rows if row.setting == "recorded"]))
    console.print(f"{seconds:.2f} s of CPU time a clip as recorded, decoding included")
    print(json.dumps({"pixels": result, "cpu_seconds_per_clip": seconds}))


if __name__ == "__main__":
    try:
        main()
    except HpvqaError as error:
        sys.exit(str(error))
