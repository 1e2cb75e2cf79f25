"""Several copies of a model, each in a process and on GPUs of its own, that share the queries."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from typing import Any

from pydantic import JsonValue

from hpvqa.errors import HpvqaError, RunError
from hpvqa.processes import Workers, exit_with_parent
from hpvqa.vlm.backends.engine import Engine
from hpvqa.vlm.device import check_gpus, gpus_of
from hpvqa.vlm.options import EngineOptions, TransformersOptions, VllmOptions
from hpvqa.vlm.protocol import Answer, Query, Resampling

Made = Callable[[EngineOptions, int], Engine[Any]]
"""Makes the answerer that each process runs; a class, for it is sent there."""


class Copies:
    """Answers as one of its copies would: an answer does not depend on which of them gives it.

    Args:
        made: What each process runs.
        options: What the user says; ``batch_size`` is that of each copy.
        seed: Seed of answers that are drawn.

    Raises:
        HpvqaError: As of what is made; or there are too few GPUs.
    """

    privileged = False
    # Set by loading alone: one that is not loaded can be pickled.
    _tell: Callable[[str], None]

    def __init__(self, made: Made, options: EngineOptions, seed: int) -> None:
        self._count = options.data_parallel_size
        self._made, self._options, self._seed = made, options.model_copy(update={"data_parallel_size": 1}), seed
        # Knows all that can be known without the model, and is never loaded.
        self._one = made(self._options, seed)
        if self._one.device == "cuda":
            check_gpus(self._count, self._size())
        self.name, self.batch_size = self._one.name, self._count * options.batch_size
        self.given_frames, self.forms = self._one.given_frames, self._one.forms
        self.distributions = self._one.distributions
        self.resampling: Resampling = self._one.resampling
        self.details: Mapping[str, JsonValue] = self._one.details
        self._open: list[Workers] = []
        self._told = set[str]()

    def load(self, tell: Callable[[str], None]) -> None:
        """Load the model in all processes at once.

        Raises:
            HpvqaError: As of one copy.
        """
        self._tell = tell
        if self._open:
            return
        arguments = (self._made, self._options, self._seed)
        self._open = [Workers(1, _begin, arguments, self._environment(number)) for number in range(self._count)]
        with self._watched():
            self._results([workers.submit(_load) for workers in self._open])

    def _environment(self, number: int) -> Mapping[str, str]:
        if self._one.device != "cuda":
            return {}
        import torch

        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        return {"CUDA_VISIBLE_DEVICES": gpus_of(visible, torch.cuda.device_count(), self._size(), number)}

    def _size(self) -> int:
        """How many GPUs each copy takes."""
        import torch

        match self._options:
            case VllmOptions():
                return self._options.tensor_parallel_size
            case TransformersOptions(device="spread"):
                # What is spread takes all that it sees, so each sees as many as the others.
                there: int = torch.cuda.device_count()
                return max(there // self._count, 1)
            case _:
                return 1

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Share a batch out, in pieces that follow each other, so that what has a beginning in common stays together.

        Raises:
            RunError: A process died.
            HpvqaError: As of one copy.
        """
        most = -(-len(queries) // self._count)
        parts = [queries[first : first + most] for first in range(0, len(queries), most)] if queries else []
        with self._watched():
            jobs = [workers.submit(_answer, part) for workers, part in zip(self._open, parts, strict=False)]
            return [answer for part in self._results(jobs) for answer in part]

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except BrokenExecutor:
            self.close()
            raise RunError(
                "A copy of the model died, perhaps of too little memory; go on with the same command and a smaller "
                "--data-parallel-size"
            ) from None
        except HpvqaError:
            self.close()
            raise

    def _results(self, jobs: Sequence[Future[tuple[list[Answer], list[str]]]]) -> list[list[Answer]]:
        found = []
        for job in jobs:
            answers, told = job.result()
            found.append(answers)
            for sentence in told:
                if sentence not in self._told:
                    self._told.add(sentence)
                    self._tell(sentence)
        return found

    def close(self) -> None:
        """End all processes."""
        workers, self._open = self._open, []
        for each in workers:
            each.kill()


_engine: Engine[Any] | None = None
_heard: list[str] = []


def _begin(made: Made, options: EngineOptions, seed: int) -> None:
    global _engine
    exit_with_parent()
    _engine = made(options, seed)


def _load() -> tuple[list[Answer], list[str]]:
    assert _engine is not None  # noqa: S101 - the pool has initialised every process
    _engine.load(_heard.append)
    return [], _take()


def _answer(queries: Sequence[Query]) -> tuple[list[Answer], list[str]]:
    assert _engine is not None  # noqa: S101
    return _engine.answer(queries), _take()


def _take() -> list[str]:
    told = list(_heard)
    _heard.clear()
    return told
