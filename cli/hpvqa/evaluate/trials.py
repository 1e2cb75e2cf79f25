"""What is asked in a run: every row under every condition, with frames decoded once a clip, ahead of the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from hpvqa.dataset.rows import Row
from hpvqa.dataset.splits import Split
from hpvqa.errors import HpvqaError, UsageError
from hpvqa.evaluate.conditions import Condition, join_views
from hpvqa.evaluate.prediction import Prediction, p_left
from hpvqa.evaluate.select import Item
from hpvqa.record.episode import read_episode
from hpvqa.scene.spec import Side
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.prefetch import prefetch
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.protocol import Answer, Answerer, Query

T = TypeVar("T")
Key = tuple[str, str]
"""Condition, and name of the row: what a run answers once."""


@dataclass(frozen=True)
class Trial:
    """One query under one condition, and what is true of it.

    Attributes:
        condition: The condition.
        split: The row's split.
        row: The row; of several views in one query, the first.
        query: What is asked, with frames where the answerer is given them.
        answer: The correct answer.
        camera: Name of the camera; where views are joined, of the condition that joins them.
        error: Why it cannot be asked, in a sentence; None if it can.
    """

    condition: Condition
    split: Split
    row: Row
    query: Query
    answer: Side
    camera: str
    error: str | None = None

    @property
    def key(self) -> Key:
        """What a run knows it by."""
        return (self.condition.name, self.query.key)

    def answered(self, answer: Answer) -> Prediction:
        """What a run writes down."""
        logprobs = answer.logprobs
        return Prediction(
            file_name=self.query.key,
            question=self.query.text,
            answer=self.answer,
            prediction=answer.choice,
            is_correct=answer.choice == self.answer,
            split=self.split,
            task=self.row.task,
            source=self.row.source,
            episode=self.row.episode,
            camera=self.camera,
            gap=self.row.gap,
            condition=self.condition.name,
            choices=self.query.choices,
            logprobs=None if logprobs is None else dict(logprobs),
            p_left=None if logprobs is None else p_left(logprobs),
            p_choices=None if logprobs is None else total_probability(logprobs.values()),
            text=answer.text,
            seconds=round(answer.seconds, 6),
            prompt_tokens=answer.prompt_tokens,
            answer_tokens=answer.answer_tokens,
            error=answer.error,
        )


def check_conditions(answerer: Answerer, conditions: Sequence[Condition]) -> None:
    """Raise if a condition changes what is seen, but the answerer looks for itself, or at no pictures.

    Raises:
        UsageError: The message names the condition.
    """
    for condition in conditions:
        if condition.needs_frames and (not answerer.given_frames or answerer.privileged):
            raise UsageError(
                f"The condition {condition.name} changes what is seen, but {answerer.name} looks at no frames that "
                "it is shown; choose another --backend"
            )


def plan(items: Sequence[Item], conditions: Sequence[Condition]) -> list[Trial]:
    """Everything that a run asks, without frames: episode by episode, clip by clip, in the order of asking."""
    found: list[Trial] = []
    for episode in _episodes(items):
        single = [condition for condition in conditions if not condition.joins_views]
        found += [_trial(condition, [item]) for item in episode for condition in single]
        found += [_trial(condition, episode) for condition in conditions if condition.joins_views]
    return found


def most_views(items: Sequence[Item]) -> int:
    """How many of the rows show the same event, at most."""
    return max(map(len, _episodes(items)), default=0)


def with_frames(
    items: Sequence[Item],
    conditions: Sequence[Condition],
    wanted: Callable[[Key], bool],
    sampling: FrameSampling,
    *,
    seed: int,
    threads: int,
) -> Generator[Trial, None, None]:
    """The wanted trials of a plan with their frames.

    Args:
        items: The rows.
        conditions: The conditions; all that are wanted of a clip share its decoded frames.
        wanted: Whether a trial is to be asked.
        sampling: Which frames of a clip.
        seed: Random seed of the condition.
        threads: Threads that decode ahead.
    """
    needed: list[tuple[list[Item], list[Trial]]] = []
    for episode in _episodes(items):
        trials = [trial for trial in plan(episode, conditions) if wanted(trial.key)]
        if any(trial.condition.joins_views for trial in trials):
            needed.append((episode, trials))
        elif trials:
            names = {trial.row.file_name for trial in trials}
            needed.append(([item for item in episode if item.row.file_name in names], trials))
    clips = [clip_of(item, sampling) for episode, _ in needed for item in episode]
    # A clip that a joined query needs is kept until the episode is over, any other only for its own conditions.
    with closing(prefetch(clips, sampling, threads=threads, ahead=4 * threads)) as decoded:
        for episode, trials in needed:
            frames: dict[str, Frames] = {}
            errors: dict[str, str] = {}
            of_views = [trial for trial in trials if trial.condition.joins_views]
            for item in episode:
                name, got = item.row.file_name, next(decoded)
                if isinstance(got, HpvqaError):
                    errors[name] = str(got)
                else:
                    frames[name] = got
                for trial in trials:
                    if trial.row.file_name == name and not trial.condition.joins_views:
                        yield _shown(trial, [item], frames, errors, seed)
                if not of_views:
                    frames.clear()
            for trial in of_views:
                yield _shown(trial, episode, frames, errors, seed)


def _trial(condition: Condition, items: Sequence[Item]) -> Trial:
    first = items[0]
    query = join_views([item.query for item in items]) if condition.joins_views else first.query
    return Trial(
        condition=condition,
        split=first.split,
        row=first.row,
        query=query,
        answer=condition.answer(first.row.answer),
        camera=condition.name if condition.joins_views else first.row.camera,
    )


def _shown(
    trial: Trial, items: Sequence[Item], frames: Mapping[str, Frames], errors: Mapping[str, str], seed: int
) -> Trial:
    for item in items:
        if item.row.file_name in errors:
            return replace(trial, error=errors[item.row.file_name])
    videos = tuple(frames[item.row.file_name] for item in items)
    return replace(trial, query=trial.condition.change(replace(trial.query, videos=videos), seed))


def _episodes(items: Sequence[Item]) -> list[list[Item]]:
    """Rows that show the same event, in the order of their first rows."""
    found: dict[object, list[Item]] = {}
    for item in items:
        found.setdefault((item.split, item.row.cluster), []).append(item)
    return list(found.values())


def clip_of(item: Item, sampling: FrameSampling) -> Clip:
    """The clip of a row, with its recorded events where the sampler may look at them."""
    query = item.query
    moments: tuple[float, ...] = ()
    if sampling.privileged:
        # Where they are not known, as in an imported data set, choosing frames fails for this clip alone.
        with suppress(HpvqaError):
            moments = tuple(event.t for event in read_episode(query.episode).events)
    return Clip(query.clip, query.fps, query.frames, moments, query.times)


def total_probability(logprobs: Iterable[float]) -> float:
    """The probability that one of several words is said."""
    return min(sum(math.exp(value) for value in logprobs), 1.0)


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of ``size`` items; the last one may be shorter."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
