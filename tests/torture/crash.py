"""Crash points: a fault at the Nth system call of a command, then the same command until it is whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.torture.scenarios import Scenario, snapshot
from tests.torture.trace import Ended, Fault, Point, Program, count_calls, disturbed, hpvqa

AGAIN = 3
"""How often the same command may be needed until all is whole."""


@dataclass(frozen=True)
class Verdict:
    """What one crash point showed.

    Attributes:
        scenario: Name of the scenario.
        fault: What was done.
        point: At which system call, or which race.
        problem: What went wrong; empty if nothing did.
        code: How the disturbed command ended.
        output: What was said last.
        struck: Whether the fault came about: a command may make fewer calls than before.
    """

    scenario: str
    fault: str
    point: str
    problem: str
    code: int | None = None
    output: str = ""
    struck: bool = True


def draw(count: int, points: int, seed: int) -> list[int]:
    """Numbers of system calls, at most ``points`` of 1 to ``count``, without repetition."""
    rng = np.random.default_rng(seed)
    return sorted(int(n) + 1 for n in rng.choice(count, size=min(points, count), replace=False))


def torture(
    scenario: Scenario, faults: Sequence[Fault], points: int, seed: int, scratch: Path, say: Callable[[str], None]
) -> Iterator[Verdict]:
    """Try crash points of one command.

    Args:
        scenario: The command.
        faults: What is done.
        points: How many system calls are drawn for each fault.
        seed: Seed of the draw.
        scratch: An empty folder to work in.
        say: Told how many calls there are.

    Raises:
        RuntimeError: The undisturbed command fails, or does not leave the same twice.
    """
    if not faults:
        return
    origin = scratch / "origin"
    origin.mkdir(parents=True)
    scenario.prepare(origin)
    with scenario.started(origin) as program:
        yield from _points(scenario, program, faults, points, seed, scratch, say)


def _points(
    scenario: Scenario,
    program: Program,
    faults: Sequence[Fault],
    points: int,
    seed: int,
    scratch: Path,
    say: Callable[[str], None],
) -> Iterator[Verdict]:
    origin, expected = scratch / "origin", {}
    for turn in ("first", "second"):
        # Always of one name, which may stand in what a command writes.
        folder = fresh(origin, scratch / "work")
        ended, every = count_calls(scenario.args, folder, program, scratch / "strace.log")
        if ended.code != 0:
            raise RuntimeError(f"{scenario.name} fails undisturbed: {ended.output[-2000:]}")
        expected[turn] = snapshot(folder)
    if expected["first"] != expected["second"]:
        changed = sorted(n for n in expected["first"] if expected["first"].get(n) != expected["second"].get(n))
        raise RuntimeError(f"{scenario.name} does not leave the same twice: {changed[:5]}")
    before = snapshot(origin)
    say(f"{scenario.name}: {len(every)} system calls that write")
    for fault in faults:
        for number in draw(len(every), points, seed + len(fault)):
            folder = fresh(origin, scratch / "work")
            yield _try(scenario, program, fault, every[number - 1], folder, expected["first"], before)


def fresh(origin: Path, folder: Path) -> Path:
    """A copy of a prepared folder, in the place of whatever was there."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(origin, folder, symlinks=True)
    return folder


def _try(
    scenario: Scenario,
    program: Program,
    fault: Fault,
    point: Point,
    folder: Path,
    expected: dict[str, str],
    before: dict[str, str],
) -> Verdict:
    ended, struck = disturbed(scenario.args, folder, program, fault, point, folder.parent / "strace.log")
    problem = _worded(ended)
    if not problem and not scenario.resumes:
        problem = _half_written(scenario, folder, expected, before)
    for args in () if problem else scenario.whole:
        read = hpvqa(args, folder, program)
        # Nothing there yet is a wrong call; something damaged there is a failure.
        if read.traceback or read.code not in (0, 2):
            problem = f"{' '.join(args)} exits with {read.code}"
            ended = read
    tries = 0
    while not problem and snapshot(folder) != expected:
        if tries == AGAIN:
            problem = f"not whole after {AGAIN} more tries: {difference(snapshot(folder), expected)}"
            break
        tries += 1
        ended = hpvqa(scenario.again or scenario.args, folder, program)
        if ended.traceback:
            problem = "a traceback when going on"
        elif ended.code == 2:
            problem = "cannot be gone on with"
    return Verdict(
        scenario.name,
        fault,
        f"{point.call} {point.number}",
        problem,
        ended.code,
        ended.output[-1500:] if problem else "",
        struck,
    )


def _worded(ended: Ended) -> str:
    if ended.code is None:
        return "it hangs"
    return "a traceback" if ended.traceback else ""


def _half_written(scenario: Scenario, folder: Path, expected: dict[str, str], before: dict[str, str]) -> str:
    """Files that have neither their old nor their new content, under their final names."""
    for name, digest in snapshot(folder).items():
        final = name in expected or name in before
        if final and digest not in (expected.get(name), before.get(name)):
            return f"{name} is half-written"
    out = folder / scenario.out
    parts = set(snapshot(out)) if out.is_dir() and scenario.out != "." else set()
    for whole in (expected, before):
        prefix = f"{scenario.out}/"
        if parts == {name.removeprefix(prefix) for name in whole if name.startswith(prefix)}:
            return ""
    return f"{scenario.out} is there in part" if parts else ""


def difference(found: dict[str, str], expected: dict[str, str]) -> str:
    """The first names of files that two snapshots do not share."""
    names = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    return ", ".join(names[:4])
