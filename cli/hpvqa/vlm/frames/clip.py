"""A clip on disk, and the frames of it that a model sees."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 0.01
"""A frame that comes this much later counts as shown [frames]: times are rounded."""


@dataclass(frozen=True)
class Clip:
    """A video file, and what its data set says of it.

    Attributes:
        path: The file.
        fps: Its frame rate [1/s].
        frames: How many frames it has.
        moments: When its recorded events happened [s]; only the privileged sampler looks at them.
        times: When each stored frame is shown [s], of a clip whose frame rate varies: at ``fps``, a frame stays until
            the next one. Empty if the rate is constant.
    """

    path: Path
    fps: float
    frames: int
    moments: tuple[float, ...] = ()
    times: tuple[float, ...] = ()

    def stored(self, index: int) -> int:
        """The number in the file of the frame that is shown at ``index / fps``."""
        if not self.times:
            return index
        return max(bisect_right(self.times, (index + _ROUNDING) / self.fps) - 1, 0)


@dataclass(frozen=True)
class Frames:
    """Some frames of one clip, in the order in which a model sees them.

    Attributes:
        images: RGB, shape (n, height, width, 3).
        indices: The number of each frame in its clip, ascending, shape (n,). They say *when* a model is told that a
            frame was seen; a condition may put other pictures there.
        fps: Frame rate of the clip [1/s].
        total: Number of frames of the clip.
    """

    images: NDArray[np.uint8]
    indices: tuple[int, ...]
    fps: float
    total: int

    @property
    def times(self) -> tuple[float, ...]:
        """When each frame was seen [s]."""
        return tuple(index / self.fps for index in self.indices)

    @property
    def rate(self) -> float | None:
        """Frames a second [1/s] if they are evenly spaced to within half a frame of the clip; None if they are not."""
        n = len(self.indices)
        if n < 2:
            return self.fps
        step = (self.indices[-1] - self.indices[0]) / (n - 1)
        first = self.indices[0]
        even = step > 0 and all(abs(index - first - i * step) <= 0.5 for i, index in enumerate(self.indices))
        return self.fps / step if even else None
