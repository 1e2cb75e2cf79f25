"""Races: the same command twice at once in one folder."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.torture.crash import AGAIN, Verdict, difference, fresh
from tests.torture.scenarios import Scenario, snapshot
from tests.torture.trace import Program, hpvqa


def race(scenario: Scenario, times: int, scratch: Path) -> Iterator[Verdict]:
    """Let two processes do the same in one folder.

    One of them does it; the other does nothing or is refused in a sentence; what is there afterwards, or after the same
    command once more, is what one process alone leaves.
    """
    if not times:
        return
    origin = scratch / "origin"
    origin.mkdir(parents=True)
    scenario.prepare(origin)
    with scenario.started(origin) as program:
        yield from _races(scenario, program, times, scratch)


def _races(scenario: Scenario, program: Program, times: int, scratch: Path) -> Iterator[Verdict]:
    alone = fresh(scratch / "origin", scratch / "work")
    done = hpvqa(scenario.args, alone, program)
    if done.code != 0:
        raise RuntimeError(f"{scenario.name} fails undisturbed: {done.output[-2000:]}")
    expected = snapshot(alone)
    for number in range(1, times + 1):
        folder = fresh(scratch / "origin", scratch / "work")
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda _, at=folder: hpvqa(scenario.args, at, program), range(2)))
        problem = ""
        if any(ended.traceback for ended in both):
            problem = "a traceback"
        elif any(ended.code is None for ended in both):
            problem = "it hangs"
        elif all(ended.code != 0 for ended in both):
            problem = "neither did it"
        for _ in range(AGAIN):
            if problem or snapshot(folder) == expected:
                break
            hpvqa(scenario.again or scenario.args, folder, program)
        else:
            problem = f"not whole: {difference(snapshot(folder), expected)}"
        worst = next((ended for ended in both if ended.traceback or ended.code), both[0])
        yield Verdict(scenario.name, "race", str(number), problem, worst.code, worst.output[-1500:] if problem else "")
