"""Whether a model was ever taught to answer what it is asked."""

from __future__ import annotations

from collections.abc import Collection

from hpvqa.ask.question import Question
from hpvqa.tasks import TASKS


def untaught(question: Question, task: str, taught: Collection[str]) -> str | None:
    """Why an answer means nothing, in a sentence; None where the model was taught to give it, or nothing is known.

    Args:
        question: What is asked.
        task: The task of the episode.
        taught: The tasks on whose questions the model was trained; none: it is not known.
    """
    if not taught:
        return None
    if task not in taught:
        return (
            f"The model was trained on {' and '.join(taught)} episodes only, and this is a {task} episode: its answer "
            "means nothing, however high its probability"
        )
    own = TASKS[task].question
    if question.text is None or _same(question.text, own):
        return None
    return (
        f"The model was trained to answer one question about {task} episodes, {own!r}: its answer to another question "
        "may mean nothing, however high its probability"
    )


def _same(one: str, other: str) -> bool:
    return one.lower().split() == other.lower().split()
