"""Decodes the frames that a list names, with one reader, in one thread; says as JSON what it took and what it saw.

``python decoding.py READER LIST``: runs in an environment of the reader's, without hpvqa unless that is the reader.
LIST is JSON: pairs of a clip and the numbers of frames. Every clip is read three times; the shortest counts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

ROUNDS = 3
Read = Callable[[str, list[int]], Any]
"""Gives frames of a clip, RGB, shape (n, height, width, 3)."""


def hpvqa() -> tuple[Read, str]:
    from hpvqa.record.decode import read_frames

    return lambda clip, numbers: read_frames(Path(clip), numbers), version("av")


def pyav() -> tuple[Read, str]:
    import av

    def read(clip: str, numbers: list[int]) -> Any:
        wanted, found = set(numbers), []
        with av.open(clip) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number in wanted:
                    found.append(frame.to_ndarray(format="rgb24"))
                if number == numbers[-1]:
                    break
        return np.stack(found)

    return read, version("av")


def torchcodec() -> tuple[Read, str]:
    import torch
    from torchcodec.decoders import VideoDecoder

    torch.set_num_threads(1)

    def read(clip: str, numbers: list[int]) -> Any:
        decoder = VideoDecoder(clip, num_ffmpeg_threads=1, dimension_order="NHWC")
        return decoder.get_frames_at(numbers).data.numpy()

    return read, version("torchcodec")


def decord2() -> tuple[Read, str]:
    from decord import VideoReader, cpu

    def read(clip: str, numbers: list[int]) -> Any:
        return VideoReader(clip, ctx=cpu(0), num_threads=1).get_batch(numbers).asnumpy()

    return read, version("decord2")


def opencv() -> tuple[Read, str]:
    import os

    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;1"
    import cv2

    cv2.setNumThreads(1)

    def read(clip: str, numbers: list[int]) -> Any:
        capture, wanted, found = cv2.VideoCapture(clip), set(numbers), []
        for number in range(numbers[-1] + 1):
            capture.grab()
            if number in wanted:
                found.append(cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB))
        return np.stack(found)

    return read, version("opencv-python-headless")


def main(name: str, path: str) -> None:
    read, of = globals()[name]()
    clips = json.loads(Path(path).read_text())
    read(*clips[0])
    seconds, pixels = [], 0
    for clip, numbers in clips:
        taken = []
        for _ in range(ROUNDS):
            begin = time.process_time()
            images = read(clip, numbers)
            taken.append(time.process_time() - begin)
        seconds.append(min(taken))
        pixels += int(np.asarray(images, np.int64).sum())
    print(json.dumps({"version": of, "ms_a_clip": 1000 * sum(seconds) / len(seconds), "pixels": pixels}))


if __name__ == "__main__":
    main(*sys.argv[1:])
