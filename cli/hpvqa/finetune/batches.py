"""Batches, and the processes that prepare them ahead."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import ForkContext
from typing import Any

import numpy as np
import torch

from hpvqa.errors import HpvqaError, RunError
from hpvqa.finetune.examples import Collator, Example, Lessons

FAILED = "failed"
"""The only entry of a batch that could not be made: why, as an error of ours."""


class Batch(dict[str, Any]):
    """The tensors of a batch.

    From process to process they travel as plain arrays through a pipe. torch's own way takes shared memory and sockets;
    where a container has little of the one, or the path of the folder for temporary files is too long for the other, a
    batch is lost without a word, and the training waits for it for ever.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """Take it apart."""
        return _joined, ({name: value.numpy() if torch.is_tensor(value) else value for name, value in self.items()},)


def _joined(parts: dict[str, Any]) -> Batch:
    return Batch({k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in parts.items()})


class Source:
    """Examples whose errors are values: an exception would leave a worker process as the text of its traceback."""

    def __init__(self, examples: Lessons) -> None:
        self._examples = examples

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self._examples)

    def __getitem__(self, number: int) -> Example | HpvqaError:
        """One example, or why there is none."""
        try:
            return self._examples[number]
        except HpvqaError as error:
            return error


class Packer:
    """Makes batches of what :class:`Source` gives."""

    def __init__(self, collator: Collator) -> None:
        self._collator = collator

    def __call__(self, examples: Sequence[Example | HpvqaError]) -> Batch:
        """The batch, or one that says why there is none."""
        found = [example for example in examples if isinstance(example, Example)]
        errors = [example for example in examples if isinstance(example, HpvqaError)]
        if errors:
            return Batch({FAILED: errors[0]})
        try:
            return Batch(self._collator(found))
        except HpvqaError as error:
            return Batch({FAILED: error})


class Workers(ForkContext):
    """Starts the processes that prepare batches, and remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self._started: list[Any] = []

    def Process(self, *args: Any, **named: Any) -> Any:  # type: ignore[override] # noqa: N802
        """A new process."""
        process = super().Process(*args, **named)
        self._started.append(process)
        return process

    def trouble(self) -> str | None:
        """Why this machine cannot run any; None if it can."""
        try:
            self.Lock()
        except OSError as error:
            return error.strerror or str(error)
        return None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Surroundings of a training: that a process was killed is told in a sentence.

        Raises:
            RunError: One was.
        """
        try:
            yield
        except RuntimeError as error:
            codes = [process.exitcode for process in self._started if process.exitcode]
            if not codes:
                raise
            how = f"killed by {signal.Signals(-codes[0]).name}" if codes[0] < 0 else f"ended with code {codes[0]}"
            raise RunError(
                f"A process that prepares batches was {how}, as happens when there is too little memory; go on with "
                "--resume, and with fewer --workers"
            ) from error
