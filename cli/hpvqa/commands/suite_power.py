"""``hpvqa suite power``: how many episodes tell two models apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import click

from hpvqa.commands.common import json_option
from hpvqa.commands.param_types import Number, Whole
from hpvqa.evaluate.power import Design, Question

_SHARE = Number(0, 1, min_open=True, max_open=True)


def _option(name: str, kind: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        f"--{name}",
        type=kind,
        default=Question.model_fields[name].default,
        show_default=True,
        help=Question.model_fields[name].description,
    )


@click.command(
    "power",
    epilog="""\b
Examples:
  hpvqa suite power 0.7 0.8
  hpvqa suite power 0.7 0.8 --views 3 --correlation 0.4
  hpvqa suite power 0.7 0.8 --design independent --power 0.9
  hpvqa suite power 0.7 0.8 --episodes 48 --episodes 96

Answers are drawn and tested as `hpvqa report` tests runs; without --episodes, the smallest number that suffices is
looked for. With more views, each number takes a minute or so.
""",
)
@click.argument("first", type=_SHARE)
@click.argument("second", type=_SHARE)
@_option("views", Whole(1, 64))
@_option("correlation", Number(0, 1))
@_option("alike", Number(0, 1))
@_option("design", click.Choice(get_args(Design)))
@_option("alpha", Number(0, 0.5, min_open=True, max_open=True))
@_option("power", _SHARE)
@_option("simulations", Whole(10, 1_000_000))
@_option("seed", Whole(min=0))
@click.option(
    "--episodes",
    type=Whole(1, 100_000),
    multiple=True,
    help="Only the power with so many episodes; may be given several times.",
)
@json_option
def command(episodes: tuple[int, ...], as_json: bool, **asked: Any) -> None:
    """Say how many episodes it takes to tell a model of accuracy FIRST from one of accuracy SECOND."""
    import time

    from hpvqa.commands.grid_table import print_grid
    from hpvqa.errors import UsageError
    from hpvqa.evaluate.power import Line, at, search
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting
    from hpvqa.report.grid import Grid, Group
    from hpvqa.report.grid import Line as Row

    question = Question(**asked)
    if question.first == question.second:
        raise UsageError("Both accuracies are the same, so that there is no difference to find; give two")
    with reporting(PlainConsole(stderr=True), None, time.time) as reporter:

        def tell(line: Line) -> None:
            reporter.note(f"{line.episodes} episodes: power {line.power:.3f}")

        found = at(question, episodes, tell) if episodes else search(question, tell)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    lines = [Row((str(one.episodes), f"{one.power:.3f}", f"{one.low:.3f}–{one.high:.3f}")) for one in found.lines]
    enough = "No number that was tried suffices" if found.episodes is None else f"{found.episodes} episodes suffice"
    told = f"{enough} to tell {question.first:g} from {question.second:g} with power {question.power:g}."
    print_grid(Grid(told, ("episodes", "power", "95 %"), (Group("", tuple(lines)),)), PlainConsole())
