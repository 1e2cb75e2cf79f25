"""``hpvqa panel``: where the panel for Isaac Sim is."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  hpvqa panel
  isaac-sim.sh --ext-folder "$(hpvqa panel --path)" --enable hpvqa.collector
"""
)
@click.option("--path", "only_path", is_flag=True, help="Print the folder alone, for --ext-folder.")
def command(only_path: bool) -> None:
    """Print how to start Isaac Sim with the panel, an extension that comes with this package."""
    import shlex

    from hpvqa.resources import extensions_dir

    folder = str(extensions_dir())
    click.echo(folder if only_path else f"isaac-sim.sh --ext-folder {shlex.quote(folder)} --enable hpvqa.collector")
