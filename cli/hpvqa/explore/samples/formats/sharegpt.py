"""ShareGPT conversations, with the file that tells LLaMA-Factory of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hpvqa.dataset.export.llamafactory import INFO_FILE
from hpvqa.dataset.export.pictures import write_lines
from hpvqa.explore.samples.formats import Written, about, by_split, files
from hpvqa.explore.samples.record import SUBSETS, Sample
from hpvqa.files import write_json

_TAG = "<image>"
_TEXT = """## ShareGPT

`{info}` lists a data set for each split and subset. In the file of a training for LLaMA-Factory:

```yaml
dataset_dir: path/to/this/folder
dataset: {name}
```

Paths of pictures are relative to this folder.
"""


def write(root: Path, samples: Iterable[Sample], pictures: bool) -> Written:
    """Write a file for each split and subset, and ``dataset_info.json``.

    Raises:
        RunError: The disk does not take it.
    """
    info = {}
    for split, found in by_split(samples).items():
        for subset in SUBSETS:
            some = [sample for sample in found if sample.subset == subset]
            if not some:
                continue
            name = f"sharegpt-{subset}-{split}.jsonl"
            write_lines(root / name, ({**_line(sample), **about(sample)} for sample in some))
            columns = {"messages": "conversations", "system": "system", **({"images": "images"} if pictures else {})}
            info[f"explore_{subset}_{split}"] = {"file_name": name, "formatting": "sharegpt", "columns": columns}
    write_json(root / INFO_FILE, info)
    return Written(_TEXT.format(info=INFO_FILE, name=next(iter(info), "explore_steps_train")))


def _line(sample: Sample) -> dict[str, object]:
    tags = f"{_TAG}\n" * len(sample.pictures)
    conversations = [{"from": "human", "value": tags + sample.text}, {"from": "gpt", "value": sample.said}]
    return {"conversations": conversations, "system": sample.system, "images": files(sample)}
