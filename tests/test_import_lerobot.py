"""Filmed episodes: a LeRobotDataset and a file of what was measured become a data set."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from hpvqa.dataset.build import Questions
from hpvqa.dataset.croissant import CROISSANT_FILE
from hpvqa.dataset.import_lerobot import import_lerobot
from hpvqa.dataset.load import open_dataset
from hpvqa.dataset.rows import Row
from hpvqa.dataset.verify import verify
from hpvqa.errors import RunError, UsageError
from hpvqa.record import decode
from hpvqa.record.cutting import cut
from hpvqa.record.decode import read_frames
from hpvqa.tasks import TASKS
from hpvqa.tasks.base import FORMS
from tests.build_data import hpvqa, make
from tests.clips import Encoding, encode, moving_pictures
from tests.factories import FPS, FRAMES, make_clip, make_data, quiet

CAMERAS = ("front_top_narrow", "back_top_narrow")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("import-lerobot")
    make(make_data(folder / "data", push=8), folder / "dataset", questions=Questions(FORMS))
    return folder / "dataset"


@pytest.fixture(scope="module")
def filmed(dataset: Path) -> Path:
    """A LeRobotDataset of version 3, all episodes of a camera in one file."""
    assert hpvqa("export", "lerobot", dataset, "--questions", "compare", "--out", dataset.parent / "filmed") == 0
    return dataset.parent / "filmed"


def episodes(filmed: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(filmed / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    return rows


def write_labels(path: Path, *lines: str, head: str = "episode,task,left,right") -> Path:
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def labels(filmed: Path) -> Path:
    lines = (f"{row['episode_index']},push,{row['value_left']},{row['value_right']}" for row in episodes(filmed))
    return write_labels(filmed.parent / "labels.csv", *lines)


@pytest.fixture(scope="module")
def imported(filmed: Path, labels: Path) -> Path:
    out = filmed.parent / "real"
    asked = ("--questions", "compare,value")
    assert hpvqa("build", "--import", "lerobot", filmed, "--labels", labels, *asked, "--out", out) == 0
    return out


def write_lengths(root: Path, length: int) -> None:
    lines = (json.dumps({"episode_index": number, "tasks": ["push"], "length": length}) for number in range(3))
    (root / "meta/episodes.jsonl").write_text("\n".join(lines) + "\n")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A LeRobotDataset of version 2.1: a file for each camera of each episode."""
    root = tmp_path / "older"
    for number in range(3):
        for camera in ("observation.images.top", "observation.images.hand"):
            clip = root / f"videos/chunk-000/{camera}/episode_{number:06d}.mp4"
            clip.parent.mkdir(parents=True, exist_ok=True)
            make_clip(clip, brightness=40 * number)
    (root / "meta").mkdir()
    write_lengths(root, FRAMES)
    video = {"dtype": "video", "shape": [48, 64, 3], "info": {"video.is_depth_map": False}}
    features = {
        "action": {"dtype": "float32", "shape": [7]},
        "observation.images.top": video,
        "observation.images.hand": video,
        "observation.images.depth": {**video, "info": {"video.is_depth_map": True}},
    }
    (root / "meta/info.json").write_text(json.dumps({"codebase_version": "v2.1", "fps": FPS, "features": features}))
    return root


def take(root: Path, labels: Path, out: Path) -> tuple[list[Row], tuple[str, ...]]:
    made = import_lerobot(root, labels, out, quiet(), seed=0)
    assert verify(out, quiet()).problems == ()
    return open_dataset(out).comparisons("eval"), made.notes


def test_what_was_exported_comes_back(dataset: Path, filmed: Path, imported: Path) -> None:
    ours, theirs = open_dataset(dataset), open_dataset(imported)
    assert verify(imported, quiet()).problems == ()
    assert theirs.rows("train") == []
    known = {"file_name", "source", "episode", "first", "contacts", "calibration", "seed", "attempt", "version"}
    found = theirs.rows("eval")
    assert len(found) == len(ours.rows("train")) + len(ours.rows("eval")) == 8 * 2 * 3
    for episode in episodes(filmed):
        before = [row for row in ours.rows(episode["split"]) if row.episode == episode["episode"]]
        after = [row for row in found if row.episode == episode["episode_index"]]
        order = [(row.camera, row.form, row.question) for row in after]
        before.sort(key=lambda row: order.index((row.camera, row.form, row.question)))
        for old, new in zip(before, after, strict=True):
            assert new.model_dump(exclude=known) == old.model_dump(exclude=known)
            clips = ours.clip(episode["split"], old), theirs.clip("eval", new)
            assert np.array_equal(*(read_frames(clip, range(FRAMES)) for clip in clips))


def test_answerers_that_need_what_is_not_there_say_so(
    imported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for model, words in {"pixels": "where cameras are", "majority": "counts the training split"}.items():
        assert hpvqa("eval", "--dataset", imported, "--model", model, "--out", tmp_path / model) == 2
        assert words in " ".join(capsys.readouterr().err.split())
    assert hpvqa("eval", "--dataset", imported, "--model", "left", "--out", tmp_path / "left") == 0
    assert "gap 2" in capsys.readouterr().out


def test_the_card_says_that_values_were_measured_and_no_more_than_is_known(imported: Path) -> None:
    about = json.loads((imported / CROISSANT_FILE).read_text())
    said = [about["rai:dataCollection"], *about["rai:dataLimitations"]]
    card = (imported / "README.md").read_text()
    assert all(sentence in card for sentence in said)
    assert "measured, and stand in a file of labels" in said[0]
    for words in ("given there", "One robot", "filmed robots", "drawn from", "look alike", "else was recorded"):
        assert words not in card
    assert "rai:personalSensitiveInformation" not in about


def test_a_measured_0_is_a_value(older: Path, tmp_path: Path) -> None:
    lines = ("0,drop,0.0,0.3,train", "1,drop,0.0,0.3,eval")
    labels = write_labels(tmp_path / "labels.csv", *lines, head="episode,task,left,right,split")
    questions = Questions(("compare", "value"))
    import_lerobot(older, labels, tmp_path / "out", quiet(), questions=questions, seed=0)
    assert hpvqa("eval", "--dataset", tmp_path / "out", "--model", "majority", "--out", tmp_path / "run") == 0
    found = [json.loads(line) for line in (tmp_path / "run/predictions.jsonl").read_text().splitlines()]
    assert [row["is_correct"] for row in found if row["answer"] == 0] == [False, False]


def test_cameras_are_chosen_and_renamed_and_whole_files_are_taken_as_they_are(older: Path, tmp_path: Path) -> None:
    lines = ("0,push,1.5,0.9,top=front_wide,", "2,push,1,2,observation.images.hand observation.images.top=above,train")
    labels = write_labels(tmp_path / "labels.csv", *lines, head="episode,task,left,right,cameras,split")
    rows, notes = take(older, labels, tmp_path / "out")
    dataset = open_dataset(tmp_path / "out")
    assert [(row.camera, row.answer, row.gap) for row in rows] == [("front_wide", "left", pytest.approx(0.6))]
    assert [(row.camera, row.answer, row.episode) for row in dataset.rows("train")] == [
        ("hand", "right", 2),
        ("above", "right", 2),
    ]
    assert rows[0].question == TASKS["push"].question
    clip = older / "videos/chunk-000/observation.images.top/episode_000000.mp4"
    assert dataset.clip("eval", rows[0]).read_bytes() == clip.read_bytes()
    assert notes[0] == "1 of 3 episodes have no label and are left out"


def test_clips_that_no_key_frame_begins_are_encoded_again_and_it_is_said(
    filmed: Path, labels: Path, tmp_path: Path
) -> None:
    root = tmp_path / "filmed"
    for path in (path for path in filmed.rglob("*") if path.is_file()):
        target = root / path.relative_to(filmed)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    video = next((root / f"videos/observation.images.{CAMERAS[0]}").rglob("*.mp4"))
    encode(video, moving_pictures(8 * FRAMES), Encoding(options={"g": "1000", "bf": "0"}))
    rows, notes = take(root, labels, tmp_path / "out")
    assert [row.frames for row in rows] == [FRAMES] * 16
    assert notes[0].startswith("7 clips were decoded and encoded again")
    dataset = open_dataset(tmp_path / "out")
    (row,) = (row for row in rows if (row.episode, row.camera) == (2, CAMERAS[0]))
    shown = read_frames(dataset.clip("eval", row), range(FRAMES))
    assert most_like(shown, read_frames(video, range(8 * FRAMES))) == list(range(2 * FRAMES, 3 * FRAMES))


def most_like(shown: NDArray[np.uint8], whole: NDArray[np.uint8]) -> list[int]:
    """For each picture, the number of the one that differs least from it."""
    return [int(np.abs(whole - one.astype(float)).mean((1, 2, 3)).argmin()) for one in shown]


ENCODINGS = {
    "H.264": Encoding(options={"bf": "0"}),
    "H.264, in which frames refer to later ones": Encoding(options={"bf": "2", "x264-params": "open-gop=0"}),
    "AV1": Encoding(codec="libsvtav1", options={"preset": "12"}),
}


@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS)
def test_a_copied_stretch_is_that_stretch(encoding: Encoding, tmp_path: Path) -> None:
    if encoding.codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {encoding.codec}")
    video = encode(tmp_path / "long.mp4", moving_pictures(30), encoding)
    wanted = read_frames(video, range(30))
    assert cut(video, tmp_path / "copied.mp4", 10, 10, 10)
    assert np.array_equal(read_frames(tmp_path / "copied.mp4", range(10)), wanted[10:20])
    with pytest.raises(RunError, match="has no frame 10"):
        read_frames(tmp_path / "copied.mp4", [10])
    assert not cut(video, tmp_path / "encoded.mp4", 13, 5, 10)
    assert most_like(read_frames(tmp_path / "encoded.mp4", range(5)), wanted) == list(range(13, 18))
    with pytest.raises(RunError, match="has no frame 30"):
        cut(video, tmp_path / "short.mp4", 20, 11, 10)


def test_a_long_clip_is_encoded_again_in_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = encode(tmp_path / "long.mp4", moving_pictures(90), Encoding(options={"bf": "2"}))
    opened, passes = decode.opened, list[Path]()

    def counted(path: Path) -> AbstractContextManager[tuple[InputContainer, VideoStream]]:
        passes.append(path)
        return opened(path)

    monkeypatch.setattr(decode, "opened", counted)
    assert not cut(video, tmp_path / "encoded.mp4", 3, 80, 10)
    assert passes == [video]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("episode,task,left,right\n0,shove,1,2", "line 2 is about a task 'shove', and there is none"),
        ("episode,task,left,right\n0,push,1,2\n0,push,2,1", "line 3 is about the same episode as line 2"),
        ("episode,task,left,right\n7,push,1,2", "line 2 is about episode 7, which"),
        ("episode,task,left,right\nx,push,1,2", "line 2 has 'x' for the number of an episode"),
        ("episode,task,left,right\n0,push,2,2", "line 2 has equal values of mass"),
        ("episode,task,left,right\n0,push,1 kg,2", "line 2 has '1 kg' under left, where mass [kg] belongs"),
        ("episode,task,left,right\n0,push,,2", "line 2 has nothing under left"),
        ("episode,task,left,right\n0,push,nan,2", "line 2 has nan under left, which no thing has"),
        ("episode,task,left,right\n0,push,-1,2", "line 2 has a value under left that no thing has: "),
        ("episode,task,left,right\n0,drop,0.5,1.5", "line 2 has a value under right that no thing has: "),
        ("episode,task,left,right,bar\n0,push,1,2,0.1", "line 2 has a value for bar, which push does not have"),
        ("episode,task,left,right,split\n0,push,1,2,test", "line 2 is for the split 'test'"),
        ("episode,task,left,right,cameras\n0,push,1,2,tap", "line 2 names the camera 'tap'; did you mean 'top'?"),
        ("episode,task,left,right,cameras\n0,push,1,2,top=a hand=a", "line 2 has two cameras that are called 'a'"),
        ("episode,task,left,right,cameras\n0,push,1,2,top=../a", "line 2 has a camera that is called '../a'"),
        ("episode,task,left,right,cameras\n0,push,1,2,top=a top=b", "line 2 names the camera top twice"),
        ("episode,left,right\n0,1,2", "have no column task"),
        ("episode;task;left;right\n0;push;1;2", "separated by commas"),
        ("episode,task,left,rigth\n0,push,1,2", "have a column 'rigth'; did you mean 'right'?"),
        ("episode,task,left,right\n0,push,1", "line 2 has 3 cells under 4 columns"),
        ("episode,task,left,right\n", "labels no episode"),
        ('episode,task,left,right\n0,push,1,"2', "are no CSV"),
        ("", "have no column episode"),
        ("episode,task,left,right\n0,push,1,2\xff", "are not UTF-8"),
    ],
)
def test_labels_that_make_no_sense_are_one_sentence(text: str, words: str, older: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError) as caught:
        import_lerobot(older, tmp_path / "labels.csv", tmp_path / "out", quiet(), seed=0)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"labels.csv", "older"}


def edit(root: Path, **fields: object) -> None:
    path = root / "meta/info.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


BAD: dict[str, Callable[[Path], object]] = {
    "has no video of hand: videos/chunk-000/observation.images.hand/episode_000000.mp4 is missing": lambda root: next(
        (root / "videos/chunk-000/observation.images.hand").glob("*0.mp4")
    ).unlink(),
    f"has {FRAMES} frames where the metadata say {FRAMES + 1}": lambda root: write_lengths(root, FRAMES + 1),
    "cannot be decoded": lambda root: next(root.rglob("*_000000.mp4")).write_bytes(b"no video"),
    "outside of the data set": lambda root: edit(root, video_path="../{video_key}/{episode_index:06d}.mp4"),
    "which is not understood": lambda root: edit(root, video_path="{video_key}/{episode}.mp4"),
    "of version v1.6; those of version 2 and 3 are read": lambda root: edit(root, codebase_version="v1.6"),
    "has no videos": lambda root: edit(root, features={"observation.image": {"dtype": "image", "shape": [1]}}),
    "are damaged: fps is 0": lambda root: edit(root, fps=0),
    "are damaged": lambda root: edit(root, features=3),
    "it has no episodes.jsonl in meta": lambda root: (root / "meta/episodes.jsonl").unlink(),
    "it has no info.json in meta": lambda root: (root / "meta/info.json").unlink(),
    "meta": lambda root: (root / "meta/episodes.jsonl").write_text("[" * 100_000),
}


@pytest.mark.parametrize("name", ["episode_index", "length"])
@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300, -1, 0.5, None])
def test_a_number_that_counts_nothing_is_one_sentence(
    name: str, value: float | None, filmed: Path, labels: Path, tmp_path: Path
) -> None:
    for path in (path for path in (filmed / "meta").rglob("*") if path.is_file()):
        target = tmp_path / "filmed" / path.relative_to(filmed)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    rows = [{**row, name: value} for row in episodes(filmed)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "filmed/meta/episodes/chunk-000/file-000.parquet")
    with pytest.raises(UsageError, match=r"The metadata of .* are damaged: ") as caught:
        import_lerobot(tmp_path / "filmed", labels, tmp_path / "out", quiet(), seed=0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("words", BAD)
def test_a_damaged_source_is_one_sentence(words: str, older: Path, tmp_path: Path) -> None:
    BAD[words](older)
    labels = write_labels(tmp_path / "labels.csv", "0,push,1,2")
    with pytest.raises(UsageError) as caught:
        import_lerobot(older, labels, tmp_path / "out", quiet(), seed=0)
    assert words in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"labels.csv", "older"}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--import", "lerobot", "DIR"), "Give --labels labels.csv"),
        (("--import", "lerobot", "DIR", "DIR", "--labels", "x.csv"), "Give one LeRobot data set"),
        (("DIR", "--labels", "x.csv"), "--labels goes with a LeRobot data set"),
        (("--import", "lerobot", "DIR", "--labels", "x.csv"), "The labels x.csv cannot be read: No such file"),
    ],
)
def test_options_that_do_not_go_together(
    args: tuple[str, ...], words: str, older: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(older) if arg == "DIR" else arg for arg in args]
    assert hpvqa("build", *given, "--out", tmp_path / "out") == 2
    assert words in " ".join(capsys.readouterr().err.split())
