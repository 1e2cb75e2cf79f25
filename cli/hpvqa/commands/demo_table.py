"""What the demo made, for a person and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hpvqa.demo import Demo
from hpvqa.evaluate.score import Cell

_HOW = {
    "left": "always says left",
    "right": "always says right",
    "random": "tosses a coin",
    "majority": "says the training's majority",
    "oracle": "measures the recorded motion",
    "frame-oracle": "the same, 2 frames a second",
    "pixels": "measures the motion in a clip",
    "embedded-base": "a tiny VLM, not fine-tuned",
    "embedded": "the same VLM, fine-tuned",
}


def demo_json(demo: Demo) -> dict[str, Any]:
    """What ``hpvqa demo --json`` prints."""
    return {
        "data": str(demo.data),
        "dataset": str(demo.dataset),
        "runs": str(demo.runs),
        "scores": {model: [cell.model_dump() for cell in cells] for model, cells in demo.scores.items()},
        "sheets": {task: str(path) for task, path in demo.sheets.items()},
        "clips": {task: str(path) for task, path in demo.clips.items()},
    }


def print_demo(demo: Demo, console: Console) -> None:
    """Print the score of every baseline and model by task, and what there is to open."""
    tasks = list(demo.sheets)
    table = Table(title="Right answers on the evaluation split", title_justify="left")
    table.add_column("who answers")
    table.add_column("how it answers")
    for task in tasks:
        table.add_column(task, justify="right")
    for model, cells in demo.scores.items():
        table.add_row(model, _HOW[model], *(_share(_whole(cells, task)) for task in tasks))
    console.print(table)
    first = next(iter(demo.scores.values()))
    episodes = " and ".join(f"{_whole(first, task).episodes} {task} episodes" for task in tasks)
    console.print(Text(f"Only {episodes}, each seen by several cameras: too few to tell close scores apart."))
    if any(_whole(cells, task).n < _whole(first, task).n for cells in demo.scores.values() for task in tasks):
        console.print(Text("The tiny VLM is only counted in the views that it was trained on."))
    console.print()
    console.print("Pictures to open, and clips to play:")
    for path in (*demo.sheets.values(), *demo.clips.values()):
        console.print(Text(f"  {path}"), soft_wrap=True)
    console.print(Text(f"The data set is in {demo.dataset}, all answers are in {demo.runs}"), soft_wrap=True)


def _whole(cells: Sequence[Cell], task: str) -> Cell:
    return next(cell for cell in cells if cell.task == task and cell.by == "all")


def _share(cell: Cell) -> str:
    return "-" if cell.accuracy is None else f"{cell.accuracy:.2f} ({cell.correct}/{cell.n})"
