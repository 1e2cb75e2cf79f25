"""The shape of the paper's samples: ``question_type``, ``image``, ``conversations``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hpvqa.explore.samples.formats import Written, by_split, files
from hpvqa.explore.samples.record import SUBSETS, Sample
from hpvqa.files import write_json

_TEXT = """## The paper's shape

`paper-<subset>-<split>.json` are lists of samples as the paper's Figure A-12 shows one: `IMAGE0`, `IMAGE1`, ... stand
for the files in `image`, and the reply is `<think>...</think>` and `<answer>`. There is no system message: what we tell
in one stands before the question.
"""


def write(root: Path, samples: Iterable[Sample], pictures: bool) -> Written:
    """Write a file for each split and subset.

    Raises:
        RunError: The disk does not take it.
    """
    for split, found in by_split(samples).items():
        for subset in SUBSETS:
            some = [_entry(sample) for sample in found if sample.subset == subset]
            if some:
                write_json(root / f"paper-{subset}-{split}.json", some)
    return Written(_TEXT)


def _entry(sample: Sample) -> dict[str, Any]:
    tags = "".join(f"IMAGE{number}\n" for number in range(len(sample.pictures)))
    # The only reply that is more than words; the paper has each part in a line of its own.
    reply = f"<think>{sample.thought}</think>\n<answer>\n{sample.answer}\n</answer>"
    return {
        "question_type": sample.form if sample.subset == "steps" else sample.asks or sample.subset,
        "image": files(sample),
        "conversations": [
            {"from": "human", "value": f"{sample.system}\n{tags}{sample.text}"},
            {"from": "gpt", "value": reply if sample.subset == "steps" else sample.answer},
        ],
    }
