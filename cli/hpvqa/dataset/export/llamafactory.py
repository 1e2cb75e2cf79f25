"""ShareGPT conversations and ``dataset_info.json``, for LLaMA-Factory."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from hpvqa.dataset.card import CARD_FILE
from hpvqa.dataset.export.base import Export, Job, about
from hpvqa.dataset.export.pictures import (
    TAG,
    chat,
    common_rate,
    most_pixels,
    uneven_note,
    write_lines,
    write_videos,
)
from hpvqa.files import write_json, write_text

INFO_FILE = "dataset_info.json"
_USUAL_PIXELS = 256 * 256
"""Pictures of up to so many pixels are left as they are, unless LLaMA-Factory is told another limit."""

_TEXT = """# For LLaMA-Factory

`{info}` lists the data sets {names}. In the file of a training:

```yaml
dataset_dir: path/to/this/folder
{settings}```

{how}

Lines with the same `task`, `source` and `episode` show the same event.
"""
_FRAMES = """A video is a list of pictures, those that `hpvqa eval` shows a model: no sampler chooses frames again.
`video_fps` says how far apart they are, and up to `video_max_pixels` none is made smaller."""
_CLIPS = """The clips are whole, and LLaMA-Factory chooses frames: with these settings {fps:g} a second, spread evenly
from the first to the last, which are not the very frames of `hpvqa eval` (`{sampling}`). Export with
`--media frames` for those."""


def _write(root: Path, job: Job) -> list[str]:
    videos, rates = write_videos(root, job)
    info = {}
    for split, examples in job.by_split().items():
        name = f"{split}.jsonl"
        write_lines(
            root / name,
            (
                {"messages": chat(example, TAG), "videos": [videos[example.clip]], **about(example)}
                for example in examples
            ),
        )
        info[f"hpvqa_{split}"] = {
            "file_name": name,
            "formatting": "sharegpt",
            "columns": {"messages": "messages", "videos": "videos"},
            "tags": {
                "role_tag": "role",
                "content_tag": "content",
                "user_tag": "user",
                "assistant_tag": "assistant",
                "system_tag": "system",
            },
        }
    write_json(root / INFO_FILE, info)
    frames = job.media == "frames"
    rate = common_rate(rates, job.fps) if frames else job.fps
    settings = {
        "dataset": next(iter(info)),
        "video_fps": rate or job.fps,
        "video_max_pixels": max(most_pixels(job), _USUAL_PIXELS),
    }
    text = _TEXT.format(
        info=INFO_FILE,
        names=" and ".join(f"`{name}`" for name in info),
        settings=yaml.safe_dump(settings, sort_keys=False),
        how=_FRAMES if frames else _CLIPS.format(fps=job.fps, sampling=json.dumps(dict(job.sampling))),
    )
    write_text(root / CARD_FILE, text)
    return uneven_note(rate)


EXPORT = Export(_write, frozenset({"media", "frames"}))
