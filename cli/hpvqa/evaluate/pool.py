"""Answering in this process, or in several of this machine."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import closing

from hpvqa.errors import RunError
from hpvqa.evaluate.trials import Trial, batched, with_frames
from hpvqa.processes import Workers, exit_with_parent
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.protocol import Answer, Answerer, Query

Batch = Sequence[Query]


def answer_trials(
    trials: Sequence[Trial], answerer: Answerer, frames: FrameSampling | None, seed: int, workers: int
) -> Generator[tuple[Trial, Answer], None, None]:
    """Trials of a plan, each with its answer.

    Args:
        trials: What is asked, without frames.
        answerer: Who answers; loaded if it is shown frames.
        frames: Which frames it is shown; None if none.
        seed: Random seed of the conditions.
        workers: Processes that answer, or threads that decode.

    Raises:
        HpvqaError: A process died, or nothing more can be answered.
    """
    size = answerer.batch_size
    if frames is None:
        batches = list(batched(trials, size))
        queries = [[trial.condition.change(trial.query, seed) for trial in batch] for batch in batches]
        with closing(answer_batches(answerer, queries, min(workers, len(batches)))) as answered:
            for batch, answers in zip(batches, answered, strict=True):
                yield from zip(batch, answers, strict=True)
        return
    with closing(with_frames(trials, frames, seed=seed, threads=workers)) as shown:
        for batch in batched(shown, size):
            whole = [trial for trial in batch if trial.error is None]
            found = iter(answerer.answer([trial.query for trial in whole]) if whole else [])
            for trial in batch:
                yield trial, next(found) if trial.error is None else Answer(None, error=trial.error)


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
