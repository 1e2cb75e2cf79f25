"""Rows as torch's data loader wants them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hpvqa.dataset.rows import Row
from hpvqa.evaluate.conditions import mirrored
from hpvqa.evaluate.select import Item
from hpvqa.evaluate.trials import clip_of
from hpvqa.finetune.ahead import Wanted
from hpvqa.finetune.examples import Example
from hpvqa.scene.spec import other_side
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.sampling import FrameSampling


class Examples:
    """Rows with their frames, read when they are asked for: a map-style data set.

    Args:
        items: The rows.
        sampling: Which frames are seen.
        read: Reads the frames of a clip.
        mirror: Whether every row that compares is there a second time, with its frames flipped and the other answer;
            these rows follow the others.
    """

    def __init__(
        self,
        items: Sequence[Item],
        sampling: FrameSampling,
        read: Callable[[Clip, FrameSampling], Frames],
        *,
        mirror: bool = False,
    ) -> None:
        self._items = items
        self._sampling = sampling
        self._read = read
        self._mirrored = [item for item in items if isinstance(item.row, Row)] if mirror else []

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._items) + len(self._mirrored)

    @property
    def clips(self) -> tuple[Wanted, ...]:
        """What is read of which clips, each once."""
        return tuple((clip, self._sampling) for clip in dict.fromkeys(map(self._clip, self._items)))

    def __getitem__(self, number: int) -> Example:
        """Read one row.

        Raises:
            HpvqaError: Its clip does not decode.
        """
        behind = number - len(self._items)
        item = self._mirrored[behind] if behind >= 0 else self._items[number]
        frames = self._read(self._clip(item), self._sampling)
        query = replace(item.query, videos=(frames,))
        if behind >= 0 and isinstance(item.row, Row):
            return Example(mirrored(query), other_side(item.row.answer))
        return Example(query, item.row.answer)

    def _clip(self, item: Item) -> Clip:
        return clip_of(item, self._sampling)
