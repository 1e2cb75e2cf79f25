"""Trainings of tiny models on clips that show the answer plainly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from hpvqa.dataset.build import build
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.evaluate.select import select
from hpvqa.finetune.run import Finetuned, TrainingJob, finetune
from hpvqa.finetune.settings import load_finetune_recipe, override
from hpvqa.recipe import Recipe
from hpvqa.record.video import ClipWriter
from hpvqa.vlm.prompt import load_prompt
from tests.factories import FPS, FRAMES, HEIGHT, WIDTH, make_data, quiet

CHANGES = {
    "frames.resolution": [64, 64],
    "frames.fps": FPS,
    "training.epochs": 2,
    "training.learning_rate": 5e-3,
    "training.checks": 2,
}


def paint(clip: Path, brighter: str) -> None:
    """Make the answer plain to see: one half is white."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    half = slice(0, WIDTH // 2) if brighter == "left" else slice(WIDTH // 2, WIDTH)
    image[:, half] = 255
    with ClipWriter(clip, FPS, WIDTH, HEIGHT) as writer:
        for _ in range(FRAMES):
            writer.write(image)


def make_plain(folder: Path) -> Dataset:
    """Sixteen push episodes, two views each; clips show the answer plainly."""
    build(make_data(folder / "data", push=16), folder / "dataset", quiet(), recipe=Recipe())
    found = open_dataset(folder / "dataset")
    for item in select(found, "all", load_prompt("paper")):
        item.query.clip.unlink()
        paint(item.query.clip, item.row.answer)
    return found


def job(dataset: Dataset, model: Path, out: Path, **changes: Any) -> TrainingJob:
    recipe = override(load_finetune_recipe("lora"), {**CHANGES, **changes})
    return TrainingJob(dataset, str(model), recipe, out, device="cpu", workers=0)


def trained(dataset: Dataset, model: Path, out: Path, **changes: Any) -> Finetuned:
    return finetune(job(dataset, model, out, **changes), quiet(), command="hpvqa finetune")


def metrics(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
