"""Chat messages as Hugging Face data sets have them: frames inside of Parquet files, or clips beside JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from hpvqa.dataset.card import CARD_FILE
from hpvqa.dataset.export.base import Example, Export, Job, about, by_clip
from hpvqa.dataset.export.pictures import chat, place, png, write_lines
from hpvqa.dataset.manifest import METADATA_FILE
from hpvqa.dataset.splits import Split
from hpvqa.files import link_or_copy, write_text

_FILE_BYTES = 400 << 20
"""A Parquet file ends after the row with which it has this many bytes of pictures."""
_GROUP_BYTES = 32 << 20
"""So does a row group: what a reader must hold to see one row."""

_PART = pa.struct([("type", pa.string()), ("text", pa.string())])
_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.list_(_PART))])
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_COLUMNS = {
    "messages": (pa.list_(_MESSAGE), None),
    "images": (pa.list_(_IMAGE), {"feature": {"_type": "Image"}, "_type": "List"}),
    "times": (pa.list_(pa.float64()), None),
    **{name: (pa.string(), None) for name in ("id", "task", "source", "camera", "form", "answer")},
    "episode": (pa.int64(), None),
}

_TEXT = """
# Chat messages

Questions about clips of a robot, with {what}, exported by hpvqa in the form of chat messages.

```python
from datasets import load_dataset

rows = load_dataset("path/to/this/folder", split="{split}")
rows[0]["messages"], rows[0]["{column}"]
```

{how}

Only `messages` and `{column}` are for a model; the other columns describe the episode. Rows with the same `task`,
`source` and `episode` show the same event. Shuffle rows for training.
"""
_FRAMES = """The pictures of a row are those that `hpvqa eval` shows a model, pixel by pixel, in their order;
`times` says when each was recorded [s]. In `messages`, a part of type `image` stands for each. Trainers that take a
column `images` use them as they are: no sampler chooses frames again."""
_CLIPS = """The clips are whole: whoever reads them chooses frames. hpvqa shows a model these ones, unless it is told
otherwise: `{sampling}`. Export with `--media frames` for exactly those pictures."""


def _write(root: Path, job: Job) -> list[str]:
    splits = job.by_split()
    job.reporter.start("export", "clips", sum(len(by_clip(examples)) for examples in splits.values()))
    for split, examples in splits.items():
        if job.media == "clips":
            _write_clips(root, split, examples, job)
        else:
            _write_frames(root, split, examples, job)
    job.reporter.done()
    write_text(root / CARD_FILE, _card(job, list(splits)))
    return []


def _write_clips(root: Path, split: Split, examples: list[Example], job: Job) -> None:
    lines = []
    for views in by_clip(examples):
        name = f"{place(views[0])}.mp4"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(views[0].clip.resolve(strict=True), root / name)
        for example in views:
            own = {"file_name": name.removeprefix(f"{split}/"), "messages": _messages(example, ["video"])}
            lines.append({**own, **about(example)})
        job.reporter.item(name)
    write_lines(root / split / METADATA_FILE, lines)


def _write_frames(root: Path, split: Split, examples: list[Example], job: Job) -> None:
    (root / "data").mkdir(exist_ok=True)
    files = 0
    groups = _groups(examples, job)
    group = next(groups, None)
    while group is not None:
        path = root / "data" / f"{split}-{files:05d}.parquet"
        size = 0
        with pq.ParquetWriter(path, _schema(), compression="zstd") as file:
            while group is not None and size < _FILE_BYTES:
                # Pictures are compressed already; a page must not hold more than a group.
                file.write_table(pa.Table.from_pylist(group, schema=_schema()))
                size += sum(len(image["bytes"]) for row in group for image in row["images"])
                group = next(groups, None)
        files += 1


def _groups(examples: list[Example], job: Job) -> Iterator[list[dict[str, Any]]]:
    """The rows, as many at a time as make a row group."""
    group: list[dict[str, Any]] = []
    size = 0
    clips = by_clip(examples)
    for views, seen in zip(clips, job.look(views[0] for views in clips), strict=True):
        images = [{"bytes": png(image), "path": None} for image in seen.images]
        for example in views:
            messages = _messages(example, ["image"] * len(images))
            group.append({"messages": messages, "images": images, "times": list(seen.times), **about(example)})
            size += sum(len(image["bytes"] or b"") for image in images)
            if size >= _GROUP_BYTES:
                yield group
                group, size = [], 0
        job.reporter.item(str(place(views[0])))
    if group:
        yield group


def _messages(example: Example, media: list[str]) -> list[dict[str, Any]]:
    """Messages whose content is a list of parts; what is looked at comes before what is asked."""
    told = [{**message, "content": [_text(message["content"])]} for message in chat(example)]
    return [
        {**message, "content": [*({"type": kind, "text": None} for kind in media), *message["content"]]}
        if message["role"] == "user"
        else message
        for message in told
    ]


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def _schema() -> Any:
    """Columns with what `datasets` needs to know of them: pictures are decoded as they are read."""
    fields = [pa.field(name, kind) for name, (kind, _) in _COLUMNS.items()]
    features = {name: feature or _feature(kind) for name, (kind, feature) in _COLUMNS.items()}
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _feature(kind: Any) -> Any:
    """The name that `datasets` has for a type of Arrow."""
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind)), "_type": "Value"}


def _card(job: Job, splits: list[Split]) -> str:
    frames = job.media == "frames"
    files = {
        split: f"data/{split}-*.parquet" if frames else [f"{split}/{METADATA_FILE}", f"{split}/**/*.mp4"]
        for split in splits
    }
    front = {
        "language": ["en"],
        "task_categories": ["visual-question-answering"],
        "tags": ["robotics", "video", "physical-reasoning"],
        "configs": [
            {"config_name": "default", "data_files": [{"split": split, "path": path} for split, path in files.items()]}
        ],
    }
    text = _TEXT.format(
        what="the frames that a model is shown" if frames else "whole clips",
        split=splits[-1],
        column="images" if frames else "video",
        how=_FRAMES if frames else _CLIPS.format(sampling=json.dumps(dict(job.sampling))),
    )
    return f"---\n{yaml.safe_dump(front, sort_keys=False, width=120)}---\n{text}"


EXPORT = Export(_write, frozenset({"media", "frames"}))
