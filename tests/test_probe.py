"""What a clip holds, whatever its header says."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from hpvqa.dataset.probe import probe
from hpvqa.errors import RunError
from hpvqa.record.decode import iter_frames
from hpvqa.record.opening import AV_MAJOR
from hpvqa.vlm.frames.clip import Clip
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from tests.clips import Encoding, encode, moving_pictures, packets, with_matrix

COUNT = 12
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


def fragmented(path: Path) -> Path:
    with av.open(str(path), "w", options=FRAGMENTS) as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for picture in moving_pictures(COUNT):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def trimmed(path: Path, start: int) -> Path:
    """A clip whose first frames were cut off without encoding it again: they stay in the file, but are not shown."""
    whole = encode(
        path.with_name("whole.mp4"), moving_pictures(COUNT + start), Encoding(options={"bf": "0", "g": "99"})
    )
    with av.open(str(whole)) as source, av.open(str(path), "w") as container:
        stream = source.streams.video[0]
        copied = container.add_stream_from_template(stream)
        later = int(Fraction(start, 10) / stream.time_base)
        for packet in source.demux(stream):
            if packet.dts is not None and packet.pts is not None:
                packet.stream, packet.pts, packet.dts = copied, packet.pts - later, packet.dts - later
                container.mux(packet)
    return path


def test_frames_are_counted_that_no_header_counts(tmp_path: Path) -> None:
    clips = [
        fragmented(tmp_path / "fragments.mp4"),
        encode(tmp_path / "clip.mkv", moving_pictures(COUNT)),
        trimmed(tmp_path / "trimmed.mp4", 7),
    ]
    for path in clips:
        found = probe(path)
        assert (found.frames, found.width, found.height, found.times) == (COUNT, 64, 48, None), path.name
        assert found.fps == pytest.approx(10), path.name
        assert sum(1 for _ in iter_frames(path)) == COUNT


_NO_INDEX = pytest.mark.skipif(AV_MAJOR < 17, reason="PyAV shows which packets a header lists from 17 on")


@pytest.mark.parametrize("within", [pytest.param(0, marks=_NO_INDEX), 20])
def test_half_a_clip_with_a_whole_header_is_damaged(tmp_path: Path, within: int) -> None:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=10, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for picture in moving_pictures(COUNT):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    assert probe(path).frames == COUNT
    start, _, _ = packets(path)[COUNT // 2]
    path.write_bytes(path.read_bytes()[: start + within])
    with pytest.raises(RunError, match=r"is cut short|cannot be decoded"):
        probe(path)


def test_a_turned_clip_has_the_size_that_is_shown(tmp_path: Path) -> None:
    found = probe(with_matrix(encode(tmp_path / "clip.mp4", moving_pictures(3)), (0, 1, -1, 0)))
    assert (found.width, found.height) == (48, 64)


def test_frames_of_a_varying_rate_are_seen_when_they_are_shown(tmp_path: Path) -> None:
    times = (0, 2, 4, 6, 8, 10, 50, 90, 130, 170, 171, 200)  # hundredths of a second
    path = encode(tmp_path / "clip.mp4", moving_pictures(COUNT), Encoding(options={"bf": "0"}, times=times))
    found = probe(path)
    assert found.times == pytest.approx([time / 100 for time in times])
    assert (found.fps, found.frames) == (60, 121)
    stored = np.stack(list(iter_frames(path)))
    clip = Clip(path, found.fps, found.frames, times=found.times or ())
    for sampling in (FrameSampling(), FrameSampling(sampler="motion", count=6), FrameSampling(count=9)):
        frames = read_clip(clip, sampling.model_copy(update={"resolution": None}))
        for seconds, image in zip(frames.times, frames.images, strict=True):
            on_screen = max(number for number, time in enumerate(times) if time / 100 <= seconds + 1e-3)
            assert (image == stored[on_screen]).all(), (sampling, seconds)
    small = read_clip(clip, FrameSampling(sampler="motion", count=6, resolution=(32, 24)))
    assert len(small.images) == 6


def test_slightly_rounded_times_are_a_constant_rate(tmp_path: Path) -> None:
    times = tuple(round(number * 6.67) for number in range(COUNT))
    found = probe(encode(tmp_path / "clip.mp4", moving_pictures(COUNT), Encoding(options={"bf": "0"}, times=times)))
    assert (found.frames, found.times) == (COUNT, None)
    assert found.fps == pytest.approx(15, rel=0.01)
