"""``python -m research.choose.page``: have all agents play, and write their scores into docs/explore-results.md."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import click

from hpvqa.errors import UsageError
from hpvqa.explore.agents import AGENTS
from hpvqa.explore.runs.conditions import CONDITIONS
from hpvqa.explore.runs.session import RunChoice, play_worlds
from hpvqa.explore.scores.figure import Figure
from hpvqa.explore.scores.measure import Scores
from hpvqa.explore.scores.report import Report, report
from hpvqa.files import write_json
from hpvqa.progress.console import PlainConsole
from hpvqa.progress.reporter import Reporter, reporting
from research.page import begin, table, write
from research.running import run

_ROOT = Path(__file__).parents[2]
PAGE = _ROOT / "docs/explore-results.md"
KEPT = _ROOT / "benchmarks/results/explore.json"
BEGIN = begin("python -m research.choose.page")
COLUMNS = ("first view judged", "taken", "correct", "hard", "justified", "lucky", "decisions", "scenes")
RULES = (*((name, "active") for name in AGENTS), ("bag-of-words", "blind"), ("ideal", "first"))
"""All baselines, and how they play."""
MODEL = ("active", "yoked", "facts")
"""How a model plays, so that what it misses can be split."""
Row = dict[str, str]


def play(scenes: Path, train: Path, model: Path | None, runs: Path, reporter: Reporter) -> list[Path]:
    """Have all baselines play, and a model; what was played is not played again.

    Args:
        scenes: Folder of the scenes.
        train: Folder of other ones, for agents that learn.
        model: Folder of the model; None: baselines alone.
        runs: Folder that their runs are put in.
        reporter: Told of every scene.

    Returns:
        Folders of the runs.
    """
    found = []
    for name, condition in RULES:
        choice = RunChoice(scenes, condition, out=runs / (name if condition == "active" else f"{name}-{condition}"))
        other = train if AGENTS[name].learns else None
        found.append(play_worlds(choice, reporter, agent=name, said={}, train=other, environ=os.environ))
    for condition in MODEL if model else ():
        choice = RunChoice(scenes, condition, out=runs / f"model-{condition}")
        said = {"model": str(model)}
        found.append(play_worlds(choice, reporter, agent=None, said=said, train=None, environ=os.environ))
    return found


def rows_of(found: Report) -> list[dict[str, object]]:
    """What is kept of a report: a row a run, of all scenes and of those of held-out types."""
    return [
        {
            "agent": one.settings.agent if one.settings.backend == "rule" else "the model",
            "condition": one.settings.condition,
            "privileged": one.settings.privileged,
            "worlds_seed": one.settings.worlds_seed,
            "all": _cells(one.scores),
            "held_out": None if one.held_out is None else _cells(one.held_out),
        }
        for one in found.runs
    ]


def _cells(scores: Scores) -> Row:
    answers = scores.answers
    balanced = next((one.balanced for one in scores.judgements if one.step == 0), None)
    figures = (
        _wide(balanced),
        _wide(scores.gain.taken if scores.gain else None),
        _wide(answers.correct),
        _wide(answers.correct_insufficient),
        _wide(answers.justified),
        _wide(answers.lucky),
        f"{scores.decisions / scores.scenes:.1f}",
        str(scores.scenes),
    )
    return dict(zip(COLUMNS, figures, strict=True))


def _wide(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.2f}"
    return f"{figure.value:.2f} ({figure.low:.2f}–{figure.high:.2f})"


def text(kept: Sequence[dict[str, object]]) -> str:
    """Both tables."""
    order = list(CONDITIONS)
    sections = []
    for which, title in (("all", "## All scenes"), ("held_out", "## Scenes of held-out types")):
        lines = []
        for row in sorted(kept, key=lambda row: (row["privileged"] is True, order.index(str(row["condition"])))):
            cells = row[which]
            if isinstance(cells, dict):
                star = "*" if row["privileged"] else ""
                lines.append([f"`{row['agent']}`{star}", str(row["condition"]), *(cells[name] for name in COLUMNS)])
        sections += [title, table(("agent", "condition", *COLUMNS), lines)]
    return "\n\n".join(sections)


@click.command(
    epilog="""\b
Example:
  hpvqa explore draw --scenes 48 --seed 4096 --out scenes
  python -m research.choose.page --scenes scenes --train models/choose.work/worlds --model models/choose
"""
)
@click.option(
    "--scenes", type=click.Path(path_type=Path), help="Folder of scenes.  [default: the scores that are kept]"
)
@click.option("--train", type=click.Path(path_type=Path), help="Folder of other scenes, for agents that learn.")
@click.option("--model", type=click.Path(path_type=Path), help="Folder of a model.  [default: baselines alone]")
@click.option(
    "--runs", type=click.Path(path_type=Path), default="runs/choose", show_default=True, help="Folder of the runs."
)
def command(scenes: Path | None, train: Path | None, model: Path | None, runs: Path) -> None:
    """Have all baselines and a model play scenes, and write what they score into docs/explore-results.md."""
    if scenes is not None:
        if train is None:
            raise UsageError("Some agents learn from other scenes: name their folder with --train")
        with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
            write_json(KEPT, rows_of(report(play(scenes, train, model, runs, reporter))))
    write(PAGE, BEGIN, text(json.loads(KEPT.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    run(command)
