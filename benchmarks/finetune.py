"""What the data of a training cost: its speed beside that with all batches in memory, and what the frame cache saves.

Run with no arguments on an otherwise idle machine; takes some minutes on two cores without a GPU. Episodes of both
tasks are recorded first, 640×480 and seven views (or name a data folder). The tiny model is trained on all clips three
times: with all batches made beforehand, with clips decoded in the first epoch, and with every frame from the cache on
disk. What a step and a row take of one core says what any number of processes could reach at most. Then the command
itself trains, which decodes clips while it loads the model, with an empty cache and with a full one. Prints all figures
as one line of JSON last.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from benchmarks.recorded import run

from hpvqa.dataset.build import build
from hpvqa.dataset.load import open_dataset
from hpvqa.evaluate.select import select
from hpvqa.finetune.batches import Packer, Source
from hpvqa.finetune.data import Examples
from hpvqa.finetune.examples import Collator
from hpvqa.finetune.run import TrainingJob, load_with_lora
from hpvqa.finetune.settings import load_finetune_recipe, override
from hpvqa.progress.reporter import Reporter
from hpvqa.recipe import Recipe
from hpvqa.vlm.families import find_family
from hpvqa.vlm.frames.cache import FrameCache
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.processing import load_processor
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.tiny import build_tiny

EPISODES = 6
BATCH = 4
FRAMES = FrameSampling(resolution=(64, 64))
WORKERS = 2
"""Processes that prepare batches, as many as the command has unless it is told otherwise."""
CHANGES = ("frames.resolution=[64,64]", "training.epochs=1", "training.checks=1", f"training.batch_size={BATCH}")


def steps_per_second(model: Any, batches: Any) -> float:
    """Optimiser steps a second over everything that ``batches`` gives."""
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-4)
    begin, steps = time.perf_counter(), 0
    for batch in batches:
        model(**batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        steps += 1
    return steps / (time.perf_counter() - begin)


def loader(examples: Source, collate: Packer) -> Any:
    """As transformers' Trainer makes it."""
    return torch.utils.data.DataLoader(
        examples,
        BATCH,
        shuffle=True,
        collate_fn=collate,
        num_workers=WORKERS,
        prefetch_factor=4,
        persistent_workers=True,
    )


def cpu_seconds(work: Any) -> float:
    """What something takes of one core [s]."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def command(folder: Path, name: str) -> tuple[float, float]:
    """Steps a second of the command's epoch, and how long it took before that [s]; its cache is that of the folder."""
    events, words = folder / f"{name}.jsonl", [f"--set={change}" for change in CHANGES]
    words += ["--dataset", str(folder / "dataset"), "--model", str(folder / "model"), "--out", str(folder / name)]
    words += ["--device", "cpu", "--workers", str(WORKERS), "--no-eval", "--progress-file", str(events)]
    cache, begin = {"HPVQA_CACHE": str(folder / "kept"), "OMP_NUM_THREADS": "1"}, time.time()
    subprocess.run([sys.executable, "-m", "hpvqa", "finetune", *words], env={**os.environ, **cache}, check=True)
    found = [json.loads(line) for line in events.read_text().splitlines()]
    (start,) = (event for event in found if event["event"] == "start")
    steps = [event["time"] for event in found if event["event"] == "item"]
    return len(steps) / (steps[-1] - start["time"]), start["time"] - begin


def measure(data: Path, folder: Path) -> dict[str, float]:
    torch.set_num_threads(1)
    build(data, folder / "dataset", Reporter([], time.time), recipe=Recipe())
    build_tiny("qwen3_vl", folder / "model", seed=0)
    dataset = open_dataset(folder / "dataset")
    recipe = override(load_finetune_recipe("lora"), {"frames.resolution": [64, 64]})
    job = TrainingJob(dataset, str(folder / "model"), recipe, folder / "out")
    family, processor = find_family(job.model), load_processor(job.model)
    model = load_with_lora(job, family, False, print).train()
    items = select(dataset, "all", load_prompt("paper"))
    cache = FrameCache(folder / "cache", 10**9)
    collate, found = Packer(Collator(processor, family)), {}
    examples = Source(Examples(items, FRAMES, cache.read))
    first = loader(examples, collate)
    found["first_epoch_steps_per_s"] = steps_per_second(model, first)
    cached = loader(examples, collate)
    memory = [
        collate([examples[number + row] for row in range(BATCH)]) for number in range(0, len(items) - BATCH, BATCH)
    ]
    steps_per_second(model, memory)
    pairs = []
    iter(cached)
    for _ in range(5):
        pairs.append((steps_per_second(model, memory), steps_per_second(model, cached)))
    found["memory_steps_per_s"] = sorted(pair[0] for pair in pairs)[2]
    found["cached_steps_per_s"] = sorted(pair[1] for pair in pairs)[2]
    found["cached_over_memory"] = sorted(pair[1] / pair[0] for pair in pairs)[2]
    found["first_epoch_over_memory"] = found["first_epoch_steps_per_s"] / found["memory_steps_per_s"]
    step, row = (
        cpu_seconds(lambda: steps_per_second(model, memory)) / len(memory),
        cpu_seconds(lambda: [collate([Examples(items, FRAMES, read_clip)[number]]) for number in range(len(items))])
        / len(items),
    )
    found["step_cpu_ms"], found["row_cpu_ms"] = 1e3 * step, 1e3 * row
    found["two_cores_at_most"] = min(2 * step / (step + BATCH * row), 1.0)
    for name in ("cold", "warm"):
        found[f"command_{name}_steps_per_s"], found[f"command_{name}_before_s"] = command(folder, name)
    found["command_cold_over_warm"] = found["command_cold_steps_per_s"] / found["command_warm_steps_per_s"]
    found["cache_mb"] = sum(path.stat().st_size for path in (folder / "cache").iterdir()) / 1e6
    return found


if __name__ == "__main__":
    run(__doc__, ["push", "drop", "--episodes", str(EPISODES), "--workers", "2"], measure)
