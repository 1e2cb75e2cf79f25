"""Break the commands on purpose, and say what did not hold."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tests.torture.crash import Verdict, torture
from tests.torture.race import race
from tests.torture.scenarios import SCENARIOS, Scenario
from tests.torture.trace import FAULTS, Fault, has_strace

if TYPE_CHECKING:
    from tests.torture.fuzz import Fuzzed


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--points", default=20, show_default=True, help="Crash points of each command and fault.")
@click.option(
    "--fault", "faults", multiple=True, type=click.Choice(FAULTS), default=FAULTS, help="Only these.  [default: all]"
)
@click.option("--races", default=10, show_default=True, help="Races of each command.")
@click.option(
    "--inputs", default=5000, show_default=True, help="Damaged files of each format, and replies of a server."
)
@click.option(
    "--only", multiple=True, help="Only commands and formats whose names begin so: 'build', 'recipe', 'replies'."
)
@click.option("--quick", is_flag=True, help="Leave out the commands that take more than three seconds.")
@click.option("--seed", default=0, show_default=True, help="Random seed.")
def main(
    points: int, faults: tuple[Fault, ...], races: int, inputs: int, only: tuple[str, ...], quick: bool, seed: int
) -> None:
    """Kill commands and fail their system calls, race them, and read damaged files and hostile replies.

    Ends with 1 if anything did not hold; the last line holds the figures as JSON, of what was tried until Ctrl-C too.
    """
    scenarios = [s for s in SCENARIOS if _chosen(s.name, only) and not (quick and s.slow)]
    if points and scenarios and not has_strace():
        sys.exit("Crash points need strace, and the permission to trace: apt-get install strace")
    scratch = Path(tempfile.mkdtemp(prefix="torture-"))
    verdicts: list[Verdict] = []
    formats: list[Fuzzed] = []
    try:
        for verdict in _all(scenarios, faults if points else (), points, races, seed, scratch):
            verdicts.append(verdict)
        formats += _formats(only, inputs, seed, scratch / "formats") if inputs else []
    except KeyboardInterrupt:
        click.echo("Interrupted; this is what was tried")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for fuzzed in formats:
        click.echo(f"{fuzzed.format}: {fuzzed.tried} read, {fuzzed.refused} refused, slowest {fuzzed.slowest:.2f} s")
        for problem, number in fuzzed.problems.items():
            click.echo(f"  PROBLEM with input {number}: {problem}")
    click.echo(json.dumps(figures(verdicts, formats)))
    if any(v.problem for v in verdicts) or any(f.problems for f in formats):
        sys.exit(1)


def _chosen(name: str, only: tuple[str, ...]) -> bool:
    return not only or name.startswith(only)


def _formats(only: tuple[str, ...], inputs: int, seed: int, scratch: Path) -> list[Fuzzed]:
    # Imported late: both load most of the program, which the other parts only run.
    from tests.torture.formats import FORMATS
    from tests.torture.fuzz import apart, fuzz
    from tests.torture.server import NAME, replies

    names = [kind.name for kind in FORMATS if _chosen(kind.name, only)]
    found = fuzz(names, inputs, seed, scratch) if names else []
    return [*found, apart(NAME, partial(replies, inputs, seed))] if _chosen(NAME, only) else found


def _all(
    scenarios: Iterable[Scenario], faults: Sequence[Fault], points: int, races: int, seed: int, scratch: Path
) -> Iterable[Verdict]:
    for number, scenario in enumerate(scenarios):
        slow = 4 if scenario.slow else 1
        counts = Counter[str]()
        for verdict in _found(
            scenario.name,
            torture(scenario, faults, max(1, points // slow), seed, scratch / f"crash-{number}", click.echo),
            race(scenario, max(1, races // slow) if races else 0, scratch / f"race-{number}"),
        ):
            if verdict.problem:
                click.echo(f"  PROBLEM {verdict.scenario}, {verdict.fault} at {verdict.point}: {verdict.problem}")
                click.echo("    " + verdict.output.strip().replace("\n", "\n    "))
            counts[verdict.fault] += verdict.struck
            yield verdict
        click.echo(f"{scenario.name}: {', '.join(f'{fault} {count}' for fault, count in counts.items())}")
        for part in ("crash", "race"):
            shutil.rmtree(scratch / f"{part}-{number}", ignore_errors=True)


def _found(name: str, *parts: Iterable[Verdict]) -> Iterable[Verdict]:
    """What was found; a command that cannot be tried is a failure, and the next one is tried."""
    try:
        for part in parts:
            yield from part
    except RuntimeError as error:
        yield Verdict(name, "undisturbed", "", "cannot be tried", output=str(error))


def figures(verdicts: list[Verdict], formats: list[Fuzzed]) -> dict[str, object]:
    """Counts of what was tried, and came about, and of what did not hold."""
    tried, bad = Counter(), Counter()
    for verdict in verdicts:
        tried[f"{verdict.scenario}: {verdict.fault}"] += verdict.struck
        bad[f"{verdict.scenario}: {verdict.fault}"] += bool(verdict.problem)
    return {
        "tried": dict(tried),
        "did_not_hold": {name: count for name, count in bad.items() if count},
        "inputs": {fuzzed.format: fuzzed.tried for fuzzed in formats},
        "formats_with_problems": [fuzzed.format for fuzzed in formats if fuzzed.problems],
    }


if __name__ == "__main__":
    main()
