"""``hpvqa merge``: a model with its adapter in it."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.errors import printable


@click.command(
    epilog="""\b
Examples:
  hpvqa merge runs/lora --out models/heavier
  hpvqa merge runs/paper --model ./InternVL3_5-8B-HF --out models/paper

A merged model is served and evaluated like any other: hpvqa eval --backend vllm --model models/heavier
"""
)
@click.argument("adapter", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the merged model, a new one.")
@click.option("--model", help="The model under the adapter.  [default: the one that the adapter names]")
def command(adapter: Path, out: Path, model: str | None) -> None:
    """Merge the LoRA adapter in the folder ADAPTER into its model.

    Needed where an adapter trains layers that vLLM does not serve as an adapter, such as a vision tower's.
    """
    from hpvqa.finetune.merge import merge

    made = merge(adapter, out, model)
    said = f"The merged model is in {made.folder}; {made.changed} of {made.weights} trained weights changed"
    click.echo(printable(said))
