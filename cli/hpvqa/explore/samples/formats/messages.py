"""Chat messages with images: JSON lines beside the pictures, as Hugging Face's image folders have them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hpvqa.dataset.export.pictures import write_lines
from hpvqa.dataset.manifest import METADATA_FILE
from hpvqa.explore.samples.formats import Written, about, by_split, files
from hpvqa.explore.samples.record import Sample

_TEXT_FILE = "messages.jsonl"
"""Where there are no pictures, it is no image folder."""
_TEXT = """## Messages

```python
from datasets import load_dataset

rows = load_dataset("path/to/this/folder", split="{split}").filter(lambda row: row["subset"] == "steps")
rows[0]["messages"]{images}
```

`messages` is what a model is told by `hpvqa explore run` with `--scoring generate`, word for word, and the reply.{each}
"""


def write(root: Path, samples: Iterable[Sample], pictures: bool) -> Written:
    """Write a file for each split.

    Raises:
        RunError: The disk does not take it.
    """
    name = METADATA_FILE if pictures else _TEXT_FILE
    splits = by_split(samples)
    for split, found in splits.items():
        (root / split).mkdir(exist_ok=True)
        write_lines(root / split / name, (_line(sample, pictures) for sample in found))
    data = [
        {"split": split, "path": [f"{split}/{name}", *([f"{split}/pictures/*"] if pictures else [])]}
        for split in splits
    ]
    text = _TEXT.format(
        split=next(iter(splits), "train"),
        images=', rows[0]["images"]' if pictures else "",
        each=" A part\nof type `image` stands for each of `images`." if pictures else "",
    )
    return Written(text, ({"config_name": "default", "data_files": data},))


def _line(sample: Sample, pictures: bool) -> dict[str, Any]:
    messages = [
        {"role": "system", "content": [_part("text", sample.system)]},
        {"role": "user", "content": [*(_part("image") for _ in sample.pictures), _part("text", sample.text)]},
        {"role": "assistant", "content": [_part("text", sample.said)]},
    ]
    # Relative to this file.
    names = [name.partition("/")[2] for name in files(sample)]
    return {**({"images_file_names": names} if pictures else {}), "messages": messages, **about(sample)}


def _part(kind: str, text: str | None = None) -> dict[str, str | None]:
    return {"type": kind, "text": text}
