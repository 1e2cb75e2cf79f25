"""The model card in an adapter's folder."""

from __future__ import annotations

from collections.abc import Sequence

from hpvqa.finetune.prepared import Made
from hpvqa.vlm.embedded import base_of
from hpvqa.vlm.families import resolve_model
from hpvqa.vlm.training_record import Record

CARD_FILE = "README.md"


def card(
    made: Made,
    record: Record,
    *,
    pipeline: str,
    tags: Sequence[str],
    summary: str,
    about: Sequence[tuple[str, str]],
    held_out: str,
    use: str,
) -> str:
    """What a reader must know to use an adapter, with the front matter that the Hugging Face hub reads.

    Args:
        made: What the training has made.
        record: What it was trained on.
        pipeline: What the hub calls such a model's task.
        tags: Of the hub.
        summary: What the adapter does.
        about: Rows of the table: what it was trained on, and how that was shown.
        held_out: What checkpoints were compared on, in words.
        use: How it is evaluated: a sentence and a command.
    """
    (trainable, total), course, training, lora = made.parameters, made.course, made.recipe.training, made.recipe.lora
    base, best = base_of(record.model) or resolve_model(record.model), course.best
    accuracy = f", accuracy {best['eval_accuracy']:.3f}" if "eval_accuracy" in best else ""
    score = (
        f"Its best check, on {held_out}: loss {best['eval_loss']:.4f}{accuracy}. It chose the checkpoint, so it is not "
        "a test result.\n"
        if best
        else ""
    )
    sentence, command = use.split("\n")
    rows = "\n".join(f"| {name} | {value} |" for name, value in about)
    size = f"{trainable:,} of {total:,} parameters"
    start = "" if record.start is None else f"; gone on from {record.start.adapter}"
    return f"""---
base_model: {base}
library_name: peft
pipeline_tag: {pipeline}
tags: [{", ".join(tags)}]
---

# LoRA adapter for {base}

{summary}

| | |
|---|---|
{rows}
| LoRA | rank {lora.rank}, alpha {lora.alpha:g}, dropout {lora.dropout:g}; {size}{start} |
| training | AdamW, {training.learning_rate:g}, {training.schedule}; batches of {training.batch_size} × \
{training.accumulation}; {course.steps:,} steps, {course.epochs:.3g} epochs; seed {training.seed} |
| made with | {", ".join(f"{name} {number}" for name, number in record.versions.items())} |

{score}
{sentence}

```
{command}
```

Made by:

```
{made.command}
```
"""
