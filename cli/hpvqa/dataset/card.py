"""The data card, ``README.md``: for people, and in its front matter for ``datasets.load_dataset``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from hpvqa.dataset.counts import Count, count_rows
from hpvqa.dataset.facts import DESCRIPTION, baselines, is_ours, limits, making, size_category
from hpvqa.dataset.manifest import METADATA_FILE
from hpvqa.dataset.rows import AnyRow, Row
from hpvqa.dataset.splits import Split
from hpvqa.tasks import TASKS

CARD_FILE = "README.md"

_TEXT = """
# {title}

{description} Left and right are the robot's.
Built from `{source}` with hpvqa.

| task | split | episodes | left | right | rows |
|---|---|---:|---:|---:|---:|
{counts}

Rows of one episode show the same event from several cameras: they are not independent. Splits are by episode.
{shift}{partners}
## How it was made

{making}

## Known limits

{limits}

## Scores to compare with

{baselines}

## Reading it

```python
from datasets import Video, load_dataset

rows = load_dataset("path/to/this/folder", "{task}", split="{split}").cast_column("video", Video(decode=False))
```

Configurations: {configs}. Every row of a split is a line of its `metadata.jsonl`.
Only the clip and the `question` may be shown to a model; all other columns describe the episode.
`manifest.json` lists the SHA-256 of every file; `hpvqa verify` checks them. `croissant.json` describes them to machines
(Croissant 1.1).

## Questions

{questions}
"""

_SHIFT = """
These episodes are of the shift `{shift}`: they change one thing, for testing only. Train no model on them.
"""

_PARTNERS = """
An episode with an odd number always has the opposite answer of the one before it, so that both answers are equally
frequent. Of the {evaluated} episodes for evaluation, {known} have this partner in the training split. So no model may
be shown the numbers of episodes, and rows for training should be shuffled.
"""


_NO_BASELINES = (
    "There are none: what answering without looking scores is learnt from one split, and held against the other."
)
_BASELINES = """Always giving the same answer, which is learnt from the training split, scores on the evaluation split:

| task | always | measure | score | rows |
|---|---|---|---:|---:|
{lines}
"""


def card(rows: Mapping[Split, Sequence[AnyRow]], source: str, licence: str) -> str:
    """The text of a data card.

    Args:
        rows: The rows of each split.
        source: Name of the folder that the data set was built from.
        licence: The Hub's name of its licence.
    """
    counts = count_rows(rows)
    tasks = list(dict.fromkeys(count.task for count in counts))
    front = {
        "pretty_name": f"Hidden physical properties ({source})",
        "license": licence,
        "language": ["en"],
        "annotations_creators": ["machine-generated" if is_ours(rows) else "other"],
        "source_datasets": ["original"],
        "size_categories": [size_category(sum(len(found) for found in rows.values()))],
        "task_categories": ["visual-question-answering", "video-text-to-text"],
        "task_ids": ["visual-question-answering"],
        "tags": ["robotics", "video", "physical-reasoning"],
        "configs": [_config(None, counts), *(_config(task, counts) for task in tasks)],
    }
    text = _TEXT.format(
        title=front["pretty_name"],
        description=DESCRIPTION,
        source=source,
        counts="\n".join(
            f"| {count.task} | {count.split} | {count.episodes} | {count.left} | {count.right} | {count.rows} |"
            for count in counts
        ),
        configs=", ".join(f"`{name}`" for name in ("default", *tasks)),
        shift=_shift(rows),
        partners=_partners(rows),
        making=making(rows, source),
        limits="\n".join(f"- {limit}" for limit in limits(rows)),
        baselines=_baselines(rows),
        task=counts[-1].task,
        split=counts[-1].split,
        questions="\n".join(f"- `{task}`: {text}" for task, text in _questions(rows)),
    )
    return f"---\n{yaml.safe_dump(front, sort_keys=False, width=120)}---\n{text}"


def _baselines(rows: Mapping[Split, Sequence[AnyRow]]) -> str:
    lines = [f"| {task} | {answer} | {what} | {value:.3f} | {n} |" for task, answer, what, value, n in baselines(rows)]
    return _BASELINES.format(lines="\n".join(lines)).rstrip() if lines else _NO_BASELINES


def _questions(rows: Mapping[Split, Sequence[AnyRow]]) -> list[tuple[str, str]]:
    """Everything that is asked, in the tasks' own words and in others, by task."""
    asked = dict.fromkeys((row.task, row.question) for found in rows.values() for row in found)
    order = list(TASKS)
    return sorted(asked, key=lambda item: order.index(item[0]))


def _shift(rows: Mapping[Split, Sequence[AnyRow]]) -> str:
    """What must be known of episodes that are for testing only; all are of one shift, or none is."""
    found = {row.shift for of_split in rows.values() for row in of_split if row.shift is not None}
    return "".join(_SHIFT.format(shift=name) for name in sorted(found))


def _partners(rows: Mapping[Split, Sequence[AnyRow]]) -> str:
    """What the numbers of our own episodes say about answers: they were drawn in pairs that differ in the answer."""
    ours = [
        (split, row) for split, found in rows.items() for row in found if isinstance(row, Row) and row.seed is not None
    ]
    splits = {row.cluster: (split, row.answer) for split, row in ours}
    pairs = {cluster: (*cluster[:2], cluster[2] ^ 1) for cluster in splits}
    paired = [(cluster, partner) for cluster, partner in pairs.items() if partner in splits]
    if not paired or any(splits[one][1] == splits[other][1] for one, other in paired):
        return ""
    evaluated = [cluster for cluster, (split, _) in splits.items() if split == "eval"]
    known = sum(splits.get(pairs[cluster], ("",))[0] == "train" for cluster in evaluated)
    return _PARTNERS.format(known=known, evaluated=len(evaluated))


def _config(task: str | None, counts: Sequence[Count]) -> dict[str, Any]:
    """A configuration of one task, or of all.

    The rows of a video folder are the lines of its metadata file, whatever clips are named: a filter selects the task.
    """
    splits = dict.fromkeys(count.split for count in counts if task in (None, count.task))
    config: dict[str, Any] = {
        "config_name": task or "default",
        "data_files": [{"split": split, "path": [f"{split}/{METADATA_FILE}", f"{split}/**/*.mp4"]} for split in splits],
    }
    if task is not None:
        config["filters"] = [["task", "==", task]]
    return config
