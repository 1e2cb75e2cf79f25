"""What the words of a command line mean: an episode, a question, or both."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hpvqa.errors import UsageError

_LONGEST = 255
"""Of a part of a path [bytes]; whatever is longer is a question."""


@dataclass(frozen=True)
class Place:
    """Where to look for episodes.

    Attributes:
        path: An episode, or a data folder.
        how: Whether it is an episode, or of which episodes of a data folder the question is.
        question: The question; None: the task's own.
    """

    path: Path
    how: Literal["episode", "latest", "watch"]
    question: str | None


def read_words(words: Sequence[str], latest: Path | None, watch: Path | None) -> Place:
    """Make sense of the words.

    Args:
        words: An episode unless a data folder is given, and perhaps a question.
        latest: Data folder of whose newest episode the question is.
        watch: Data folder of all of whose new episodes it is.

    Raises:
        UsageError: They make none.
    """
    if latest and watch:
        raise UsageError("Choose one of --latest and --watch")
    if len(words) > (1 if latest or watch else 2):
        raise UsageError("Put the question into quotes, such as hpvqa ask --latest data 'which cube looks heavier?'")
    folder = latest or watch
    if folder:
        if words and _is_there(words[0]) and Path(words[0]).is_dir():
            raise UsageError(f"Name either an episode ({words[0]}), or a data folder with --latest or --watch")
        return Place(folder, "latest" if latest else "watch", words[0] if words else None)
    if not words:
        raise UsageError("Name an episode, such as data/push/000/episode-000003, or use --latest data")
    if not _is_there(words[0]) and (" " in words[0] or len(os.fsencode(words[0])) > _LONGEST):
        raise UsageError("Name an episode before the question, or ask about the newest one with --latest data")
    return Place(Path(words[0]), "episode", words[1] if len(words) > 1 else None)


def _is_there(word: str) -> bool:
    """Whether a word of a command line is a path at which there is something; a long question is none."""
    try:
        return Path(word).exists()
    except OSError:
        return False
