"""The data card, ``README.md``: for people, and in its front matter for ``datasets.load_dataset``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from hpvqa.dataset.rows import Row
from hpvqa.dataset.splits import Split
from hpvqa.scene.spec import SIDES
from hpvqa.tasks import TASKS

CARD_FILE = "README.md"
METADATA_FILE = "metadata.jsonl"

_TEXT = """
# {title}

Clips of a robot that acts on two objects which look alike and differ in one hidden physical property. The question is
which of them has more of it. Left and right are the robot's. Built from `{source}` with hpvqa.

| task | split | episodes | rows | left | right |
|---|---|---:|---:|---:|---:|
{counts}

Rows of one episode show the same event from several cameras: they are not independent. Splits are by episode.

```python
from datasets import Video, load_dataset

rows = load_dataset("path/to/this/folder", "{example}", split="{split}").cast_column("video", Video(decode=False))
```

Configurations: {configs}. Every row of a split is a line of its `metadata.jsonl`; only the clip and the `question` are
for a model, all other columns describe the episode. The folder of a clip also holds what else was recorded of it.
`manifest.json` lists the SHA-256 of every file; `hpvqa verify` checks them.

Questions:

{questions}
"""


def card(rows: Mapping[Split, Sequence[Row]], source: str) -> str:
    """The text of a data card.

    Args:
        rows: The rows of each split.
        source: Name of the folder that the data set was built from.
    """
    present = {split: found for split, found in rows.items() if found}
    tasks = [task for task in TASKS if any(row.task == task for found in present.values() for row in found)]
    front = {
        "pretty_name": f"Hidden physical properties ({source})",
        "language": ["en"],
        "task_categories": ["visual-question-answering"],
        "tags": ["robotics", "video", "physical-reasoning"],
        "configs": [_config(None, present), *(_config(task, present) for task in tasks)],
    }
    text = _TEXT.format(
        title=front["pretty_name"],
        source=source,
        counts="\n".join(_count(task, split, present[split]) for task in tasks for split in present),
        configs=", ".join(f"`{name}`" for name in ("default", *tasks)),
        example=tasks[0],
        split=list(present)[-1],
        questions="\n".join(f"- `{task}`: {TASKS[task].question}" for task in tasks),
    )
    return f"---\n{yaml.safe_dump(front, sort_keys=False, width=120)}---\n{text}"


def _config(task: str | None, rows: Mapping[Split, Sequence[Row]]) -> dict[str, Any]:
    """A configuration of one task, or of all.

    The rows of a video folder are the lines of its metadata file, whatever clips are named: a filter selects the task.
    """
    splits = [split for split, found in rows.items() if task is None or any(row.task == task for row in found)]
    paths = {split: [f"{split}/{METADATA_FILE}", f"{split}/**/*.mp4"] for split in splits}
    config: dict[str, Any] = {
        "config_name": task or "default",
        "data_files": [{"split": split, "path": path} for split, path in paths.items()],
    }
    if task is not None:
        config["filters"] = [["task", "==", task]]
    return config


def _count(task: str, split: Split, rows: Sequence[Row]) -> str:
    found = [row for row in rows if row.task == task]
    sides = Counter(row.answer for row in found)
    cells = [task, split, len({row.cluster for row in found}), len(found), *(sides[side] for side in SIDES)]
    return f"| {' | '.join(map(str, cells))} |"
