"""``hpvqa tiny``: small random checkpoints in the architectures of the real models."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.common import json_option
from hpvqa.commands.param_types import Whole
from hpvqa.errors import printable
from hpvqa.vlm.tiny.kinds import KINDS, Kind


@click.command(
    epilog="""\b
Examples:
  hpvqa tiny qwen3_vl models/tiny
  hpvqa eval --backend transformers --model models/tiny --resolution 64x64

Takes seconds and two megabytes. Frames of 64x64 are enough; qwen3_5 and qwen3_vl take any size whose sides are
multiples of 32, internvl and pooled only the one that it was made for.
"""
)
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--seed", type=Whole(min=0), default=0, show_default=True, help="Seed of the weights.")
@click.option(
    "--size",
    type=Whole(min=32),
    default=64,
    show_default=True,
    help="Width and height of its frames [pixels].",
)
@json_option
def command(kind: Kind, out: Path, seed: int, size: int, as_json: bool) -> None:
    """Make a checkpoint of KIND with random weights in the folder OUT.

    It has the real architecture, tokenizer, processor and chat template in small, so that everything that runs a model
    can be tried without a GPU. It knows nothing: its answers are worth as much as a coin's.
    """
    import json

    from hpvqa.vlm.tiny.build import build_tiny

    parameters = build_tiny(kind, out, seed=seed, side=size)
    if as_json:
        click.echo(json.dumps({"folder": str(out), "kind": kind, "parameters": parameters}))
    else:
        click.echo(printable(f"{out}: {kind}, {parameters:,} parameters"))
