"""What an evaluation of a model that was made here takes from its folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from hpvqa.plain import Model
from hpvqa.versions import versions_of
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import Prompt, PromptRecord
from hpvqa.vlm.seen import Shot, seen_in
from hpvqa.vlm.training_record import TrainingRecord, views_of
from research.pretrain.store import Store


def record_of(
    model: str, family: str, stores: Sequence[Store], frames: FrameSampling, prompt: Prompt, settings: Model
) -> TrainingRecord:
    """The record of a training.

    Args:
        model: What was trained.
        family: Its model family.
        stores: The episodes that it was shown.
        frames: Which frames of them.
        prompt: The words around the questions.
        settings: All else that it depends on.
    """
    return TrainingRecord(
        model=model,
        family=family,
        dataset="episodes",
        fingerprint=fingerprint(stores),
        task=None,
        cameras=(),
        views=views_of((store.task, camera) for store in stores for camera in store.cameras),
        clips=seen_in(shot for store in stores for shot in shots_of(store)),
        prompt=PromptRecord.of(prompt),
        frames=frames,
        recipe=settings.model_dump(mode="json"),
        versions=versions_of(("hpvqa", "peft", "torch", "transformers")),
    )


def fingerprint(stores: Sequence[Store]) -> str:
    """What the episodes are, and which of their frames are looked at."""
    digest = hashlib.sha256()
    for store in stores:
        seen = [
            store.task,
            *store.numbers,
            *store.cameras,
            *(record.checksum for record in store.records),
        ]
        digest.update(json.dumps(seen).encode())
    return digest.hexdigest()


def shots_of(store: Store) -> Iterator[Shot]:
    """How its clips were taken."""
    for record in store.records:
        assert record.video is not None  # noqa: S101 - episodes without clips were left out
        size = (record.video.width, record.video.height)
        yield from (Shot.of(store.task, size, camera) for camera in record.cameras)
