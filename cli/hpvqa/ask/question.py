"""What is asked: a question with the words left and right to choose from, or one that is answered freely."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from hpvqa.dataset.rows import episode_rows
from hpvqa.errors import UsageError, nearest
from hpvqa.evaluate.select import query_of
from hpvqa.record.episode import EpisodeRecord
from hpvqa.vlm.options import Scoring
from hpvqa.vlm.prompt import Prompt
from hpvqa.vlm.protocol import Query

_BOTH = re.compile(r"(?=.*\bleft\b)(?=.*\bright\b)", re.IGNORECASE | re.DOTALL)
_WHICH = re.compile(r"\s*which\b", re.IGNORECASE)


@dataclass(frozen=True)
class Question:
    """What is asked about every clip.

    Attributes:
        text: The question; None: that of the episode's task.
        prompt: The words around it.
        free: Whether any answer will do.
    """

    text: str | None
    prompt: Prompt
    free: bool = False

    def of(self, record: EpisodeRecord) -> str:
        """The question to an episode."""
        return self.text or record.task.question

    def queries(self, folder: Path, record: EpisodeRecord, cameras: tuple[str, ...]) -> list[Query]:
        """One query a camera, in the order of the rig, as an evaluation would ask it, but for the frames.

        Args:
            folder: The episode.
            record: Its record.
            cameras: Names of cameras; none: all.

        Raises:
            UsageError: There is no such camera, or there are no clips.
        """
        rows = {row.camera: row for row in episode_rows(record, folder.name, folder.parent.name)}
        for camera in cameras:
            if camera not in rows:
                raise UsageError(f"There is no camera {camera!r} in {folder}; {nearest(camera, rows)}")
        question = self.of(record)
        chosen = [camera for camera in rows if not cameras or camera in cameras]
        queries = [query_of(rows[camera], folder / f"{camera}.mp4", self.prompt) for camera in chosen]
        if self.free:
            # What a prompt says of left and right would keep a model from answering anything else.
            return [replace(query, question=question, system="", text=question) for query in queries]
        return [replace(query, question=question, text=self.prompt.ask(question)) for query in queries]


def make_question(text: str | None, prompt: Prompt, scoring: Scoring | None) -> Question:
    """A question, and whether it is answered freely.

    The words left and right are choices for the tasks' own questions, for a question that has both words, and for one
    that begins with "which". How answers are found, if the user says so, decides before all of that.

    Args:
        text: What the user asks; None: what the task asks.
        prompt: The words around it.
        scoring: How the user wants answers to be found.

    Raises:
        UsageError: It is empty.
    """
    if text is None or scoring is not None:
        return Question(text, prompt)
    if not text.strip():
        raise UsageError("The question is empty; leave it out to ask the task's own")
    return Question(text, prompt, free=not (_BOTH.search(text) or _WHICH.match(text)))
