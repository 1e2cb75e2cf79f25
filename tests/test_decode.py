import tempfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from hpvqa.dataset.probe import probe
from hpvqa.errors import RunError
from hpvqa.record import decode
from hpvqa.record.decode import FrameFormat, iter_formats, iter_frames, read_frames
from hpvqa.record.groups import read_by_groups
from hpvqa.record.opening import AV_MAJOR
from hpvqa.record.video import ClipWriter
from tests.clips import Encoding, damage, encode, moving_pictures, packets

COUNT = 34
PLAIN = {"bf": "0", "preset": "superfast"}
ENCODINGS = {
    "ours": Encoding(options=PLAIN),
    "several references": Encoding(options={"bf": "0", "preset": "slow", "refs": "4"}),
    "yuv444": Encoding(options=PLAIN, pixels="yuv444p"),
    "odd size": Encoding(options=PLAIN, pixels="yuv444p", size=(63, 47)),
    "grey": Encoding(options=PLAIN, pixels="gray"),
    "lossless rgb": Encoding(options={**PLAIN, "qp": "0"}, codec="libx264rgb", pixels="rgb24"),
    "uneven times": Encoding(options=PLAIN, times=tuple(7 * n + n * n for n in range(COUNT))),
    "late start": Encoding(options=PLAIN, times=tuple(500 + 10 * n for n in range(COUNT))),
    "one group": Encoding(options={**PLAIN, "g": "250"}),
    "only keyframes": Encoding(options={**PLAIN, "g": "1"}),
    "slices and fields": Encoding(options={**PLAIN, "x264-params": "slices=3:tff=1"}, size=(64, 64)),
    "no refresh": Encoding(options={**PLAIN, "x264-params": "intra-refresh=1"}),
    "open groups": Encoding(options={"bf": "0", "x264-params": "open-gop=1"}),
    "B-frames": Encoding(options={"bf": "3", "b_strategy": "0"}),
    "B-frames in open groups": Encoding(options={"bf": "3", "b_strategy": "0", "x264-params": "open-gop=1"}),
    "headers in the stream": Encoding(options={**PLAIN, "x264-params": "repeat-headers=1"}),
    "transport stream": Encoding(suffix=".ts", options=PLAIN),
    "matroska": Encoding(suffix=".mkv", options=PLAIN),
    "another codec": Encoding(codec="mpeg4"),
    "another codec with B-frames": Encoding(codec="mpeg4", options={"bf": "2"}),
}
SKIPPING = {"ours", "several references", "yuv444", "odd size", "grey", "lossless rgb", "uneven times", "no refresh"}
IN_ORDER = {"B-frames", "B-frames in open groups", "transport stream", "another codec"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, NDArray[np.uint8]]]:
    """Each clip with its frames as the library decodes them when nobody tells it what to leave out."""
    made = {}
    for name, encoding in ENCODINGS.items():
        path = tmp_path_factory.mktemp("clips") / f"clip{encoding.suffix}"
        encode(path, moving_pictures(COUNT, encoding.size), encoding)
        with av.open(str(path)) as container:
            made[name] = path, np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    return made


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    with ClipWriter(path, 10, 64, 48) as writer:
        for picture in moving_pictures(COUNT):
            writer.write(picture)
    return path


def by_groups(path: Path, wanted: set[int]) -> dict[int, NDArray[np.uint8]] | None:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return read_by_groups(container, stream, frozenset(wanted), lambda frame: frame.to_ndarray(format="rgb24"))


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.slow
def test_some_frames_are_the_same_as_among_all(clips: dict[str, tuple[Path, NDArray[np.uint8]]], name: str) -> None:
    if "fields" in name and AV_MAJOR < 17:
        pytest.skip("PyAV's own conversion, which is compared with here, takes fields for whole pictures below 17")
    path, everything = clips[name]
    assert len(everything) == COUNT
    assert (np.stack(list(iter_frames(path))) == everything).all()

    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.integers(0, COUNT - 1), min_size=1, max_size=12))
    def check(indices: list[int]) -> None:
        assert (read_frames(path, indices) == everything[indices]).all()

    check()


@pytest.mark.parametrize("name", sorted(SKIPPING))
@pytest.mark.slow
def test_clips_like_ours_are_read_by_groups(clips: dict[str, tuple[Path, NDArray[np.uint8]]], name: str) -> None:
    path, everything = clips[name]
    found = by_groups(path, {3, 15, 33})
    assert found is not None
    assert all((found[number] == everything[number]).all() for number in (3, 15, 33))


@pytest.mark.parametrize("name", sorted(IN_ORDER))
def test_other_clips_are_decoded_in_order(clips: dict[str, tuple[Path, NDArray[np.uint8]]], name: str) -> None:
    assert by_groups(clips[name][0], {3, 15, 33}) is None


def test_an_order_that_no_header_announces_is_noticed(clips: dict[str, tuple[Path, NDArray[np.uint8]]]) -> None:
    class Silent:
        has_b_frames = False

        def __init__(self, context: av.VideoCodecContext) -> None:
            self._context = context

        def __getattr__(self, name: str) -> object:
            return getattr(self._context, name)

    with av.open(str(clips["B-frames"][0])) as container:
        stream = container.streams.video[0]
        opened = SimpleNamespace(demux=lambda _: container.demux(stream))
        told = SimpleNamespace(codec_context=Silent(stream.codec_context))
        assert read_by_groups(opened, told, frozenset({1, 4}), lambda frame: frame.to_ndarray()) is None


def test_what_no_wanted_frame_needs_is_not_decoded(ours: Path) -> None:
    wanted = [2, 3, 14, 30]
    keyframes = [number for number, (_, _, is_keyframe) in enumerate(packets(ours)) if is_keyframe]
    assert keyframes == [0, 10, 20, 30]
    good = read_frames(ours, wanted)
    before = read_frames(ours, [6])
    damage(ours, [*range(4, 10), *range(15, 30), 31, 32, 33])
    assert (read_frames(ours, wanted) == good).all()
    # A frame that needs a damaged one shows it, or is not given at all.
    with suppress(RunError):
        assert (read_frames(ours, [6]) != before).any()


def test_only_wanted_frames_are_developed(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    develop = decode._Developer.__call__

    def counted(self: decode._Developer, frame: av.VideoFrame) -> NDArray[np.uint8]:
        calls.append(frame.pts)
        return develop(self, frame)

    monkeypatch.setattr(decode._Developer, "__call__", counted)
    read_frames(ours, [5, 25, 5])
    assert len(calls) == 2


@pytest.mark.parametrize("size", [(32, 20), (21, 17)])
def test_squeezing_averages_what_a_pixel_covers(ours: Path, size: tuple[int, int]) -> None:
    squeezed = read_frames(ours, [0, 21], size)
    assert squeezed.shape == (2, size[1], size[0], 3)
    for got, full in zip(squeezed, read_frames(ours, [0, 21]), strict=True):
        average, nearest = (
            np.asarray(Image.fromarray(full).resize(size, how), float)
            for how in (Image.Resampling.BOX, Image.Resampling.NEAREST)
        )
        assert np.abs(got - average).mean() < 0.65 * np.abs(nearest - average).mean()
        assert got.mean(axis=(0, 1)) == pytest.approx(full.mean(axis=(0, 1)), abs=2)


def test_small_pictures_can_be_enlarged(ours: Path) -> None:
    large, full = read_frames(ours, [5], (100, 90))[0], read_frames(ours, [5])[0]
    assert large.shape == (90, 100, 3)
    assert large.mean(axis=(0, 1)) == pytest.approx(full.mean(axis=(0, 1)), abs=2)


def test_squeezing_is_the_same_whichever_way_a_clip_is_read(
    clips: dict[str, tuple[Path, NDArray[np.uint8]]],
) -> None:
    for name in ("ours", "B-frames"):
        path, _ = clips[name]
        looks = [look for (look,) in iter_formats(path, [FrameFormat("rgb24", (20, 30))])]
        assert (read_frames(path, [30, 11], (20, 30)) == np.stack([looks[30], looks[11]])).all()


@pytest.mark.parametrize(
    ("pixel", "size"),
    [(Fraction(4, 3), (85, 48)), (Fraction(1, 2), (64, 96)), (Fraction(1, 1), (64, 48)), (Fraction(9, 1), (64, 48))],
)
def test_pixels_that_are_not_square_are_shown_as_they_are_meant(
    pixel: Fraction, size: tuple[int, int], tmp_path: Path
) -> None:
    pictures = moving_pictures(12)
    said = encode(tmp_path / "said.mp4", pictures, Encoding(pixel=pixel))
    unsaid = encode(tmp_path / "unsaid.mp4", pictures)
    assert (probe(said).width, probe(said).height) == size
    shown = read_frames(said, [0, 11])
    assert shown.shape == (2, size[1], size[0], 3)
    assert (shown == np.stack(list(iter_frames(said)))[[0, 11]]).all()
    # Squeezed to the same size, it is the same picture; between bars, it is not.
    assert np.abs(read_frames(said, [5], (32, 32)).astype(int) - read_frames(unsaid, [5], (32, 32))).max() <= 1
    padded, plain = (read_frames(clip, [5], (40, 40), "pad")[0] for clip in (said, unsaid))
    assert (padded == plain).all() == (size == (64, 48))


def test_one_decoding_gives_several_looks(ours: Path) -> None:
    pairs = list(iter_formats(ours, [FrameFormat("gray", (32, 24)), FrameFormat()]))
    assert len(pairs) == COUNT
    assert pairs[0][0].shape == (24, 32)
    assert (np.stack([full for _, full in pairs]) == np.stack(list(iter_frames(ours)))).all()
    grey = Image.fromarray(pairs[7][1]).convert("L").resize((32, 24), Image.Resampling.BOX)
    # The luma of a video leaves out the values near black and white, which a grey picture has.
    assert np.corrcoef(pairs[7][0].ravel(), np.asarray(grey).ravel())[0, 1] > 0.98


def test_a_clip_cut_short_gives_what_it_has(ours: Path) -> None:
    everything = np.stack(list(iter_frames(ours)))
    start, size, _ = packets(ours)[20]
    ours.write_bytes(ours.read_bytes()[: start + size])
    assert (read_frames(ours, [20, 3]) == everything[[20, 3]]).all()
    with pytest.raises(RunError, match=r"clip\.mp4 has no frame 21: it ends after 21; it was cut short, or replaced"):
        read_frames(ours, [3, 33, 21])


@pytest.mark.parametrize("content", [b"", b"not a clip", bytes(3000)])
def test_what_is_no_clip_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(RunError, match="cannot be decoded"):
        read_frames(path, [0])


def test_a_missing_clip_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"missing\.mp4 cannot be decoded: .*No such file"):
        read_frames(tmp_path / "missing.mp4", [0])


def test_names_in_an_unknown_alphabet_do_not_matter(ours: Path) -> None:
    data = ours.read_bytes()
    assert data.count(b"Lavf") == 1
    before = read_frames(ours, [3])
    ours.write_bytes(data.replace(b"Lavf", b"\xff\xfe\x80f"))
    assert (read_frames(ours, [3]) == before).all()


def test_sound_alone_is_no_clip(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(RunError, match="cannot be decoded"):
        read_frames(path, [0])


def test_pictures_that_change_their_size_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "clip.h264"
    parts = [
        encode(tmp_path / f"{width}.h264", moving_pictures(3, (width, 48)), Encoding(size=(width, 48), options=PLAIN))
        for width in (64, 32)
    ]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert read_frames(path, [1, 4], (20, 20)).shape == (2, 20, 20, 3)
    with pytest.raises(RunError, match="changes on the way"):
        read_frames(path, [1, 4])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=30), st.integers(0, 9))
@pytest.mark.slow
def test_a_damaged_clip_is_decoded_or_one_sentence(changes: list[tuple[int, int]], wanted: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = encode(Path(folder) / "clip.mp4", moving_pictures(10, (32, 32)), Encoding(size=(32, 32), options=PLAIN))
        data = bytearray(path.read_bytes())
        for place, value in changes:
            data[place % len(data)] = value
        path.write_bytes(data)
        with suppress(RunError):
            assert read_frames(path, [wanted], (16, 16)).shape == (1, 16, 16, 3)
