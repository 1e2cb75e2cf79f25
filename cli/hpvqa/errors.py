"""The errors a user can meet: one sentence that says what to do, and an exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HpvqaError(Exception):
    """Root of every error this package raises on purpose; the command line prints its message and exits."""

    exit_code = 1


class UsageError(HpvqaError):
    """What was asked for cannot be done; the message says what can (exit code 2)."""

    exit_code = 2


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
