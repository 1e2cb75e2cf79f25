"""Rows as torch's data loader wants them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hpvqa.evaluate.select import Item
from hpvqa.evaluate.trials import clip_of
from hpvqa.finetune.examples import Example
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.sampling import FrameSampling


class Examples:
    """Rows with their frames, read when they are asked for: a map-style data set.

    Args:
        items: The rows.
        sampling: Which frames are seen.
        read: Reads the frames of a clip.
    """

    def __init__(
        self, items: Sequence[Item], sampling: FrameSampling, read: Callable[[Clip, FrameSampling], Frames]
    ) -> None:
        self._items = items
        self._sampling = sampling
        self._read = read

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._items)

    def __getitem__(self, number: int) -> Example:
        """Read one row.

        Raises:
            HpvqaError: Its clip does not decode.
        """
        item = self._items[number]
        frames = self._read(clip_of(item, self._sampling), self._sampling)
        return Example(replace(item.query, videos=(frames,)), item.row.answer)
