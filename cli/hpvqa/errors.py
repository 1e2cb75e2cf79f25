"""The errors a user can meet: one sentence that says what to do, and an exit code."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 and the number of SIGINT."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class HpvqaError(Exception):
    """Root of every error this package raises on purpose; the command line prints its message and exits."""

    exit_code = 1


class UsageError(HpvqaError):
    """What was asked for cannot be done; the message says what can (exit code 2)."""

    exit_code = 2


class OtherRunError(UsageError):
    """A folder cannot take a run, or go on with it.

    Args:
        folder: The folder.
        what: What is in the way, in words.
        way: What to do; a caller that has other options than the usual command says something else.
    """

    def __init__(self, folder: Path, what: str, way: str) -> None:
        super().__init__(f"{what}; {way}")
        self.folder, self.what = folder, what


class RunError(HpvqaError):
    """Something failed while running (exit code 1)."""


class MissingDependencyError(UsageError):
    """A part that the base install leaves out is needed; the message names how to install it."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Words that end an error about an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known are: " + ", ".join(names)


def printable(text: str) -> str:
    """A text that anybody may have written, such as a server or the author of a file, safe to show on a terminal.

    Whatever controls the terminal, the direction of writing, or cannot be encoded becomes an escape; line ends and
    tabs stay.
    """
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
