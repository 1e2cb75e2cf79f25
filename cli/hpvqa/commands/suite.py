"""``hpvqa suite``: a fixed suite, on which any model is scored."""

from __future__ import annotations

import click

from hpvqa.commands.suite_compare import command as compare
from hpvqa.commands.suite_power import command as power
from hpvqa.commands.suite_run import command as run


@click.group(
    epilog="""\b
Examples:
  hpvqa suite run --size quick --model embedded --out cards/embedded
  hpvqa suite compare cards/base cards/tuned
  hpvqa suite power 0.7 0.8
"""
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """The same episodes and scenes for every model, and one score card of it."""
    from hpvqa.commands.defaults import take_defaults

    take_defaults(ctx, command.commands)


command.add_command(run)
command.add_command(compare)
command.add_command(power)
