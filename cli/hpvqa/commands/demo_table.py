"""What the demo made, for a person and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from hpvqa.commands.grid_table import print_grid
from hpvqa.demo import Demo
from hpvqa.evaluate.score import Cell
from hpvqa.evaluate.session import Evaluated
from hpvqa.report.grid import Grid, Group, Line

_HOW = {
    "left": "always answers left",
    "right": "always answers right",
    "random": "guesses at random",
    "majority": "most frequent answer in training",
    "oracle": "measures the recorded motion",
    "frame-oracle": "the same, 2 frames a second",
    "pixels": "measures the motion in a clip",
    "embedded-base": "a tiny VLM, not fine-tuned",
    "embedded": "the same VLM, fine-tuned",
}


def demo_json(demo: Demo) -> dict[str, Any]:
    """What ``hpvqa demo --json`` prints; ``scores`` is about the first of each one's ``conditions``."""
    conditions = {
        model: {name: [cell.model_dump(mode="json") for cell in cells] for name, cells in done.scores.items()}
        for model, done in demo.answers.items()
    }
    return {
        "data": str(demo.data),
        "dataset": str(demo.dataset),
        "runs": str(demo.runs),
        "scores": {model: next(iter(parts.values())) for model, parts in conditions.items()},
        "conditions": conditions,
        "sheets": {task: str(path) for task, path in demo.sheets.items()},
        "clips": {task: str(path) for task, path in demo.clips.items()},
    }


def print_demo(demo: Demo, console: Console) -> None:
    """Print the accuracy of every baseline and model by task, and what there is to open."""
    tasks = list(demo.sheets)
    print_grid(_grid(demo.answers, tasks), console)
    first = next(iter(next(iter(demo.answers.values())).scores.values()))
    counts = {task: cell.episodes for task in tasks if (cell := _whole(first, task)) is not None}
    episodes = " and ".join(f"{count} {task} episodes" for task, count in counts.items())
    console.print(Text(f"Only {episodes}, each seen by several cameras: too few to tell close scores apart."))
    for model, done in demo.answers.items():
        if done.note is not None:
            console.print(Text(f"{model}: {done.note}."))
    console.print()
    console.print("Pictures to open, and clips to play:")
    for path in (*demo.sheets.values(), *demo.clips.values()):
        console.print(Text(f"  {path}"), soft_wrap=True)
    console.print(Text(f"The data set is in {demo.dataset}, all answers are in {demo.runs}"), soft_wrap=True)


def _grid(answers: Mapping[str, Evaluated], tasks: Sequence[str]) -> Grid:
    lines = []
    for model, done in answers.items():
        for number, (name, cells) in enumerate(done.scores.items()):
            who = f"{model}: {_HOW[model]}" if number == 0 else f"{model}: {name}"
            lines.append(Line((who, *(_share(_whole(cells, task)) for task in tasks))))
    return Grid("Accuracy on the evaluation split", ("model", *tasks), (Group("", tuple(lines)),))


def _whole(cells: Sequence[Cell], task: str) -> Cell | None:
    return next((cell for cell in cells if cell.task == task and cell.by == "all"), None)


def _share(cell: Cell | None) -> str:
    return "–" if cell is None or cell.accuracy is None else f"{cell.accuracy:.2f} ({cell.correct}/{cell.n})"
