"""Batches come whole from the processes that prepare them, and so do errors."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.reduction import ForkingPickler

import pytest
import torch

from hpvqa.errors import HpvqaError, RunError, UsageError
from hpvqa.finetune.batches import FAILED, Batch, Packer, Source, Workers


class Broken:
    """Examples that cannot be read, and a collator that is never asked."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, number: int) -> None:
        raise RunError("clip.mp4 does not decode")

    def __call__(self, examples: object) -> None:
        raise UsageError("these frames do not suit the model")


def travelled(batch: Batch) -> Batch:
    """What comes out of a pipe, as between two processes."""
    reader, writer = multiprocessing.Pipe()
    with reader, writer:
        writer.send(batch)
        got = reader.recv()
    assert type(got) is Batch
    return got


def test_a_batch_travels_without_shared_memory_or_sockets() -> None:
    batch = Batch({"pixels": torch.rand(2, 3, 4), "labels": torch.arange(1000), "more": None})
    # torch's own way sends only where to find the numbers.
    assert len(ForkingPickler.dumps(batch)) > 8 * 1000
    got = travelled(batch)
    assert got["more"] is None
    for name in ("pixels", "labels"):
        assert torch.equal(got[name], batch[name])
        assert got[name].dtype == batch[name].dtype
    got["pixels"] += 1


def test_errors_are_values() -> None:
    source = Source(Broken())  # type: ignore[arg-type]
    assert len(source) == 1
    found = source[0]
    assert isinstance(found, HpvqaError)
    pack = Packer(Broken())  # type: ignore[arg-type]
    for batch, kind, words in (
        (pack([found]), RunError, "clip.mp4 does not decode"),
        (pack([]), UsageError, "these frames do not suit the model"),
    ):
        (error,) = travelled(batch).values()
        assert (list(batch), type(error), str(error)) == ([FAILED], kind, words)


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(("target", "words"), [(kill_itself, "killed by SIGKILL"), (None, None)])
def test_a_process_that_was_killed_is_told(target: object, words: str | None) -> None:
    workers = Workers()
    process = workers.Process(target=target)
    process.start()
    process.join()
    with pytest.raises(RunError if words else RuntimeError, match=words or "a mistake"), workers.watched():
        raise RuntimeError("a mistake")


def test_a_machine_without_semaphores_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Workers().trouble() is None

    def full(self: Workers) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Workers, "Lock", full)
    assert Workers().trouble() == "No space left on device"
