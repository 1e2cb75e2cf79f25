"""Answerers that are no models: what blind rules score, and what a perfect observer scores."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hpvqa.dataset.load import Dataset
from hpvqa.errors import UsageError
from hpvqa.probes.distribution import Distribution
from hpvqa.probes.events import Pose
from hpvqa.record.episode import TRAJECTORY_FILE, EpisodeRecord, read_episode
from hpvqa.scene.spec import SIDES, Side
from hpvqa.tasks.base import Task
from hpvqa.tasks.outcome import Measurement
from hpvqa.vlm.protocol import Answer, OneByOne, Query

T = TypeVar("T")

_POSE = ("x", "y", "z", "qw", "qx", "qy", "qz")


QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Probabilities for which it is said what a value is below; the middle one is the answer."""


def value_answer(task: Task, belief: Distribution, text: str) -> Answer:
    """What is said of a value, from what is believed of the hidden property."""
    quantiles = {share: task.asked_scale * belief.quantile(share) for share in QUANTILES}
    return Answer(value=quantiles[0.5], quantiles=quantiles, text=text)


class Constant(OneByOne):
    """Always says the same word; it has no number to say.

    Args:
        side: What it says.
    """

    forms = ("compare",)

    def __init__(self, side: Side) -> None:
        self.name = side
        self._side = side

    def answer_one(self, query: Query) -> Answer:
        """Say it."""
        return Answer(self._side)


class Random(OneByOne):
    """Tosses a coin, for each row its own; for a value, draws one of the training split.

    Args:
        seed: Seed of all draws.
        values: The values of the training split, by task.
    """

    name = "random"
    distributions = ("numpy",)

    def __init__(self, seed: int, values: Mapping[str, Sequence[float]] | None = None) -> None:
        self._seed = seed
        self._values = values or {}

    @classmethod
    def of(cls, dataset: Dataset, seed: int) -> Random:
        """Draw from the training split of a data set."""
        return cls(seed, dataset.true_values("train"))

    def answer_one(self, query: Query) -> Answer:
        """Toss the coin of this row.

        Raises:
            UsageError: The training split has no values of the task.
        """
        digest = hashlib.sha256(query.key.encode()).digest()
        sequence = np.random.SeedSequence(self._seed, spawn_key=(int.from_bytes(digest, "big"),))
        rng = np.random.default_rng(sequence)
        if query.unit is None:
            return Answer(query.choices[rng.integers(len(query.choices))])
        values = _known(self._values, query.task)
        return Answer(value=values[int(rng.integers(len(values)))])


class Majority(OneByOne):
    """Says what is most often true in the training split of the same task; of values, their mean there.

    Args:
        counts: How often each answer is true in the training split, by task.
        values: The values of the training split, by task.
    """

    name = "majority"

    def __init__(
        self, counts: Mapping[str, Mapping[Side, int]], values: Mapping[str, Sequence[float]] | None = None
    ) -> None:
        self._counts = counts
        self._values = values or {}

    @classmethod
    def of(cls, dataset: Dataset) -> Majority:
        """Count the training split of a data set."""
        rows = dataset.comparisons("train")
        tasks = dict.fromkeys(row.task for row in rows)
        counts = {task: Counter(row.answer for row in rows if row.task == task) for task in tasks}
        return cls(counts, dataset.true_values("train"))

    def answer_one(self, query: Query) -> Answer:
        """Say the more frequent answer; where both are, left.

        Raises:
            UsageError: The training split has no rows of the task.
        """
        if query.unit is not None:
            return Answer(value=float(np.mean(_known(self._values, query.task))), text="mean of the training split")
        counts = _known(self._counts, query.task)
        left, right = (counts.get(side, 0) for side in SIDES)
        return Answer("left" if left >= right else "right", f"{left} left and {right} right in the training split")


def _known(found: Mapping[str, T], task: str) -> T:
    """What the training split has of a task.

    Raises:
        UsageError: It has nothing.
    """
    if task not in found:
        raise UsageError(f"The training split has no such rows of {task}, so nothing can be taken from there")
    return found[task]


class Oracle(OneByOne):
    """Knows the recorded trajectory and events, though neither the label nor the hidden values."""

    name = "oracle"
    privileged = True
    distributions = ("numpy", "pyarrow")

    def __init__(self) -> None:
        self._latest: tuple[Path, Task, Measurement] | None = None

    def answer_one(self, query: Query) -> Answer:
        """Judge by the physics that was recorded.

        Raises:
            HpvqaError: The data set holds no recording of the episode, as when it was imported.
        """
        # All questions about an episode follow each other.
        if self._latest is None or self._latest[0] != query.episode:
            self._latest = (query.episode, *observe(query.episode))
        _, task, measured = self._latest
        if query.about is None:
            values = ", ".join(f"{name} {value:.4f}" for name, value in measured.values.items())
            return Answer(task.answer_from(measured), f"{measured.quantity} {values}")
        value = measured.of(query.about)
        exact = Distribution(np.array([value]), np.array([1.0]))
        # The stated accuracy is the largest error, so about two standard deviations.
        belief = task.believed(query.about, exact, task.probe.accuracy / 2)
        return value_answer(task, belief, f"{measured.quantity} {value:.4f}")


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
        record = read_episode(query.episode)
        rows = sorted({index for frames in query.videos for index in frames.indices})
        times, places = glimpses(query.episode, record, rows, query.fps)
        if query.about is not None:
            task = record.task
            seen = task.log_likelihood(record.spec, query.about, task.grid, record.events, times, places[query.about])
            return value_answer(task, Distribution.from_log(task.grid, seen), f"{len(rows)} moments")
        odds = record.task.log_odds(record.spec, record.events, times, places)
        logprobs: dict[Side, float] = {"left": -float(np.logaddexp(0, -odds)), "right": -float(np.logaddexp(0, odds))}
        return Answer("left" if odds >= 0 else "right", f"log-odds of left {odds:.2f}", logprobs)


def glimpses(
    folder: Path, record: EpisodeRecord, rows: Sequence[int], fps: float
) -> tuple[list[float], dict[str, list[Pose]]]:
    """When some frames are [s], and where each thing was in them, as :meth:`Task.log_odds` wants it.

    Args:
        folder: The episode.
        record: What it says of itself.
        rows: Numbers of the frames, ascending.
        fps: Frame rate [1/s].

    Raises:
        HpvqaError: The trajectory is not there, or damaged.
    """
    from hpvqa.record.trajectory import read_trajectory

    columns = read_trajectory(folder / TRAJECTORY_FILE, record.spec.names)
    return [row / fps for row in rows], {name: _poses(columns, name, rows) for name in record.spec.names}


def observe(folder: Path) -> tuple[Task, Measurement]:
    """What the recorded trajectory and events of an episode say, and of which task it is.

    Raises:
        HpvqaError: They are not there, or damaged.
    """
    from hpvqa.record.trajectory import read_trajectory

    record = read_episode(folder)
    columns = read_trajectory(folder / TRAJECTORY_FILE, record.spec.names)
    final = {name: _poses(columns, name, [-1])[0] for name in record.spec.names}
    return record.task, record.task.measure(record.spec, record.events, final)


def _poses(columns: Mapping[str, NDArray[np.float64]], name: str, rows: Sequence[int]) -> list[Pose]:
    found = []
    for row in rows:
        x, y, z, qw, qx, qy, qz = (float(columns[f"{name}_{part}"][row]) for part in _POSE)
        found.append(Pose((x, y, z), (qw, qx, qy, qz)))
    return found
