"""Encoding many clips at a time beside the simulation, with little memory: threads with short queues."""

from __future__ import annotations

import threading
from queue import Queue
from types import TracebackType
from typing import Any

from numpy.typing import NDArray

from hpvqa.record.video import FrameWriter

DEPTH = 8
"""Frames that wait for one thread; when they are as many, whoever brings the next one waits too."""

_Work = tuple[FrameWriter, NDArray[Any]]


class EncoderPool:
    """Threads that encode frames. All frames of a clip go to the same thread, so they stay in order.

    The encoder lets other threads run meanwhile, so as many threads as there are cores are of use.

    Args:
        threads: How many.
        depth: How many frames may wait for each.
    """

    def __init__(self, threads: int, depth: int = DEPTH) -> None:
        self._queues: list[Queue[_Work | None]] = [Queue(depth) for _ in range(threads)]
        self._error: BaseException | None = None
        self._places: dict[int, int] = {}
        self._threads = [
            threading.Thread(target=self._encode, args=(queue,), name=f"encoder-{number}", daemon=True)
            for number, queue in enumerate(self._queues)
        ]
        for thread in self._threads:
            thread.start()

    def write(self, clip: FrameWriter, image: NDArray[Any]) -> None:
        """Append a frame to a clip, as soon as its thread gets to it; waits while the thread is behind.

        Args:
            clip: The clip, or a layer.
            image: What the clip is written of, contiguous; nobody may change it afterwards.

        Raises:
            OSError: An earlier frame could not be written, such as on a full disk.
        """
        self._raise()
        place = self._places.setdefault(id(clip), len(self._places) % len(self._queues))
        self._queues[place].put((clip, image))

    def waiting(self) -> int:
        """How many frames wait."""
        return sum(queue.qsize() for queue in self._queues)

    def close(self) -> None:
        """Wait until all frames are written, and end the threads; the clips may be closed then.

        Raises:
            OSError: A frame could not be written.
        """
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()
        self._raise()

    def __enter__(self) -> EncoderPool:
        """Return the pool."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait, and end the threads."""
        self.close()

    def _encode(self, queue: Queue[Any]) -> None:
        while (work := queue.get()) is not None:
            clip, image = work
            try:
                # After an error the rest is thrown away: the episodes are lost, and nobody must wait for ever.
                if self._error is None:
                    clip.write(image)
            except BaseException as error:
                self._error = error

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error
