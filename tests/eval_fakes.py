"""Answerers for tests; worker processes import them from here."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hpvqa.record.decode import iter_frames
from hpvqa.scene.spec import Side
from hpvqa.vlm.protocol import Answer, OneByOne, Query


class Watching(OneByOne):
    """Decodes the whole clip, says left, and remembers what it was asked."""

    name = "watching"
    distributions = ("av",)

    def __init__(self) -> None:
        self.asked: list[str] = []

    def answer_one(self, query: Query) -> Answer:
        self.asked.append(query.key)
        frames = sum(1 for _ in iter_frames(query.clip))
        return Answer("left", f"{frames} of {query.frames} frames")


class Confident(OneByOne):
    """Has log-probabilities."""

    name = "confident"

    def answer_one(self, query: Query) -> Answer:
        logprobs: dict[Side, float] = {"left": -1.0, "right": -2.0}
        return Answer("left", logprobs=logprobs)


class Looking(OneByOne):
    """Is given frames, remembers them, and says left the more likely the brighter their left halves are."""

    name = "looking"
    given_frames = True

    def __init__(self, batch_size: int = 4) -> None:
        self.batch_size = batch_size
        self.batches: list[list[Query]] = []
        self.loaded = 0

    def load(self, tell: Callable[[str], None]) -> None:
        self.loaded += 1

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        self.batches.append(list(queries))
        return super().answer(queries)

    def answer_one(self, query: Query) -> Answer:
        pictures = np.concatenate([video.images for video in query.videos]).astype(float)
        half = pictures.shape[2] // 2
        p_left = 1 / (1 + math.exp((pictures[:, :, half:].mean() - pictures[:, :, :half].mean()) / 50))
        logprobs: dict[Side, float] = {"left": math.log(0.9 * p_left), "right": math.log(0.9 * (1 - p_left))}
        return Answer(
            "left" if p_left >= 0.5 else "right", "looked", logprobs=logprobs, prompt_tokens=7, answer_tokens=1
        )


class Slow(OneByOne):
    """Takes a while for each row, and leaves a file named after its process with a byte for each of them."""

    name = "slow"

    def __init__(self, pids: Path) -> None:
        self.pids = pids

    def answer_one(self, query: Query) -> Answer:
        with (self.pids / str(os.getpid())).open("ab") as file:
            file.write(b".")
        time.sleep(0.2)
        return Answer("right")


class Fatal(OneByOne):
    """Takes its process with it."""

    name = "fatal"

    def answer_one(self, query: Query) -> Answer:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def main(pids: str, args: list[str]) -> None:
    """The `hpvqa` command with the slow answerer in place of all baselines."""
    import hpvqa.main
    import hpvqa.vlm.registry

    hpvqa.vlm.registry.BASELINES = {"left": lambda dataset, seed: Slow(Path(pids))}
    hpvqa.main.main(args)


def command(pids: Path, *args: object) -> list[str]:
    """The command line of :func:`main`."""
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); from tests import eval_fakes"
    return [sys.executable, "-c", f"{script}; eval_fakes.main({str(pids)!r}, sys.argv[1:])", *map(str, args)]
