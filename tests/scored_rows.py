"""Predictions for tests of scores and statistics."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from hpvqa.evaluate.prediction import Prediction
from hpvqa.scene.spec import SIDES, Side

CAMERAS = {"push": ("a", "b"), "drop": ("a", "c")}

_PUBLISHED = os.environ.get("HPVQA_PUBLISHED")
PUBLISHED = sorted(Path(_PUBLISHED).glob("*.jsonl")) if _PUBLISHED else []
"""The predictions that the paper's authors published, where somebody has them."""
ANY_SHARE = st.floats(0, 1)
chances = st.integers(0, 2**32 - 1).map(random.Random)
"""Sources of chance. Hypothesis' own draw each number by themselves, which takes most of a test's time."""


def row(answer: Side, given: Side | None, episode: int = 0, camera: str = "a", /, **changes: Any) -> Prediction:
    """A row of push, unless changes say otherwise; its name follows from what it is about."""
    fields = {
        "question": "?",
        "answer": answer,
        "prediction": given,
        "is_correct": given == answer,
        "split": "eval",
        "task": "push",
        "source": "data",
        "episode": episode,
        "camera": camera,
        "choices": SIDES,
        "logprobs": None,
        "p_left": None,
        "text": "",
        "seconds": 0.0,
        "error": None,
    } | changes
    name = f"{fields['task']}/{fields['source']}/{episode}/{camera}.mp4"
    return Prediction.model_validate({"file_name": name} | fields)


def views(answer: Side, given: str, episode: int, /, **changes: Any) -> list[Prediction]:
    """One row for each letter: ``l``, ``r``, or ``-`` for none of the choices; each seen by another camera."""
    words: dict[str, Side | None] = {"l": "left", "r": "right", "-": None}
    return [row(answer, words[letter], episode, f"c{n}", **changes) for n, letter in enumerate(given)]


def published_internvl() -> list[Prediction]:
    """As many right rows in as many episodes as InternVL has in the public original's files.

    Push has a file for each side; both number their episodes from 0.
    """
    found: list[Prediction] = []
    for n in range(16):
        found += views("left", "lllllll", n, source="push_l")
    for n in range(15):
        found += views("right", "rllllll" if n < 3 else "lllllll", n, source="push_r")
    for n in range(15):
        found += views("left", "rllllll" if n < 3 else "lllllll", n, source="drop", task="drop")
    for n in range(15, 25):
        found += views("right", "rllllll" if n < 19 else "lllllll", n, source="drop", task="drop")
    return found


PLACES = [(task, episode, camera) for task in CAMERAS for episode in range(6) for camera in CAMERAS[task]]
WAYS: list[tuple[Side | None, bool, str | None]] = [
    (None, False, None),
    (None, False, "does not decode"),
    *((side, known, None) for side in SIDES for known in (False, True)),
]
"""What is answered, whether its probability is known, and what failed."""


@st.composite
def predictions(draw: st.DrawFn, probabilities: st.SearchStrategy[float] = ANY_SHARE) -> Prediction:
    """Any row of a small data set, answered in any way, or not at all; the episode knows its side and gap."""
    task, episode, camera = draw(st.sampled_from(PLACES))
    given, known, error = draw(st.sampled_from(WAYS))
    return row(
        SIDES[episode % 2],
        given,
        episode,
        camera,
        task=task,
        p_left=draw(probabilities) if known else None,
        gap=None if episode == 5 else episode / 10,
        error=error,
    )
