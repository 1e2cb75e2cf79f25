"""Options that mean the same in every command about scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hpvqa.commands.param_types import NamesType
from hpvqa.explore.scene import FAMILIES, HIDING

_FAMILIES: dict[str, Any] = {
    "type": NamesType("family", FAMILIES),
    "show_default": True,
    "help": f"Which scenes: {', '.join(FAMILIES)}, several with commas between them, or all.",
}
family_option = click.option("--family", "families", default="all", **_FAMILIES)
drawn_option = click.option("--family", "families", default=",".join(HIDING), **_FAMILIES)
"""Of what is drawn if nothing is said: the families that there have always been."""
restart_option = click.option("--restart", is_flag=True, help="Drop what the run's folder holds, and begin anew.")
worlds_option = click.option(
    "--worlds", type=click.Path(path_type=Path), default=Path("worlds"), show_default=True, help="Folder of the scenes."
)
