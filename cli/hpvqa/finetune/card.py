"""The model card in an adapter's folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hpvqa.files import write_text
from hpvqa.finetune.rows import TrainingRows
from hpvqa.finetune.settings import FinetuneRecipe
from hpvqa.vlm.embedded import base_of
from hpvqa.vlm.families import resolve_model
from hpvqa.vlm.training_record import TrainingRecord

if TYPE_CHECKING:
    from hpvqa.finetune.trainer import Course

CARD_FILE = "README.md"


def write_card(
    out: Path,
    record: TrainingRecord,
    recipe: FinetuneRecipe,
    rows: TrainingRows,
    parameters: tuple[int, int],
    course: Course,
    command: str,
) -> None:
    """Write what a reader must know to use the adapter, with the front matter that the Hugging Face hub reads.

    Args:
        out: Folder of the adapter.
        record: What it was trained on.
        recipe: How.
        rows: The rows.
        parameters: How many parameters were trained, and how many the model has with them.
        course: How it went.
        command: The command line.

    Raises:
        RunError: The disk does not take it.
    """
    (trainable, total), best = parameters, course.best
    lora, training, frames = recipe.lora, recipe.training, record.frames
    base = base_of(record.model) or resolve_model(record.model)
    size = "as recorded" if frames.resolution is None else f"{frames.resolution[0]}×{frames.resolution[1]}"
    clips = record.clips
    if clips is not None and clips.sizes:
        fitted = "" if frames.suits(clips.sizes) else ", padded" if frames.fit == "pad" else ", squeezed"
        size += f"{fitted}, of clips of {', '.join(f'{width}×{height}' for width, height in clips.sizes)}"
    rate = f"{frames.fps:g} a second" if frames.count is None else f"{frames.count} of a clip"
    episodes = len({item.row.cluster for item in rows.train})
    held_out = len({item.row.cluster for item in rows.validation})
    views = "; ".join(f"{task} by {', '.join(cameras)}" for task, cameras in record.views.items())
    flipped = ", and each once more, flipped" if training.mirror else ""
    score = (
        f"Its best check, on {held_out} training episodes that were held out: loss {best['eval_loss']:.4f}, "
        f"accuracy {best['eval_accuracy']:.3f}. It chose the checkpoint, so it is not a test result.\n"
        if "eval_accuracy" in best
        else ""
    )
    text = f"""---
base_model: {base}
library_name: peft
pipeline_tag: video-text-to-text
tags: [hpvqa, lora, video, robotics]
---

# LoRA adapter for {base}

It answers which of two objects that a robot acts on is heavier, or more elastic, with one word: left or right.

| | |
|---|---|
| trained on | {views}; {len(rows.train)} rows of {episodes} episodes{flipped} |
| data set | fingerprint `{record.fingerprint}` |
| frames | {frames.sampler}, {rate}, {size} |
| prompt | {record.prompt.name} version {record.prompt.version}, `{record.prompt.sha256[:16]}` |
| LoRA | rank {lora.rank}, alpha {lora.alpha:g}, dropout {lora.dropout:g}; {trainable:,} of {total:,} parameters |
| training | AdamW, {training.learning_rate:g}, {training.schedule}; batches of {training.batch_size} × \
{training.accumulation}; {course.steps:,} steps, {course.epochs:.3g} epochs; seed {training.seed} |
| made with | {", ".join(f"{name} {number}" for name, number in record.versions.items())} |

{score}
Evaluate it with the same frames and prompt, which `hpvqa eval` does by itself:

```
hpvqa eval --backend transformers --model {record.model} --adapter {out}
```

Made by:

```
{command}
```
"""
    write_text(out / CARD_FILE, text)
