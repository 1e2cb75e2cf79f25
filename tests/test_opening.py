"""What is opened as a clip, and how it is turned."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from hpvqa.errors import RunError
from hpvqa.record import opening
from hpvqa.record.decode import FrameFormat, iter_formats, iter_frames, read_frames
from tests.clips import Encoding, encode, moving_pictures, with_matrix

TURNS = {
    (1, 0, 0, 1): lambda picture: picture,
    (-1, 0, 0, 1): lambda picture: picture[:, ::-1],
    (1, 0, 0, -1): lambda picture: picture[::-1],
    (-1, 0, 0, -1): lambda picture: np.rot90(picture, 2),
    (0, 1, -1, 0): lambda picture: np.rot90(picture, -1),
    (0, -1, 1, 0): lambda picture: np.rot90(picture),
    (0, 1, 1, 0): lambda picture: picture.swapaxes(0, 1),
}
"""Display matrices (a, b, c, d), and what players make of a picture."""


@pytest.mark.parametrize("matrix", TURNS)
def test_clips_are_turned_as_players_turn_them(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    path = encode(tmp_path / "clip.mp4", moving_pictures(5), Encoding(options={"bf": "0"}))
    coded = np.stack(list(iter_frames(path)))
    with_matrix(path, matrix)
    shown = np.stack([TURNS[matrix](picture) for picture in coded])
    assert (np.stack(list(iter_frames(path))) == shown).all()
    assert (read_frames(path, [4, 1]) == shown[[4, 1]]).all()
    width, height = shown.shape[2], shown.shape[1]
    small = read_frames(path, [4], (width // 2, height // 2))[0]
    assert small.shape == (height // 2, width // 2, 3)
    averaged = shown[4].reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - averaged).mean() < 6
    (grey,) = next(iter_formats(path, [FrameFormat("gray", (20, 30))]))
    assert grey.shape == (30, 20)


@pytest.mark.parametrize(
    "text", [b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nreal.mp4\n", b"ffconcat version 1.0\nfile real.mp4\n"]
)
def test_lists_of_other_files_are_not_followed(tmp_path: Path, text: bytes) -> None:
    encode(tmp_path / "real.mp4", moving_pictures(2))
    (tmp_path / "clip.mp4").write_bytes(text)
    with pytest.raises(RunError, match="cannot be decoded"):
        read_frames(tmp_path / "clip.mp4", [0])


def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "zero.mp4").symlink_to("/dev/zero")
    for name in ("pipe.mp4", "zero.mp4"):
        with pytest.raises(RunError, match="cannot be decoded: Not a regular file"):
            read_frames(tmp_path / name, [0])


def test_a_name_that_looks_like_an_address_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode(tmp_path / "clip.mp4", moving_pictures(2)).rename(tmp_path / "http:clip.mp4")
    monkeypatch.chdir(tmp_path)
    assert len(read_frames(Path("http:clip.mp4"), [1])) == 1


@pytest.mark.slow
def test_huge_pictures_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    encode(path, [np.zeros((4224, 4096, 3), np.uint8)], Encoding(size=(4096, 4224), options={"preset": "ultrafast"}))
    with pytest.raises(RunError, match="has pictures of 4096x4224; make them smaller"):
        read_frames(path, [0], (16, 16))


def test_pictures_that_become_huge_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clip.h264"
    parts = [
        encode(
            tmp_path / f"{size}.h264", moving_pictures(2, (size, 48)), Encoding(size=(size, 48), options={"bf": "0"})
        )
        for size in (32, 640)
    ]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert len(read_frames(path, [3], (16, 16))) == 1
    monkeypatch.setattr(opening, "MOST_PIXELS", 320 * 48)
    with pytest.raises(RunError, match=r"has pictures|cannot be decoded|has no frame"):
        read_frames(path, [3], (16, 16))
