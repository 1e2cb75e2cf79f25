"""Options that mean the same in every command about scenes."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.param_types import NamesType
from hpvqa.explore.scene import FAMILIES

family_option = click.option(
    "--family",
    "families",
    type=NamesType("family", FAMILIES),
    default="all",
    show_default=True,
    help=f"Which scenes: {', '.join(FAMILIES)}, several with commas between them, or all.",
)
worlds_option = click.option(
    "--worlds", type=click.Path(path_type=Path), default=Path("worlds"), show_default=True, help="Folder of the scenes."
)
