"""``python -m research.frames DATA``: write the table of docs/dataset.md on what single pictures hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hpvqa.evaluate.statistics.interval import accuracy_interval
from hpvqa.record.episode import find_episodes
from hpvqa.tasks import TASKS
from research.frames.measure import CHOICES, Judged, judge
from research.page import begin, table, write

PAGE = Path(__file__).parents[2] / "docs" / "dataset.md"
MARK = begin("python -m research.frames DATA")
SURE = 4.6
"""Odds of a hundred to one, as a logarithm."""


@click.command()
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), default=PAGE, help="Page with the table.")
def main(data: tuple[Path, ...], page: Path) -> None:
    """Ask an observer who knows where all things are, but only in some frames, about the episodes in DATA."""
    write(page, MARK, text(judge(folder for one in data for folder in find_episodes(one))))
    click.echo(f"The table is in {page}")


def text(found: Sequence[Judged]) -> str:
    """The table: a line a choice of frames, a column a task."""
    tasks = [task for task in TASKS if any(one.task == task for one in found)]
    rows = [
        [name, *(_cell([one for one in found if (one.task, one.choice) == (task, name)]) for task in tasks)]
        for name in CHOICES
    ]
    return table(["frames", *(f"`{task}`" for task in tasks)], rows)


def _cell(found: Sequence[Judged]) -> str:
    interval = accuracy_interval([one.correct for one in found], range(len(found)))
    if interval is None:
        return "–"
    correct, sure = sum(one.correct for one in found), sum(abs(one.odds) >= SURE for one in found)
    return f"{correct}/{len(found)} ({interval.low:.2f}–{interval.high:.2f}), {sure} sure"


if __name__ == "__main__":
    main()
