"""Answering on a Ray cluster: every core of it, or GPU, answers some episodes at a time."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, chdir, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from hpvqa.cluster import Cluster
from hpvqa.errors import UsageError
from hpvqa.evaluate.pool import answer_trials
from hpvqa.evaluate.trials import Trial, by_episode
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.protocol import Answer, Answerer

ANSWER = f"{__name__}:answer_there"
BATCHES = 4
"""A call has so many batches at least, so that few are not full; all questions about an episode go together."""
AHEAD = 2
"""How many calls there are at a time for each worker: what waits for an earlier answer keeps nobody idle."""


@dataclass(frozen=True)
class ClusterChoice:
    """The cluster that answers.

    Attributes:
        address: Where it is.
        most: How many calls at a time at most; None: enough to keep it busy.
    """

    address: str
    most: int | None = None


def answer_on(
    choice: ClusterChoice,
    trials: Sequence[Trial],
    answerer: Answerer,
    frames: FrameSampling | None,
    seed: int,
    tell: Callable[[str], None],
) -> Generator[tuple[Trial, Answer], None, None]:
    """The answer to each trial, in order.

    Args:
        choice: The cluster.
        trials: What is asked, without frames, in the order of a plan.
        answerer: Who answers; it is not loaded here, but on the nodes.
        frames: Which frames it is shown; None if none.
        seed: Random seed of the conditions.
        tell: Takes sentences that a user should see, from any thread.

    Raises:
        HpvqaError: There is no such cluster, or a node cannot answer.
    """
    gpus = answerer.given_frames and getattr(answerer, "device", "cpu") != "cpu"
    cluster = Cluster(choice.address, tuple(answerer.distributions), tell, on_gpus=gpus)
    packed = pickle.dumps(answerer)
    told: set[str] = set()
    waiting: deque[Future[tuple[list[tuple[Trial, Answer]], list[str]]]] = deque()
    try:
        parts = deque(_parts(trials, BATCHES * answerer.batch_size))
        while parts or waiting:
            while parts and len(waiting) < (choice.most or AHEAD * cluster.workers):
                waiting.append(cluster.submit(ANSWER, packed, str(Path.cwd()), frames, seed, parts.popleft()))
            answered, sentences = waiting.popleft().result()
            for sentence in sentences:
                if sentence not in told:
                    told.add(sentence)
                    tell(sentence)
            yield from answered
    finally:
        cluster.close()


def _parts(trials: Sequence[Trial], least: int) -> list[list[Trial]]:
    """Whole episodes, together at least so many trials."""
    parts: list[list[Trial]] = []
    for episode in by_episode(trials):
        if parts and len(parts[-1]) < least:
            parts[-1] += episode
        else:
            parts.append(list(episode))
    return parts


def answer_there(
    packed: bytes, folder: str, frames: FrameSampling | None, seed: int, trials: Sequence[Trial]
) -> tuple[list[tuple[Trial, Answer]], list[str]]:
    """Answer some trials on a node.

    Args:
        packed: The answerer, pickled.
        folder: The folder in which the command runs, which its paths may be relative to.
        frames: Which frames it is shown; None if none.
        seed: Random seed of the conditions.
        trials: What is asked.

    Returns:
        The trials as they were asked, but for their frames, with their answers; and what a user should know of.

    Raises:
        HpvqaError: This node has no such data set, or cannot load the model.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(chdir(folder))
        clips = trials[0].query.clip.parent
        if not clips.is_dir():
            raise UsageError(f"There is no {Path(folder, clips)}; put the data set into a folder that all nodes share")
        answerer, told = _loaded(packed)
        answered = [
            (replace(trial, query=replace(trial.query, videos=())), answer)
            for trial, answer in answer_trials(trials, answerer, frames, seed, workers=1)
        ]
    sentences = list(told)
    told.clear()
    return answered, sentences


@lru_cache(maxsize=1)
def _loaded(packed: bytes) -> tuple[Answerer, list[str]]:
    """The answerer of this process, which Ray gives many calls, and the list of what it tells."""
    answerer: Answerer = pickle.loads(packed)  # noqa: S301 - from our own command, through the user's own cluster
    told: list[str] = []
    answerer.load(told.append)
    return answerer, told
