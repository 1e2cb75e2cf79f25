"""Answering in this process, or in several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Generator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

from hpvqa.errors import RunError
from hpvqa.processes import exit_with_parent, inherited
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
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(workers, context, _initialize, (answerer,)) as executor:
            with inherited():
                answers = executor.map(_answer, batches)
            # However this ends, it cancels the batches that no worker has begun.
            yield from answers
    except BrokenExecutor:
        raise RunError(
            "A worker died, perhaps of too little memory; go on with the same command and fewer --workers"
        ) from None


_answerer: Answerer | None = None


def _initialize(answerer: Answerer) -> None:
    global _answerer
    _answerer = answerer
    exit_with_parent()


def _answer(batch: Batch) -> list[Answer]:
    assert _answerer is not None  # noqa: S101 - the pool has initialised every process
    return _answerer.answer(batch)
