"""What was answered about an episode: by each camera, and by all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from hpvqa.evaluate.chances import likelier, pool, probabilities
from hpvqa.record.episode import EpisodeRecord
from hpvqa.vlm.protocol import Answer


@dataclass(frozen=True)
class ViewAnswer:
    """The answer from one camera.

    Attributes:
        camera: Its name.
        answer: The answer.
    """

    camera: str
    answer: Answer

    @property
    def p_left(self) -> float | None:
        """Probability of left once it is known that the answer is left or right; None where there are none."""
        return probabilities(self.answer)[0]

    @property
    def p_choices(self) -> float | None:
        """Probability that left or right is said at all."""
        return probabilities(self.answer)[1]


@dataclass(frozen=True)
class Asked:
    """All answers about an episode.

    Attributes:
        folder: The episode.
        record: Its record.
        question: What was asked.
        free: Whether any answer would do.
        views: The answers, in the order of the rig.
        doubt: Why the answers mean nothing, in a sentence; None if nothing speaks against them.
    """

    folder: Path
    record: EpisodeRecord
    question: str
    free: bool
    views: tuple[ViewAnswer, ...]
    doubt: str | None = None

    @property
    def pooled(self) -> float | None:
        """Probability of left by all cameras together, from the mean of their log-odds; None without probabilities."""
        return pool([view.answer.logprobs for view in self.views])

    @property
    def failed(self) -> bool:
        """Whether a camera could not be asked."""
        return any(view.answer.error for view in self.views)

    def as_json(self, *, reveal: bool) -> dict[str, JsonValue]:
        """What ``hpvqa ask --json`` prints.

        Args:
            reveal: Whether to tell the truth.
        """
        spec, pooled = self.record.spec, self.pooled
        found: dict[str, JsonValue] = {
            "episode": str(self.folder),
            "task": spec.task,
            "index": spec.index,
            "question": self.question,
            "free": self.free,
            "warning": self.doubt,
            "answers": [
                {
                    "camera": view.camera,
                    "choice": view.answer.choice,
                    **_probabilities(view.p_left),
                    "p_choices": view.p_choices,
                    **_shares(view.answer),
                    "text": view.answer.text,
                    "seconds": round(view.answer.seconds, 6),
                    "error": view.answer.error,
                }
                for view in self.views
            ],
            "pooled": None
            if pooled is None
            else {"choice": likelier(pooled), **_probabilities(pooled), "by": "mean log-odds of the cameras"},
        }
        if reveal:
            task = self.record.task
            values: dict[str, JsonValue] = {**task.values(spec)}
            found["truth"] = {"question": task.question, "answer": task.answer(spec), task.hidden: values}
        return found


def _shares(answer: Answer) -> dict[str, JsonValue]:
    shares: dict[str, JsonValue] = {str(word): share for word, share in (answer.shares or {}).items()}
    return {"shares": shares} if shares else {}


def _probabilities(p: float | None) -> dict[str, JsonValue]:
    return {"p_left": p, "p_right": None if p is None else 1.0 - p}
