"""Damaged files: every format is read thousands of times, under a limit of memory and time."""

from __future__ import annotations

import multiprocessing
import resource
import signal
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hpvqa.errors import HpvqaError
from tests.torture.formats import FORMATS, Format, prepare
from tests.torture.mutate import damaged

SECONDS = 10
"""Longest time of reading one file."""
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
    context = multiprocessing.get_context("fork")
    found = []
    for kind in chosen:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_all, args=(kind, inputs, seed, scratch, sender))
        process.start()
        sender.close()
        try:
            found.append(receiver.recv())
        except EOFError:
            process.join()
            found.append(Fuzzed(kind.name, inputs, problems={f"the process ended with {process.exitcode}": 0}))
        process.join()
    return found


def _all(kind: Format, inputs: int, seed: int, folder: Path, sender: multiprocessing.connection.Connection) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    address_space = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (max(used, address_space) + MEMORY,) * 2)
    signal.signal(signal.SIGALRM, _too_slow)
    path = folder / kind.file
    whole = path.read_bytes()
    kind.read(folder)
    result = Fuzzed(kind.name)
    for number in range(inputs):
        path.write_bytes(damaged(whole, np.random.default_rng((seed, number))))
        began = time.monotonic()
        signal.alarm(SECONDS)
        try:
            for opened in kind.read(folder) or ():
                if not opened.resolve().is_relative_to(folder.resolve()):
                    result.problems.setdefault(f"leads out of the folder: {opened}", number)
        except HpvqaError as error:
            result.refused += 1
            str(error).encode()
        except _TooSlowError:
            result.problems.setdefault(f"takes more than {SECONDS} s", number)
        except Exception as error:
            # Whatever else escapes is what is looked for; the place in our code is what tells two of them apart.
            ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/hpvqa/" in frame.filename]
            where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "the harness"
            result.problems.setdefault(f"{type(error).__name__} in {where}: {str(error)[:80]!r}", number)
        finally:
            signal.alarm(0)
        result.slowest = max(result.slowest, time.monotonic() - began)
        result.tried += 1
    path.write_bytes(whole)
    sender.send(result)


def _too_slow(number: int, frame: object) -> None:
    raise _TooSlowError
