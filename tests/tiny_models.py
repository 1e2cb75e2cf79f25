"""Tiny checkpoints for tests: built once a session, and on demand trained until they truly see their video."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hpvqa.scene.spec import SIDES, Side
from hpvqa.tasks.push import PushTask
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.prompt import CHOICES, load_prompt
from hpvqa.vlm.protocol import Query
from hpvqa.vlm.tiny.kinds import Kind, Words
from tests.shared import Shared

SIDE = 64
FPS = 30.0
STEP = 15
"""Frames of a clip between two that a model sees: two a second."""


read_prompt = cache(load_prompt)


def make_query(*videos: Frames, key: str = "row", system: str | None = None, text: str = PushTask.question) -> Query:
    """A query as an evaluation would ask it."""
    return Query(
        key=key,
        task="push",
        clip=Path("clip.mp4"),
        fps=FPS,
        frames=61,
        camera=None,
        question=text,
        system=read_prompt("paper").system if system is None else system,
        text=text,
        choices=CHOICES,
        episode=Path("episode"),
        videos=videos,
    )


def frames_of(images: NDArray[np.uint8], indices: Sequence[int] | None = None) -> Frames:
    """Images as frames of a clip: evenly spaced unless their numbers are given."""
    numbers = tuple(range(0, len(images) * STEP, STEP)) if indices is None else tuple(indices)
    return Frames(images=images, indices=numbers, fps=FPS, total=numbers[-1] + 1)


def noise(count: int = 4, seed: int = 0, side: int = SIDE) -> Frames:
    """Frames without a meaning."""
    rng = np.random.default_rng(seed)
    return frames_of(rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8))


def brightening(rng: np.random.Generator, count: int = 4) -> tuple[Frames, Side]:
    """A clip whose one half gets brighter while the other gets darker; all of it lies in the order of the frames.

    Returns:
        The frames, and the half that gets brighter.
    """
    answer = SIDES[rng.integers(2)]
    ramp = np.linspace(rng.uniform(20, 60), rng.uniform(180, 220), count)
    images = rng.normal(0, 12, (count, SIDE, SIDE, 3))
    rising, falling = (slice(None, SIDE // 2), slice(SIDE // 2, None))[:: 1 if answer == "left" else -1]
    images[:, :, rising] += ramp[:, None, None, None]
    images[:, :, falling] += ramp[::-1, None, None, None]
    return frames_of(images.clip(0, 255).astype(np.uint8)), answer


def batch_of(model_folder: Path, processor: Any, clips: Sequence[Frames]) -> dict[str, Any]:
    """Tensors of the plain question about clips."""
    from hpvqa.vlm.chat import render
    from hpvqa.vlm.families import find_family
    from hpvqa.vlm.processing import encode

    family = find_family(str(model_folder))
    return encode(
        processor, family, [render(processor, make_query(clip), family) for clip in clips], [[c] for c in clips]
    )


def logprobs_of(model_folder: Path, clips: Sequence[Frames]) -> NDArray[np.float64]:
    """Log-probabilities of left and right by transformers in float32, shape (clips, 2)."""
    import torch

    from hpvqa.vlm.processing import load_processor

    processor = load_processor(str(model_folder))
    tokens = processor.tokenizer.convert_tokens_to_ids(list(SIDES))
    with torch.inference_mode():
        logits = load_model(model_folder).eval()(**batch_of(model_folder, processor, clips)).logits[:, -1]
    chosen: NDArray[np.float64] = logits.double().log_softmax(-1)[:, tokens].numpy()
    return chosen


def load_model(folder: Path) -> Any:
    """The model of a folder, in float32."""
    import torch
    from transformers import AutoModelForImageTextToText

    from hpvqa.vlm.pooled import register

    register()
    return AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)


def train_briefly(folder: Path, out: Path, *, steps: int = 80, batch: int = 16, rate: float = 2e-3) -> float:
    """Train a checkpoint on :func:`brightening`, all of its weights, and write it elsewhere.

    Args:
        folder: A tiny checkpoint that was built with ``trainable=True``.
        out: The new folder.
        steps: Optimiser steps.
        batch: Clips a step.
        rate: Highest learning rate.

    Returns:
        The mean loss of the last ten steps.
    """
    import torch

    from hpvqa.vlm.processing import load_processor

    processor = load_processor(str(folder))
    model = load_model(folder).train()
    tokens = torch.tensor(processor.tokenizer.convert_tokens_to_ids(list(SIDES)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.2)
    rng = np.random.default_rng(1)
    losses = []
    for _ in range(steps):
        clips, answers = zip(*(brightening(rng) for _ in range(batch)), strict=True)
        wanted = tokens[[SIDES.index(answer) for answer in answers]]
        logits = model(**batch_of(folder, processor, clips), logits_to_keep=1).logits[:, -1]
        loss = torch.nn.functional.cross_entropy(logits, wanted)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    shutil.copytree(folder, out)
    model.save_pretrained(out)
    return float(np.mean(losses[-10:]))


TinyModel = Callable[..., Path]


@pytest.fixture(scope="session")
def tiny_model(shared: Shared) -> TinyModel:
    """``tiny_model(kind, words="whole", trained=False)``: the folder of a checkpoint, made once for all workers."""

    def make(kind: Kind, words: Words = "whole", *, trained: bool = False) -> Path:
        from hpvqa.vlm.tiny import build_tiny

        def train(out: Path) -> None:
            fresh = out.with_suffix(".fresh")
            build_tiny(kind, fresh, words=words, trainable=True, side=SIDE)
            train_briefly(fresh, out)

        def build(out: Path) -> None:
            build_tiny(kind, out, words=words, side=SIDE)

        return shared(f"tiny-{kind}-{words}{'-trained' if trained else ''}", train if trained else build)

    return make
