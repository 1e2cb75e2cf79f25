"""Reading a folder of samples to train on them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hpvqa.dataset.card import CARD_FILE
from hpvqa.errors import UsageError
from hpvqa.explore.agents.words import HASH
from hpvqa.explore.samples.folder import PARTS, Samples, read_part, read_settings, usable
from hpvqa.explore.samples.record import Sample, Split, Subset, picture_file
from hpvqa.explore.scene import SCENE_VERSION
from hpvqa.files import read_bytes

_LARGEST = 4096
"""Most pixels of a side of a picture: each takes three bytes of memory."""


@dataclass(frozen=True)
class SampleFolder:
    """A whole folder of samples.

    Attributes:
        root: Where it is.
        settings: What it says of itself.
    """

    root: Path
    settings: Samples

    def load(self, split: Split, subsets: Collection[Subset]) -> tuple[list[Sample], list[str]]:
        """The samples of a split that can be used, and what was left out, and why.

        Args:
            split: The split.
            subsets: Which subsets of it.

        Raises:
            UsageError: A file is damaged.
        """
        samples, left_out = list[Sample](), list[str]()
        for path in sorted((self.root / PARTS).glob("*.jsonl.gz")):
            for number, line in enumerate(read_part(path)[1], 1):
                found = usable(line, self.root, f"sample {number} of {path.name}")
                if not isinstance(found, Sample):
                    left_out.append(found)
                elif found.split == split and found.subset in subsets:
                    samples.append(found)
        return samples, left_out

    def pictures(self, sample: Sample) -> list[NDArray[np.uint8]]:
        """The pictures of a sample, RGB, each of shape (height, width, 3).

        Raises:
            UsageError: One is missing or damaged.
        """
        return [_picture(self.root / picture_file(sample.split, name), name) for name in sample.pictures]


def open_samples(root: Path) -> SampleFolder:
    """A folder that `hpvqa explore build` has written to its end.

    Raises:
        UsageError: It is none, its build did not come to its end, or it is of other scenes or other words than this
            version has.
    """
    settings = read_settings(root)
    if not (root / CARD_FILE).is_file():
        raise UsageError(f"{root} is not built to its end; run `hpvqa explore build` again to go on")
    anew = "build samples anew with `hpvqa explore build`"
    if settings.world_version != SCENE_VERSION:
        raise UsageError(
            f"{root} holds samples of scenes of version {settings.world_version}, and agents play those of version "
            f"{SCENE_VERSION}; {anew}"
        )
    if settings.words != HASH:
        raise UsageError(f"{root} asks in other words than agents are asked in by this version of hpvqa; {anew}")
    return SampleFolder(root, settings)


def _picture(path: Path, name: str) -> NDArray[np.uint8]:
    try:
        data = read_bytes(path)
    except OSError as error:
        raise UsageError(f"The picture {path} cannot be read ({error.strerror}); build the samples anew") from None
    # It is called what its bytes are.
    if hashlib.sha256(data).hexdigest() != name.removesuffix(".jpg"):
        raise UsageError(f"The picture {path} is damaged; build the samples anew")
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
            if max(picture.size) > _LARGEST:
                raise ValueError(f"it is {picture.size[0]} by {picture.size[1]} pixels")
            return np.asarray(picture.convert("RGB"))
    # Pillow takes a file that is no picture for bad syntax, too.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UsageError(f"The picture {path} cannot be used ({error}); build the samples anew") from None
