"""``hpvqa explore assemble``: a model of the shape of PhysVLM-AVR, of the weights of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpvqa.commands.common import json_option
from hpvqa.commands.param_types import Whole

if TYPE_CHECKING:
    from hpvqa.vlm.pooled.assemble import Dtype

VISION = "google/siglip-so400m-patch14-384"
LANGUAGE = "Qwen/Qwen2.5-3B-Instruct"
_CONFIG = ("config.json",)


@click.command(
    "assemble",
    epilog="""\b
Examples:
  hpvqa explore assemble --dry-run
  hpvqa explore assemble --out models/pooled
  hpvqa explore assemble --language Qwen/Qwen2.5-0.5B-Instruct

Downloads ten gigabytes and writes seven. Nothing has taught the new projector
anything yet: train the model before you ask it.
""",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("models/pooled"), show_default=True, help="Folder to make."
)
@click.option("--vision", default=VISION, show_default=True, help="A SigLIP: a folder, or its name on the Hub.")
@click.option("--language", default=LANGUAGE, show_default=True, help="A Qwen2.5: likewise.")
@click.option("--seed", type=Whole(min=0), default=0, show_default=True, help="Seed of the projector between them.")
@click.option(
    "--dtype",
    type=click.Choice(["bfloat16", "float32"]),
    default="bfloat16",
    show_default=True,
    help="Number format of the weights.",
)
@click.option("--dry-run", is_flag=True, help="Only say how large it will be; no weights are downloaded.")
@json_option
def command(out: Path, vision: str, language: str, seed: int, dtype: Dtype, dry_run: bool, as_json: bool) -> None:
    """Put a model together: SigLIP, max pooling of visual tokens by three, a new projector, Qwen2.5.

    Weights that are not in the Hub's cache on this machine are downloaded.
    """
    import dataclasses
    import json

    from hpvqa.errors import MissingDependencyError, printable
    from hpvqa.install import pip_install

    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(f"Models need {error.name}; run: {pip_install('vlm')}") from None
    from hpvqa.vlm.pooled.assemble import FILES, assemble, check_room, configuration, plan

    planned = plan(configuration(_sizes(vision, VISION), _sizes(language, LANGUAGE)), dtype)
    if not dry_run:
        check_room(planned, out)
        planned = assemble(_folder(vision, FILES), _folder(language, FILES), out, seed=seed, dtype=dtype)
    if as_json:
        told = {"out": None if dry_run else str(out), "dtype": dtype, **dataclasses.asdict(planned)}
        click.echo(json.dumps({**told, "total": planned.total}, indent=2))
        return
    for part, count in planned.parameters.items():
        click.echo(f"{part.replace('_', ' '):<15}{count:>14,} parameters")
    click.echo(f"{'in all':<15}{planned.total:>14,}, {planned.bytes / 1e9:.1f} GB in {dtype}")
    width, height = planned.resolution
    click.echo(f"A picture of {width}x{height}: {planned.visual_tokens} tokens, pooled to {planned.tokens_per_image}")
    if not dry_run:
        click.echo(printable(f"{out}: untrained between its parts"))


def _sizes(name: str, known: str) -> Path | None:
    """A folder with the configuration of a part; None for the one of the paper, whose sizes are known."""
    return None if name == known else _folder(name, _CONFIG)


def _folder(name: str, patterns: tuple[str, ...]) -> Path:
    from hpvqa.hub.client import open_hub
    from hpvqa.hub.weights import fetch_model

    return Path(name) if Path(name).is_dir() else fetch_model(open_hub(), name, patterns)
