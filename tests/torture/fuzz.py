"""Damaged files: every format is read thousands of times, under a limit of memory and time."""

from __future__ import annotations

import multiprocessing
import resource
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from hpvqa.errors import HpvqaError
from tests.torture.formats import FORMATS, Format, prepare
from tests.torture.mutate import damaged

SECONDS = 30
"""Longest time of reading one file, on a machine that does other things too [s]."""
MEMORY = 2 << 30
"""Most memory that reading may take on top of what the process has [bytes]."""


@dataclass
class Fuzzed:
    """What reading damaged files of one format showed.

    Attributes:
        format: The format.
        tried: How many files were read.
        refused: How many of them were refused in a sentence; the others could still be read.
        slowest: The longest time of one [s].
        problems: What went wrong, with the number of the input; the same kind is kept once.
    """

    format: str
    tried: int = 0
    refused: int = 0
    slowest: float = 0.0
    problems: dict[str, int] = field(default_factory=dict)

    def note(self, outcome: Outcome) -> None:
        """Count one more input."""
        if outcome.problem:
            self.problems.setdefault(outcome.problem, self.tried)
        self.refused += outcome.refused
        self.slowest = max(self.slowest, outcome.seconds)
        self.tried += 1


@dataclass(frozen=True)
class Outcome:
    """How reading one input ended.

    Attributes:
        seconds: The time that it took [s].
        refused: Whether it was refused in a sentence.
        problem: What went wrong; empty if nothing did.
    """

    seconds: float
    refused: bool = False
    problem: str = ""


class _TooSlowError(BaseException):
    pass


def fuzz(names: Sequence[str], inputs: int, seed: int, scratch: Path) -> list[Fuzzed]:
    """Read damaged files of some formats, each format in a process of its own.

    Args:
        names: The formats; none: all.
        inputs: How many files of each.
        seed: Seed of the damage.
        scratch: An empty folder to work in.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    prepare(scratch)
    chosen = [kind for kind in FORMATS if not names or kind.name in names]
    return [apart(kind.name, partial(_all, kind, inputs, seed, scratch)) for kind in chosen]


def apart(name: str, work: Callable[[], Fuzzed]) -> Fuzzed:
    """Do it in a process of its own, with a limit of memory."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_limited, args=(work, sender))
    process.start()
    sender.close()
    try:
        found: Fuzzed = receiver.recv()
    except EOFError:
        process.join()
        found = Fuzzed(name, problems={f"the process ended with {process.exitcode}": 0})
    process.join()
    return found


def _limited(work: Callable[[], Fuzzed], sender: Connection) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY,) * 2)
    sender.send(work())


def _all(kind: Format, inputs: int, seed: int, folder: Path) -> Fuzzed:
    path = folder / kind.file
    whole = path.read_bytes()
    kind.read(folder)
    result = Fuzzed(kind.name)
    for number in range(-(-inputs // kind.one_of)):
        path.write_bytes(damaged(whole, np.random.default_rng((seed, number))))
        result.note(guarded(partial(_read, kind, folder)))
    path.write_bytes(whole)
    return result


def _read(kind: Format, folder: Path) -> None:
    for opened in kind.read(folder) or ():
        if not opened.resolve().is_relative_to(folder.resolve()):
            raise AssertionError(f"leads out of the folder: {opened}")


def guarded(read: Callable[[], None]) -> Outcome:
    """Read one input, under a limit of time."""
    refused, problem = False, ""
    began = time.monotonic()
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(SECONDS)
    try:
        read()
    except HpvqaError as error:
        str(error).encode()
        refused = True
    except _TooSlowError:
        problem = f"takes more than {SECONDS} s"
    except Exception as error:
        # Whatever else escapes is what is looked for; the place in our code is what tells two of them apart.
        ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/hpvqa/" in frame.filename]
        where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "the harness"
        problem = f"{type(error).__name__} in {where}: {str(error)[:80]!r}"
    finally:
        signal.alarm(0)
    return Outcome(time.monotonic() - began, refused, problem)


def _too_slow(number: int, frame: object) -> None:
    raise _TooSlowError
