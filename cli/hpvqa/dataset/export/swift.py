"""JSON lines for ms-swift, for supervised training and, with their column ``solution``, for GRPO."""

from __future__ import annotations

import json
from pathlib import Path

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
from hpvqa.files import write_text

_TOKEN = 28
"""Width and height of what a vision tower of the Qwen family makes one token of, in its finest version [pixels]."""

_TEXT = """# For ms-swift

Each line of {files} is an example: `messages` with one `<video>` tag, `videos`, and
`solution`, the bare answer, for reward functions of GRPO. Paths are relative to this folder: start there.

```
cd path/to/this/folder
{command}
```

{how}

Each line also says which episode it is about (`task`, `source`, `episode`, `camera`); ms-swift shows these to no model.
Lines with the same `task`, `source` and `episode` show the same event.
"""
_FRAMES = """A video is a list of pictures, those that `hpvqa eval` shows a model: no sampler chooses frames again.
The models of the Qwen-VL family take such lists. `FPS` says how far apart they are. Without the other two variables
pictures of this size would be made larger or smaller. qwen-vl-utils 0.0.14 rounds the sides of such pictures to
multiples of 64 for Qwen3-VL, and of 56 for Qwen2.5-VL: export with such a `--resolution`, for 224x224 reaches Qwen3-VL
as 256x256.
A video of an odd number of pictures has its last one repeated."""
_CLIPS = """The clips are whole, and ms-swift chooses frames: {fps:g} a second with the line above, which are not always
the very frames of `hpvqa eval` (`{sampling}`). Export with `--media frames` for those."""


def _write(root: Path, job: Job) -> list[str]:
    videos, rates = write_videos(root, job)
    splits = job.by_split()
    for split, examples in splits.items():
        write_lines(
            root / f"{split}.jsonl",
            (
                {
                    "messages": chat(example, TAG),
                    "videos": [videos[example.clip]],
                    "solution": example.row.answer,
                    **about(example),
                }
                for example in examples
            ),
        )
    frames = job.media == "frames"
    rate = common_rate(rates, job.fps) if frames else job.fps
    settings = [f"FPS={rate or job.fps:g}"]
    if frames:
        settings += ["VIDEO_MIN_TOKEN_NUM=4", f"VIDEO_MAX_TOKEN_NUM={-(-most_pixels(job) // _TOKEN**2)}"]
    known = "--dataset train.jsonl" if "train" in splits else "--dataset eval.jsonl"
    text = _TEXT.format(
        files=" and ".join(f"`{split}.jsonl`" for split in splits),
        command=f"{' '.join(settings)} \\\n  swift sft --model Qwen/Qwen3-VL-8B-Instruct {known}",
        how=_FRAMES if frames else _CLIPS.format(fps=job.fps, sampling=json.dumps(dict(job.sampling))),
    )
    write_text(root / CARD_FILE, text)
    return uneven_note(rate)


EXPORT = Export(_write, frozenset({"media", "frames"}))
