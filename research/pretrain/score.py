"""How well a model answers visible questions, in the ordinary way: as an evaluation would ask it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from pydantic import Field

from hpvqa.evaluate.statistics.interval import Interval, accuracy_interval
from hpvqa.plain import Model
from hpvqa.progress.reporter import Reporter
from hpvqa.scene.spec import Side
from hpvqa.tasks import TASKS
from hpvqa.vlm.backends.transformers import TransformersAnswerer
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.options import TransformersOptions
from hpvqa.vlm.prompt import CHOICES, Prompt
from hpvqa.vlm.protocol import Query
from research.pretrain.questions import questions_of
from research.pretrain.shots import Director, Shot
from research.pretrain.store import Store

HIDDEN = "hidden"
"""What the task's own question is called: before fine-tuning, it can only be guessed."""
_BATCH = 64


class Score(Model):
    """How often one question is answered rightly."""

    task: str
    question: str
    text: str
    right: float = Field(description="Accuracy, one clip at a time.")
    interval: Interval = Field(description="Its interval, by episode.")
    clips: int
    episodes: int


def score(
    model: str, stores: Sequence[Store], episodes: Sequence[Sequence[int]], prompt: Prompt, reporter: Reporter
) -> list[Score]:
    """Ask a model all visible questions, and the hidden one, about every camera of some episodes.

    Args:
        model: Its folder or name.
        stores: The episodes.
        episodes: Which of them, for each store.
        prompt: The words around the questions.
        reporter: Told of every question.

    Raises:
        HpvqaError: The model cannot be had.
    """
    answerer = TransformersAnswerer(TransformersOptions(model=model, device="cpu", batch_size=_BATCH))
    answerer.load(reporter.warning)
    asked = [(store, numbers, name) for store, numbers in zip(stores, episodes, strict=True) for name in _names(store)]
    found: dict[tuple[str, str], list[tuple[bool, str]]] = {}
    reporter.start("score", "questions", len(asked))
    for number, (store, numbers, name) in enumerate(asked):
        rows = _rows(store, numbers, name, prompt)
        entries = found.setdefault((store.task, name), [])
        while batch := list(islice(rows, _BATCH)):
            answers = answerer.answer([query for query, _ in batch])
            entries += [
                (answer.choice == truth, f"{number // len(_names(store))}/{query.key}")
                for (query, truth), answer in zip(batch, answers, strict=True)
            ]
        reporter.item(f"{store.task}: {name}")
    reporter.done()
    answerer.close()
    return [_score(task, name, entries) for (task, name), entries in found.items() if entries]


def _names(store: Store) -> list[str]:
    return [*(question.name for question in questions_of(store.task)), HIDDEN]


def _score(task: str, name: str, entries: Sequence[tuple[bool, str]]) -> Score:
    right, clusters = zip(*entries, strict=True)
    interval = accuracy_interval(right, clusters)
    assert interval is not None  # noqa: S101 - there are entries
    text = next((question.text for question in questions_of(task) if question.name == name), TASKS[task].question)
    return Score(
        task=task,
        question=name,
        text=text,
        right=float(np.mean(right)),
        interval=interval,
        clips=len(right),
        episodes=len(set(clusters)),
    )


def _rows(store: Store, episodes: Iterable[int], name: str, prompt: Prompt) -> Iterator[tuple[Query, Side]]:
    """Queries that ask one question, each with its answer."""
    director, task = Director(store), TASKS[store.task]
    visible = {question.name: question for question in questions_of(store.task)}
    whole = director.whole()
    stills = [] if name == HIDDEN or visible[name] in whole.questions else map(director.comparing, director.telling)
    shots = list(stills) or [whole]
    text = task.question if name == HIDDEN else visible[name].text
    for episode in episodes:
        # Stills at several moments, in turn.
        for shot in shots[episode % len(shots) :] + shots[: episode % len(shots)]:
            seen = store.seen(episode, shot.frames)
            truth = task.answer(seen.spec) if name == HIDDEN else visible[name].answer(seen)
            if truth is not None:
                for camera in range(len(store.cameras)):
                    yield _query(store, episode, camera, shot, text, prompt), truth
                break


def _query(store: Store, episode: int, camera: int, shot: Shot, text: str, prompt: Prompt) -> Query:
    frames = Frames(
        np.ascontiguousarray(store.images(episode, camera)[list(shot.frames)]),
        tuple(store.numbers[frame] for frame in shot.frames),
        store.fps,
        store.total,
    )
    return Query(
        key=str(episode),
        task=store.task,
        clip=Path(),
        fps=store.fps,
        frames=store.total,
        camera=None,
        question=text,
        system=prompt.system,
        text=prompt.ask(text),
        choices=CHOICES,
        episode=Path(),
        videos=(frames,),
    )
