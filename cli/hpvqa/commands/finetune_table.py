"""What fine-tuning would do and has done, for a person and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hpvqa.commands.eval_table import score_grid
from hpvqa.commands.grid_table import print_grid
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.score import score
from hpvqa.finetune.dry_run import DryRun
from hpvqa.finetune.run import Finetuned


def print_plan(plan: DryRun, console: Console, *, as_json: bool) -> None:
    """Print what a training would be."""
    if as_json:
        console.print_json(json.dumps({**asdict(plan), "memory_gb": plan.memory_gb}))
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in (
        ("model family", plan.family),
        ("trained parameters", f"{plan.trainable:,} of {plan.total:,}, in {plan.layers} layers"),
        (
            "training rows",
            f"{plan.rows:,} of {plan.episodes:,} {plan.unit}, {plan.validation_rows:,} more to check with",
        ),
        ("a row", f"{plan.frames} frames, {plan.tokens:,} tokens"),
        ("steps", f"{plan.steps:,}"),
        ("memory", f"about {plan.memory_gb:.1f} GB on each GPU, of which"),
        ("  weights", f"{plan.weights_gb:.1f} GB in {plan.weights_format}"),
        ("  adapter", f"{plan.adapter_gb:.1f} GB with gradients and AdamW's moments"),
        ("  one batch", f"{plan.activations_gb:.1f} GB with gradient checkpointing, an estimate"),
    ):
        table.add_row(name, value)
    console.print(table)
    for warning in plan.warnings:
        console.print(Text(f"Warning: {warning}", style="yellow"), soft_wrap=True)


def print_result(done: Finetuned, predictions: Sequence[Prediction] | None, console: Console, *, as_json: bool) -> None:
    """Print what a training has made."""
    cells = None if predictions is None else score(predictions)
    if as_json:
        data = {
            "adapter": str(done.adapter),
            "trainable": done.trainable,
            "total": done.total,
            "best": done.best,
            "plots": [str(path) for path in done.plots],
            "cells": None if cells is None else [cell.model_dump(mode="json") for cell in cells],
        }
        console.print_json(json.dumps(data))
        return
    if cells is not None:
        print_grid(score_grid(cells, f"{done.adapter} on the evaluation split"), console)
    for path in done.plots:
        console.print(Text(f"plot: {path}"), soft_wrap=True)
    console.print(Text(f"The adapter is in {done.adapter}"), soft_wrap=True)
