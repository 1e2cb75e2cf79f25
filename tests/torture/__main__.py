"""Break the commands on purpose, and say what did not hold."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from tests.torture.crash import Verdict, torture
from tests.torture.fuzz import Fuzzed, fuzz
from tests.torture.race import race
from tests.torture.scenarios import SCENARIOS, Scenario
from tests.torture.trace import FAULTS, has_strace


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--points", default=20, show_default=True, help="Crash points of each command and fault.")
@click.option("--races", default=10, show_default=True, help="Races of each command.")
@click.option("--inputs", default=5000, show_default=True, help="Damaged files of each format.")
@click.option("--only", multiple=True, help="Only commands and formats whose names begin so.")
@click.option("--quick", is_flag=True, help="Leave out the commands that take more than three seconds.")
@click.option("--seed", default=0, show_default=True, help="Random seed.")
def main(points: int, races: int, inputs: int, only: tuple[str, ...], quick: bool, seed: int) -> None:
    """Kill commands and fail their system calls, race them, and read damaged files.

    Ends with 1 if anything did not hold; the last line holds the figures as JSON.
    """
    scenarios = [s for s in SCENARIOS if _chosen(s.name, only) and not (quick and s.slow)]
    if not has_strace():
        sys.exit("Crash points need strace, and the permission to trace: apt-get install strace")
    scratch = Path(tempfile.mkdtemp(prefix="torture-"))
    try:
        verdicts = list(_all(scenarios, points, races, seed, scratch))
        formats = fuzz([], inputs, seed, scratch / "formats") if not only else _formats(only, inputs, seed, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for fuzzed in formats:
        print(f"{fuzzed.format}: {fuzzed.tried} read, {fuzzed.refused} refused, slowest {fuzzed.slowest:.2f} s")
        for problem, number in fuzzed.problems.items():
            print(f"  PROBLEM with input {number}: {problem}")
    print(json.dumps(figures(verdicts, formats)))
    if any(v.problem for v in verdicts) or any(f.problems for f in formats):
        sys.exit(1)


def _chosen(name: str, only: tuple[str, ...]) -> bool:
    return not only or name.startswith(only)


def _formats(only: tuple[str, ...], inputs: int, seed: int, scratch: Path) -> list[Fuzzed]:
    from tests.torture.formats import FORMATS

    names = [kind.name for kind in FORMATS if _chosen(kind.name, only)]
    return fuzz(names, inputs, seed, scratch / "formats") if names else []


def _all(scenarios: Iterable[Scenario], points: int, races: int, seed: int, scratch: Path) -> Iterable[Verdict]:
    for number, scenario in enumerate(scenarios):
        slow = 4 if scenario.slow else 1
        for verdict in (
            *torture(scenario, FAULTS, max(1, points // slow), seed, scratch / f"crash-{number}", print),
            *race(scenario, max(1, races // slow) if races else 0, scratch / f"race-{number}"),
        ):
            if verdict.problem:
                print(f"  PROBLEM {verdict.scenario}, {verdict.fault} at {verdict.number}: {verdict.problem}")
                print("    " + verdict.output.strip().replace("\n", "\n    "))
            yield verdict
        shutil.rmtree(scratch / f"crash-{number}")
        shutil.rmtree(scratch / f"race-{number}")


def figures(verdicts: list[Verdict], formats: list[Fuzzed]) -> dict[str, object]:
    """Counts of what was tried and of what did not hold."""
    tried, bad = Counter(), Counter()
    for verdict in verdicts:
        tried[f"{verdict.scenario}: {verdict.fault}"] += 1
        bad[f"{verdict.scenario}: {verdict.fault}"] += bool(verdict.problem)
    return {
        "tried": dict(tried),
        "did_not_hold": {name: count for name, count in bad.items() if count},
        "inputs": {fuzzed.format: fuzzed.tried for fuzzed in formats},
        "formats_with_problems": [fuzzed.format for fuzzed in formats if fuzzed.problems],
    }


if __name__ == "__main__":
    main()
