"""The model card in the folder of a pre-trained model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from research.pretrain.score import HIDDEN, Score
from research.pretrain.settings import PretrainSettings
from research.pretrain.store import Store

CARD_FILE = "README.md"


def write_card(
    folder: Path,
    model: Any,
    settings: PretrainSettings,
    stores: Sequence[Store],
    scores: Sequence[Score],
    command: str,
) -> None:
    """Write what the model is, how it was made and how well it answers, with the front matter of the hub."""
    size = sum(parameter.numel() for parameter in model.parameters())
    seen = "\n".join(
        f"- {store.task}: {len(store.records)} episodes, of which {len(store.split(settings.held_out)[1])} held out; "
        f"cameras {', '.join(store.cameras)}"
        for store in stores
    )
    rows = "\n".join(
        f"| {entry.task} | {'hidden: ' if entry.question == HIDDEN else ''}{entry.text} | {entry.right:.3f} | "
        f"{entry.interval.low:.3f} to {entry.interval.high:.3f} | {entry.clips} | {entry.episodes} |"
        for entry in scores
    )
    text = f"""---
library_name: transformers
pipeline_tag: video-text-to-text
license: apache-2.0
tags: [hpvqa, video, robotics]
---

# The embedded model

{size:,} parameters in the Qwen3-VL architecture, for frames of {settings.model.side}x{settings.model.side}. It was
trained from nothing on episodes of this project: first to point at the objects and the gripper, then to answer visible
questions. Its training had no labels of hidden properties, so it can only guess which cube is heavier and which sphere
is more elastic, until it is fine-tuned.

Episodes:

{seen}

Accuracy on the held-out ones, one clip at a time, with 95 % intervals by episode:

| task | question | accuracy | interval | clips | episodes |
|---|---|---|---|---|---|
{rows}

Made by:

```
{command}
```
"""
    (folder / CARD_FILE).write_text(text, encoding="utf-8")
