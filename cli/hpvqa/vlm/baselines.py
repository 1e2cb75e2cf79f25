"""Answerers that are no models: what blind rules score, and what a perfect observer scores."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hpvqa.dataset.load import Dataset
from hpvqa.errors import UsageError
from hpvqa.probes.events import Pose
from hpvqa.record.episode import TRAJECTORY_FILE, read_episode
from hpvqa.scene.spec import SIDES, Side
from hpvqa.vlm.protocol import Answer, OneByOne, Query

_POSE = ("x", "y", "z", "qw", "qx", "qy", "qz")


class Constant(OneByOne):
    """Always says the same.

    Args:
        side: What it says.
    """

    def __init__(self, side: Side) -> None:
        self.name = side
        self._side = side

    def answer_one(self, query: Query) -> Answer:
        """Say it."""
        return Answer(self._side)


class Random(OneByOne):
    """Tosses a coin, for each row its own.

    Args:
        seed: Seed of all coins.
    """

    name = "random"
    distributions = ("numpy",)

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def answer_one(self, query: Query) -> Answer:
        """Toss the coin of this row."""
        digest = hashlib.sha256(query.key.encode()).digest()
        sequence = np.random.SeedSequence(self._seed, spawn_key=(int.from_bytes(digest, "big"),))
        return Answer(query.choices[np.random.default_rng(sequence).integers(len(query.choices))])


class Majority(OneByOne):
    """Says what is most often true in the training split of the same task.

    Args:
        counts: How often each answer is true in the training split, by task.
    """

    name = "majority"

    def __init__(self, counts: Mapping[str, Mapping[Side, int]]) -> None:
        self._counts = counts

    @classmethod
    def of(cls, dataset: Dataset) -> Majority:
        """Count the training split of a data set."""
        rows = dataset.rows("train")
        tasks = dict.fromkeys(row.task for row in rows)
        return cls({task: Counter(row.answer for row in rows if row.task == task) for task in tasks})

    def answer_one(self, query: Query) -> Answer:
        """Say the more frequent answer; where both are, left.

        Raises:
            UsageError: The training split has no rows of the task.
        """
        if query.task not in self._counts:
            raise UsageError(f"The training split has no rows of {query.task}, so none of its answers is the majority")
        counts = self._counts[query.task]
        left, right = (counts.get(side, 0) for side in SIDES)
        return Answer("left" if left >= right else "right", f"{left} left and {right} right in the training split")


class Oracle(OneByOne):
    """Knows the recorded trajectory and events, though neither the label nor the hidden values."""

    name = "oracle"
    privileged = True
    distributions = ("numpy", "pyarrow")

    def __init__(self) -> None:
        self._latest: tuple[Path, Answer] | None = None

    def answer_one(self, query: Query) -> Answer:
        """Judge by the physics that was recorded.

        Raises:
            HpvqaError: The data set holds no recording of the episode, as when it was imported.
        """
        # All views of an episode follow each other, and have the same answer.
        if self._latest is None or self._latest[0] != query.episode:
            self._latest = (query.episode, observe(query.episode))
        return self._latest[1]


class FrameOracle(OneByOne):
    """Knows where all things are in the frames that a model is shown, and nothing of the time between them.

    So it shows how much of the answer a choice of frames retains. It looks at no picture.
    """

    name = "frame-oracle"
    privileged = True
    given_frames = True
    distributions = ("av", "numpy", "pyarrow")

    def answer_one(self, query: Query) -> Answer:
        """Judge by the recorded places at those moments.

        Raises:
            HpvqaError: The data set holds no recording of the episode, as when it was imported.
        """
        from hpvqa.record.trajectory import read_trajectory

        record = read_episode(query.episode)
        columns = read_trajectory(query.episode / TRAJECTORY_FILE, record.spec.names)
        rows = sorted({index for frames in query.videos for index in frames.indices})
        times = [row / query.fps for row in rows]
        places = {name: _poses(columns, name, rows) for name in record.spec.names}
        odds = record.task.log_odds(record.spec, record.events, times, places)
        logprobs: dict[Side, float] = {"left": -float(np.logaddexp(0, -odds)), "right": -float(np.logaddexp(0, odds))}
        return Answer("left" if odds >= 0 else "right", f"log-odds of left {odds:.2f}", logprobs)


def observe(folder: Path) -> Answer:
    """What the recorded trajectory and events of an episode say.

    Raises:
        HpvqaError: They are not there, or damaged.
    """
    from hpvqa.record.trajectory import read_trajectory

    record = read_episode(folder)
    columns = read_trajectory(folder / TRAJECTORY_FILE, record.spec.names)
    final = {name: _poses(columns, name, [-1])[0] for name in record.spec.names}
    measured = record.task.measure(record.spec, record.events, final)
    values = ", ".join(f"{name} {value:.4f}" for name, value in measured.values.items())
    text = f"{measured.quantity} {values}"
    return Answer(record.task.answer_from(measured), text)


def _poses(columns: Mapping[str, NDArray[np.float64]], name: str, rows: Sequence[int]) -> list[Pose]:
    found = []
    for row in rows:
        x, y, z, qw, qx, qy, qz = (float(columns[f"{name}_{part}"][row]) for part in _POSE)
        found.append(Pose((x, y, z), (qw, qx, qy, qz)))
    return found
