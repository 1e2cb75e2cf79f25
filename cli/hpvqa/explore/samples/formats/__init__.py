"""The formats, by name; each is one file, and all share the pictures."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hpvqa.errors import UsageError, nearest
from hpvqa.explore.samples.record import Sample, Split, Subset, picture_file

FORMATS: dict[str, str] = {
    "messages": "chat messages with images, as Hugging Face data sets",
    "sharegpt": "ShareGPT and dataset_info.json, for LLaMA-Factory",
    "paper": "the shape of the samples in the paper (arXiv 2510.21111)",
}
"""Name and meaning of every format; each is the function ``write`` of the module of that name."""


@dataclass(frozen=True)
class Written:
    """A format that was written.

    Attributes:
        text: How it is read, for the folder's README.md.
        configs: What Hugging Face's ``datasets`` is told of it.
    """

    text: str
    configs: tuple[dict[str, Any], ...] = ()


Write = Callable[[Path, Iterable[Sample], bool], Written]
"""Writes samples into their folder; is told whether they have pictures."""


def find_format(name: str) -> Write:
    """A format by its name.

    Raises:
        UsageError: There is none.
    """
    if name not in FORMATS:
        raise UsageError(f"There is no format {name!r}; {nearest(name, FORMATS)}")
    found: Write = importlib.import_module(f"{__name__}.{name}").write
    return found


def by_split(samples: Iterable[Sample]) -> dict[Split, list[Sample]]:
    """The samples of each split that has any."""
    found: dict[Split, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.split, []).append(sample)
    return found


def about(sample: Sample) -> dict[str, Any]:
    """What tells a sample from others, for whoever filters or scores; never for a model."""
    names = ("id", "subset", "family", "type", "group", "form", "asks", "way", "step", "answer")
    return {name: getattr(sample, name) for name in names}


def files(sample: Sample) -> list[str]:
    """The pictures of a sample, relative to the folder."""
    return [picture_file(sample.split, name) for name in sample.pictures]


_TEXT = """
# Steps of active visual reasoning

Made by `hpvqa explore build`, in the manner of AVR-152k (arXiv 2510.21111). A sample is one step of a scene: what an
agent was shown so far, what it can choose, a thought, and the best decision. All that thoughts say is exact: each was
read back from its words and compared with the scene.

| split | {subsets} |
|---|{rules}
{counts}

`train` and `eval` differ in groups of scenes, `held_out` in types of layouts as well: train on `train` alone.
{pictures}
{formats}
"""
_PICTURES = """Each picture is there once, in `<split>/pictures/`, under the SHA-256 of its file. Boxes are
`bbox_2d(left,upper,right,lower)`, in widths and heights of the picture, from a segmentation.
"""


def card(counts: Mapping[Split, Mapping[Subset, int]], pictures: bool, written: Sequence[Written]) -> str:
    """The folder's README.md.

    Args:
        counts: Samples of each split and subset.
        pictures: Whether there are pictures.
        written: What was written.
    """
    subsets = list(dict.fromkeys(subset for found in counts.values() for subset in found))
    rows = [[split, *(str(found.get(subset, 0)) for subset in subsets)] for split, found in counts.items()]
    front: dict[str, Any] = {
        "language": ["en"],
        "task_categories": ["visual-question-answering"],
        "tags": ["robotics", "active-perception", "reasoning"],
    }
    configs = [config for one in written for config in one.configs]
    if configs:
        front["configs"] = configs
    text = _TEXT.format(
        subsets=" | ".join(subsets),
        rules="---:|" * len(subsets),
        counts="\n".join(f"| {' | '.join(row)} |" for row in rows),
        pictures=_PICTURES if pictures else "",
        formats="\n".join(one.text for one in written),
    )
    return f"---\n{yaml.safe_dump(front, sort_keys=False, width=120)}---\n{text}"
