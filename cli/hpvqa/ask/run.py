"""Asking: frames are decoded and shown as in an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from hpvqa.ask.episodes import new_episodes
from hpvqa.ask.known import untaught
from hpvqa.ask.question import Question
from hpvqa.ask.result import Asked, ViewAnswer
from hpvqa.record.episode import EpisodeRecord, read_episode
from hpvqa.vlm.choice import Look
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.frames.prefetch import prefetch
from hpvqa.vlm.protocol import Answer, Answerer, Query
from hpvqa.vlm.seen import Shot
from hpvqa.vlm.training_record import strange_views

THREADS = 4
"""Clips that are decoded side by side."""

OnText = Callable[[str, str], None]
"""Takes the camera, and what was said since the last call."""


@runtime_checkable
class Speaker(Protocol):
    """An answerer that can be listened to while it speaks."""

    def speak(self, query: Query, on_text: Callable[[str], None]) -> Answer:
        """Answer a query freely.

        Args:
            query: The query.
            on_text: Takes the answer piece by piece.

        Raises:
            HpvqaError: The answer does not come, or not to its end.
        """


@dataclass(frozen=True)
class Asker:
    """Asks one model the same of any number of episodes.

    Attributes:
        answerer: The model; it is loaded when it is needed for the first time.
        look: Which frames it is shown, and what it was trained on.
        question: What it is asked.
        cameras: Names of the cameras; none: all; None: those that the model was trained on, where that is known.
        tell: Takes sentences that a user should see.
        on_text: Takes what is said while it is said, where the answerer can be listened to.
    """

    answerer: Answerer
    look: Look
    question: Question
    cameras: tuple[str, ...] | None
    tell: Callable[[str], None]
    on_text: OnText | None = None
    _told: set[str] = field(default_factory=set, init=False)

    def watch(self, data: Path, stopped: Callable[[], bool], pause: Callable[[], None]) -> Iterator[Asked]:
        """Ask about every episode that lands in a data folder from now on; of those that failed it is only told.

        Args:
            data: The data folder.
            stopped: Whether to end.
            pause: Waits a moment; called whenever there is nothing new.

        Raises:
            UsageError: The folder holds something else, or an episode has no such camera.
            HpvqaError: The model cannot be had, or has gone.
        """
        landing = new_episodes(data, stopped, pause)
        self.answerer.load(self.tell)
        self.tell(f"Waiting for new episodes in {data}; Ctrl-C ends it")
        for folder in landing:
            record = read_episode(folder)
            if record.outcome.ok:
                yield self.ask(folder, record)
            else:
                self.tell(f"{folder} failed ({record.outcome.reason}) and is not asked about")

    def ask(self, folder: Path, record: EpisodeRecord) -> Asked:
        """Ask about one episode. A clip that does not decode, or a query that fails, has an error as its answer.

        Args:
            folder: The episode.
            record: Its record.

        Raises:
            UsageError: It has no such camera.
            HpvqaError: The model cannot be had, or has gone.
        """
        cameras = self._known_cameras(record) if self.cameras is None else self.cameras
        queries = self.question.queries(folder, record, cameras)
        doubt = untaught(self.question, record.spec.task, self.look.tasks)
        if doubt is not None:
            self._tell_once(f"Warning: {doubt}")
        if record.spec.task in self.look.views:
            for words in strange_views(self.look.views, ((query.task, query.clip.stem) for query in queries)):
                self._tell_once(f"Warning: The model was not trained on {words}")
        size = (record.video.width, record.video.height) if record.video else None
        shots = [Shot.of(query.task, size, query.camera) for query in queries] if size else []
        if self.answerer.given_frames:
            for sentence in self.look.unlike(shots):
                self._tell_once(f"Warning: {sentence}")
        answers = self._answers(queries, record)
        views = tuple(ViewAnswer(query.clip.stem, answer) for query, answer in zip(queries, answers, strict=True))
        return Asked(folder, record, self.question.of(record), self.question.free, views, doubt)

    def _known_cameras(self, record: EpisodeRecord) -> tuple[str, ...]:
        """Cameras of an episode whose clips the model was trained on; none, if there are none or all are."""
        task, there = record.spec.task, [camera.camera.name for camera in record.cameras]
        known = tuple(name for name in there if name in self.look.views.get(task, ()))
        if len(known) == len(there):
            return ()
        if known:
            self._tell_once(
                f"This model learned {task} episodes from {', '.join(known)} only; use --camera all for every view"
            )
        return known

    def _tell_once(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self.tell(sentence)

    def _answers(self, queries: Sequence[Query], record: EpisodeRecord) -> list[Answer]:
        if not self.answerer.given_frames:
            self.answerer.load(self.tell)
            return self._asked(queries)
        moments = tuple(event.t for event in record.events) if self.look.frames.privileged else ()
        clips = [query.recording(moments) for query in queries]
        # Clips are decoded while the model is loaded, or its server is reached.
        with (
            closing(prefetch(clips, self.look.frames, threads=THREADS, ahead=len(clips))) as decoded,
            ThreadPoolExecutor(1) as executor,
        ):
            shown = executor.submit(list, decoded)
            self.answerer.load(self.tell)
            found = shown.result()
        seen = [
            replace(query, videos=(frames,))
            for query, frames in zip(queries, found, strict=True)
            if isinstance(frames, Frames)
        ]
        answers = iter(self._asked(seen))
        return [next(answers) if isinstance(item, Frames) else Answer(None, error=str(item)) for item in found]

    def _asked(self, queries: Sequence[Query]) -> list[Answer]:
        answerer, on_text = self.answerer, self.on_text
        if self.question.free and on_text is not None and isinstance(answerer, Speaker):
            return [self._heard(answerer, query, on_text) for query in queries]
        size = answerer.batch_size
        return [
            answer
            for first in range(0, len(queries), size)
            for answer in answerer.answer(queries[first : first + size])
        ]

    def _heard(self, speaker: Speaker, query: Query, on_text: OnText) -> Answer:
        return speaker.speak(query, lambda text: on_text(query.clip.stem, text))
