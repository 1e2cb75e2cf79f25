"""What is asked in a run: every row under every condition, with frames decoded once a clip, ahead of the model."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from hpvqa.dataset.rows import AnyRow, ValueRow
from hpvqa.errors import HpvqaError, UsageError
from hpvqa.evaluate.chances import probabilities
from hpvqa.evaluate.conditions import Condition, join_views
from hpvqa.evaluate.prediction import CLOSE, Estimate, Prediction, Reply, TrialKey, relative_error
from hpvqa.evaluate.select import Item
from hpvqa.record.episode import read_episode
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.prefetch import prefetch
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.protocol import Answer, Answerer, Query

T = TypeVar("T")
TrainingMeans = Mapping[str, float]
"""Mean of the true values of the training split, by task; none where there is nothing to train on."""


@dataclass(frozen=True)
class Trial:
    """One query under one condition, and what is true of it.

    Attributes:
        condition: The condition.
        items: The rows that are asked about: one, or all views of an episode.
        query: What is asked, with frames where the answerer is given them.
        error: Why it cannot be asked, in a sentence; None if it can.
    """

    condition: Condition
    items: tuple[Item, ...]
    query: Query
    error: str | None = None

    @property
    def key(self) -> TrialKey:
        """What a run knows it by."""
        return (self.condition.name, self.query.key)

    def answered(self, answer: Answer, training_mean: TrainingMeans) -> Reply:
        """What a run writes down.

        Args:
            answer: The answer.
            training_mean: What stands beside values.
        """
        split, row = self.items[0].split, self.items[0].row
        facts = {
            "file_name": self.query.key,
            "question": self.query.text,
            "split": split,
            "task": row.task,
            "source": row.source,
            "episode": row.episode,
            "camera": self.condition.name if self.condition.joins_views else row.camera,
            "gap": row.gap,
            "seed": row.seed,
            "shift": row.shift,
            "condition": self.condition.name,
            "wording": row.wording,
            "text": answer.text,
            "seconds": round(answer.seconds, 6),
            "prompt_tokens": answer.prompt_tokens,
            "answer_tokens": answer.answer_tokens,
            "error": answer.error,
        }
        if isinstance(row, ValueRow):
            value = answer.value
            return Estimate(
                **facts,
                answer=row.value,
                prediction=value,
                is_correct=relative_error(value, row.value) <= CLOSE,
                about=row.about,
                unit=row.unit,
                quantiles=None if answer.quantiles is None else dict(answer.quantiles),
                training_mean=training_mean.get(row.task),
            )
        logprobs, shares, truth = answer.logprobs, answer.shares, self.condition.answer(row.answer)
        p_left, p_choices = probabilities(answer)
        return Prediction(
            **facts,
            answer=truth,
            prediction=answer.choice,
            is_correct=answer.choice == truth,
            choices=self.query.choices,
            logprobs=None if logprobs is None else dict(logprobs),
            p_left=p_left,
            p_choices=p_choices,
            shares=None if shares is None else dict(shares),
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
    for episode in _episodes(items, _same):
        single = [condition for condition in conditions if not condition.joins_views]
        found += [
            Trial(condition, (item,), item.query)
            for item in episode
            for condition in single
            if suits(condition, item.row)
        ]
        joining = [condition for condition in conditions if condition.joins_views]
        for views in _by(episode, lambda item: item.row.joined_key) if joining else []:
            joined = join_views([item.query for item in views], views[0].row.joined_key)
            found += [Trial(condition, tuple(views), joined) for condition in joining]
    return found


def suits(condition: Condition, row: AnyRow) -> bool:
    """Whether a row can be asked so: a question about one thing cannot have its sides exchanged."""
    return not (condition.exchanges_sides and isinstance(row, ValueRow))


def most_views(items: Sequence[Item]) -> int:
    """How many clips show the same event, at most."""
    return max((len({item.row.file_name for item in episode}) for episode in _episodes(items, _same)), default=0)


def _same(item: Item) -> Item:
    return item


def with_frames(
    trials: Sequence[Trial], sampling: FrameSampling, *, seed: int, threads: int
) -> Generator[Trial, None, None]:
    """Trials with their frames; all of an episode share the decoded frames of its clips.

    Args:
        trials: Trials of a plan, in its order.
        sampling: Which frames of a clip.
        seed: Random seed of the conditions.
        threads: Threads that decode ahead.
    """
    episodes = [(_shown_items(episode), episode) for episode in by_episode(trials)]
    clips = [clip_of(item, sampling) for items, _ in episodes for item in items]
    # A clip that a joined query needs is kept until the episode is over, any other only for its own conditions.
    with closing(prefetch(clips, sampling, threads=threads, ahead=4 * threads)) as decoded:
        for items, episode in episodes:
            frames: dict[str, Frames | HpvqaError] = {}
            joined = [trial for trial in episode if trial.condition.joins_views]
            for item in items:
                name = item.row.file_name
                frames[name] = next(decoded)
                for trial in episode:
                    if not trial.condition.joins_views and trial.items[0].row.file_name == name:
                        yield _shown(trial, frames, seed)
                if not joined:
                    frames.clear()
            for trial in joined:
                yield _shown(trial, frames, seed)


def by_episode(trials: Iterable[Trial]) -> list[list[Trial]]:
    """All trials of an episode together, in the order of what comes first."""
    return _episodes(trials, lambda trial: trial.items[0])


def _shown_items(episode: Sequence[Trial]) -> list[Item]:
    """The rows of an episode whose clips its trials are about, in the order of the data set."""
    # Several questions may be about one clip.
    found = [item for trial in episode for item in trial.items]
    return list({item.row.file_name: item for item in found}.values())


def _shown(trial: Trial, frames: Mapping[str, Frames | HpvqaError], seed: int) -> Trial:
    videos = []
    for item in trial.items:
        got = frames[item.row.file_name]
        if isinstance(got, HpvqaError):
            return replace(trial, error=str(got))
        videos.append(got)
    return replace(trial, query=trial.condition.change(replace(trial.query, videos=tuple(videos)), seed))


def _episodes(found: Iterable[T], item_of: Callable[[T], Item]) -> list[list[T]]:
    """Whatever is about the same event, in the order of what comes first."""
    return _by(found, lambda thing: (item_of(thing).split, item_of(thing).row.cluster))


def _by(found: Iterable[T], key_of: Callable[[T], object]) -> list[list[T]]:
    """What has the same key, in the order of what comes first."""
    groups: dict[object, list[T]] = {}
    for thing in found:
        groups.setdefault(key_of(thing), []).append(thing)
    return list(groups.values())


def clip_of(item: Item, sampling: FrameSampling) -> Clip:
    """The clip of a row, with its recorded events where the sampler may look at them."""
    query = item.query
    moments: tuple[float, ...] = ()
    if sampling.privileged:
        # Where they are not known, as in an imported data set, choosing frames fails for this clip alone.
        with suppress(HpvqaError):
            moments = tuple(event.t for event in read_episode(query.episode).events)
    return query.recording(moments)


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
