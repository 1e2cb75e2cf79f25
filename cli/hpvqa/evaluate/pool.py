"""Answering in this process, or in several."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import BrokenExecutor

from hpvqa.errors import RunError
from hpvqa.processes import Workers, exit_with_parent
from hpvqa.vlm.protocol import Answer, Answerer, Query

Batch = Sequence[Query]


def answer_batches(answerer: Answerer, batches: Sequence[Batch], workers: int) -> Generator[list[Answer], None, None]:
    """The answers to each batch, in order.

    Args:
        answerer: What answers the queries.
        batches: The queries.
        workers: How many processes answer; 1: this one.

    Raises:
        RunError: A process died.
    """
    if workers == 1:
        yield from map(answerer.answer, batches)
        return
    pool = Workers(workers, _initialize, (answerer,))
    try:
        for future in [pool.submit(_answer, batch) for batch in batches]:
            yield future.result()
    except BrokenExecutor:
        raise RunError(
            "A worker died, perhaps of too little memory; go on with the same command and fewer --workers"
        ) from None
    finally:
        # However this ends: nobody waits for the batches that are left.
        pool.kill()


_answerer: Answerer | None = None


def _initialize(answerer: Answerer) -> None:
    global _answerer
    _answerer = answerer
    exit_with_parent()


def _answer(batch: Batch) -> list[Answer]:
    assert _answerer is not None  # noqa: S101 - the pool has initialised every process
    return _answerer.answer(batch)
