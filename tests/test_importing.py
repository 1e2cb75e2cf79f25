"""Taking over a data set in the public original's form."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from hpvqa.dataset.importing import import_public
from hpvqa.dataset.load import open_dataset
from hpvqa.dataset.rows import Row
from hpvqa.dataset.verify import verify
from hpvqa.errors import UsageError
from hpvqa.main import main
from hpvqa.tasks.drop import DropTask
from hpvqa.tasks.push import PushTask
from tests.clips import Encoding, encode, moving_pictures
from tests.factories import FPS, FRAMES, HEIGHT, WIDTH, make_original, quiet


def take(original: Path, out: Path) -> tuple[list[Row], list[Row]]:
    import_public(original, out, quiet(), seed=42)
    dataset = open_dataset(out)
    assert verify(out, quiet()).problems == ()
    for split in ("train", "eval"):
        assert all(dataset.clip(split, row).is_file() for row in dataset.rows(split))
    return dataset.rows("train"), dataset.rows("eval")


def edit(original: Path, **fields: object) -> None:
    """Change fields of the second row; ``None`` removes one."""
    path = original / "metadata.jsonl"
    lines = path.read_text().splitlines()
    row = {**json.loads(lines[1]), **fields}
    lines[1] = json.dumps({key: value for key, value in row.items() if value is not None})
    path.write_text("\n".join(lines) + "\n")


def test_a_single_folder_is_split_like_our_own(tmp_path: Path) -> None:
    answers = {number: "Left." if number % 2 else "Right." for number in range(8)}
    train, evaluation = take(make_original(tmp_path / "push_cubes", "push", answers), tmp_path / "dataset")
    assert Counter(row.answer for row in train) == {"left": 6, "right": 6}
    assert Counter(row.answer for row in evaluation) == {"left": 2, "right": 2}
    assert {row.cluster for row in train}.isdisjoint(row.cluster for row in evaluation)


def test_episode_numbers_that_repeat_are_different_episodes(tmp_path: Path) -> None:
    for side, answer in (("l", "Left."), ("r", "Right.")):
        name = f"push_cubes_vqa_dataset_{side}_test"
        make_original(
            tmp_path / "original" / name, "push", {0: answer, 5: answer}, prefix=f"mlcf-robot/{name}/", old_wording=True
        )
    train, evaluation = take(tmp_path / "original", tmp_path / "dataset")
    assert train == []
    assert {row.cluster: row.answer for row in evaluation} == {
        ("push", "push_cubes_vqa_dataset_l_test", 0): "left",
        ("push", "push_cubes_vqa_dataset_l_test", 5): "left",
        ("push", "push_cubes_vqa_dataset_r_test", 0): "right",
        ("push", "push_cubes_vqa_dataset_r_test", 5): "right",
    }
    assert len({row.file_name for row in evaluation}) == 8


@pytest.mark.parametrize(("task", "question"), [("push", PushTask.question), ("drop", DropTask.question)])
@pytest.mark.parametrize("old_wording", [False, True])
def test_both_wordings_become_the_question_that_is_asked(
    tmp_path: Path, task: str, question: str, old_wording: bool
) -> None:
    original = make_original(tmp_path / "x_test", task, {3: "Left."}, old_wording=old_wording)
    row = take(original, tmp_path / "dataset")[1][0]
    assert row.question == question
    assert row.original_question is not None
    assert row.original_question.startswith("Looking from the front" if old_wording else "From the perspective")
    assert (row.task, row.episode, row.camera, row.answer) == (task, 3, "front_wide", "left")
    assert (row.fps, row.frames, row.width, row.height) == (FPS, FRAMES, WIDTH, HEIGHT)
    assert (row.values, row.gap) == ({"left": 0.9, "right": 0.3}, pytest.approx(0.6))
    assert row.calibration is None


def test_folders_of_the_same_name_in_train_and_test_are_kept_apart(tmp_path: Path) -> None:
    for split, answer in (("train", "Left."), ("test", "Right.")):
        make_original(tmp_path / "original" / split / "drop", "drop", {0: answer}, prefix=f"{split}/drop/")
    train, evaluation = take(tmp_path / "original", tmp_path / "dataset")
    assert {row.answer for row in train} == {"left"}
    assert {row.answer for row in evaluation} == {"right"}
    assert {row.source for row in train + evaluation} == {"drop_train", "drop_eval"}


@pytest.mark.parametrize("prefix", ["", "/home/someone/robot/push/", "robot/push/", "push/"])
def test_clips_are_found_by_the_end_of_their_path(tmp_path: Path, prefix: str) -> None:
    original = make_original(tmp_path / "push", "push", {0: "Left.", 1: "Right."}, prefix=prefix)
    train, evaluation = take(original, tmp_path / "dataset")
    assert {row.source for row in train + evaluation} == {"push"}


def test_values_that_contradict_the_answer_are_said(tmp_path: Path) -> None:
    original = make_original(tmp_path / "push", "push", {0: "Left.", 1: "Right."})
    path = original / "metadata.jsonl"
    path.write_text(
        path.read_text().replace("cube01", "cube00").replace("cube02", "cube01").replace("cube00", "cube02")
    )
    built = import_public(original, tmp_path / "dataset", quiet(), seed=42)
    assert built.notes[0].startswith("In 2 episodes the stored values contradict the answer")


def test_values_that_only_some_rows_have_are_left_out(tmp_path: Path) -> None:
    original = make_original(tmp_path / "push", "push", {0: "Left.", 1: "Right."})
    edit(original, values=None)
    train, evaluation = take(original, tmp_path / "dataset")
    assert all(row.values is None for row in train + evaluation)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"values": {"cube01": 1e308, "cube02": 1.0}}, "line 2 has hidden values that no thing has"),
        ({"answer": "left"}, "line 2 has an answer that is neither Left. nor Right."),
        ({"answer": None}, "line 2 has an answer that is neither Left. nor Right."),
        ({"answer": "Right."}, "line 2 contradicts another view of the same episode"),
        ({"question": "Which one?"}, "line 2 asks none of the known questions"),
        ({"file_name": "clip.mp4"}, "line 2 has no file_name that ends in"),
        ({"file_name": "../x/videos/episode_0_cam_a.mp4"}, "line 2 has no file_name that ends in"),
        ({"file_name": "videos/episode_0_cam_front_wide.mp4"}, "line 2 is about the same clip"),
        ({"file_name": "videos/episode_9_cam_a.mp4"}, r"episode_9_cam_a\.mp4 is missing"),
        (
            {"file_name": f"{'x' * 300}/episode_9_cam_a.mp4"},
            r"line 2 names the clip x{300}|episode_9_cam_a\.mp4 is missing",
        ),
    ],
)
def test_bad_rows_stop_the_import(tmp_path: Path, fields: dict[str, object], message: str) -> None:
    original = make_original(tmp_path / "push", "push", {0: "Left.", 1: "Right."})
    edit(original, **fields)
    with pytest.raises(UsageError, match=message):
        import_public(original, tmp_path / "dataset", quiet(), seed=42)
    assert {path.name for path in tmp_path.iterdir()} == {"push"}


def test_the_first_bad_row_is_named_and_all_are_counted(tmp_path: Path) -> None:
    original = make_original(tmp_path / "push", "push", {0: "Left.", 1: "Right."})
    path = original / "metadata.jsonl"
    path.write_text(path.read_text() + "{\n[]\n\n")
    with pytest.raises(UsageError, match=r"line 5 is not a JSON object \(and 2 more like it\); nothing was built"):
        import_public(original, tmp_path / "dataset", quiet(), seed=42)


def test_damaged_and_missing_clips_are_counted(tmp_path: Path) -> None:
    original = make_original(tmp_path / "push", "push", {0: "Left.", 1: "Right."})
    clips = sorted((original / "videos").iterdir())
    clips[0].write_bytes(clips[0].read_bytes()[:300])
    clips[2].unlink()
    with pytest.raises(
        UsageError, match=r"episode_0_cam_back_narrow\.mp4 cannot be decoded.* \(and 1 more like it\); nothing"
    ):
        import_public(original, tmp_path / "dataset", quiet(), seed=42)


def test_nothing_to_import(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no metadata\.jsonl"):
        import_public(tmp_path, tmp_path / "dataset", quiet(), seed=42)
    (tmp_path / "metadata.jsonl").touch()
    with pytest.raises(UsageError, match="holds no rows"):
        import_public(tmp_path, tmp_path / "dataset", quiet(), seed=42)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    original = make_original(tmp_path / "drop_spheres_test", "drop", {0: "Left.", 4: "Right."})
    with pytest.raises(SystemExit) as stop:
        main(["build", "--import", str(original), "--out", str(tmp_path / "dataset"), "--json"])
    assert not stop.value.code
    assert json.loads(capsys.readouterr().out)["rows"] == {"train": 0, "eval": 4}


def test_folders_that_are_links_are_taken_and_hidden_ones_are_not(tmp_path: Path) -> None:
    answers = {0: "Left.", 1: "Right."}
    make_original(tmp_path / "original" / "push_a_test", "push", answers)
    make_original(tmp_path / "disk" / "push_b_test", "push", answers)
    make_original(tmp_path / "original" / "push_a_test" / ".ipynb_checkpoints", "push", answers)
    (tmp_path / "original" / "push_b_test").symlink_to(tmp_path / "disk" / "push_b_test")
    (tmp_path / "original" / "again").symlink_to(tmp_path / "original")
    _, evaluation = take(tmp_path / "original", tmp_path / "dataset")
    assert Counter(row.source for row in evaluation) == {"push_a_test": 4, "push_b_test": 4}


def test_clips_that_are_links_within_the_folder_become_files(tmp_path: Path) -> None:
    original = make_original(tmp_path / "push", "push", {0: "Left.", 1: "Right."})
    clips = sorted((original / "videos").iterdir())
    (original / "blobs").mkdir()
    clips[0].rename(original / "blobs" / "0")
    clips[0].symlink_to("../blobs/0")
    take(original, tmp_path / "dataset")
    assert not any(path.is_symlink() for path in (tmp_path / "dataset").rglob("*"))
    clips[0].unlink()
    clips[1].rename(tmp_path / "outside.mp4")
    clips[0].symlink_to(tmp_path / "outside.mp4")
    with pytest.raises(UsageError, match="a link out of its folder"):
        import_public(original, tmp_path / "other", quiet(), seed=42)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"0.9", b"1" + b"0" * 400, r"line 1 cannot be used: a number of 401 digits is too large"),
        (b"0.9", b"1e400", r"line 1 cannot be used: the number 1e400 is too large"),
        (b"0.9", b"NaN", r"line 1 cannot be used: NaN"),
        (
            b'"answer"',
            b'"x": ' + b"[" * 100_000 + b"]" * 100_000 + b', "answer"',
            r"line 1 cannot be used: it is nested",
        ),
        (b'"answer"', b'"x": "\\ud800", "answer"', r"line 1 cannot be used: it is not UTF-8"),
    ],
)
def test_odd_numbers_and_texts_are_one_sentence(tmp_path: Path, old: bytes, new: bytes, message: str) -> None:
    original = make_original(tmp_path / "push", "push", {0: "Left.", 1: "Right."})
    path = original / "metadata.jsonl"
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    with pytest.raises(UsageError, match=message):
        import_public(original, tmp_path / "dataset", quiet(), seed=42)


def test_another_encoding_is_named(tmp_path: Path) -> None:
    original = make_original(tmp_path / "push", "push", {0: "Left.", 1: "Right."})
    path = original / "metadata.jsonl"
    text = path.read_text()
    path.write_text(text, encoding="utf-16")
    with pytest.raises(UsageError, match=r"metadata\.jsonl is not UTF-8; save it as such; nothing was built"):
        import_public(original, tmp_path / "dataset", quiet(), seed=42)
    path.write_text(text, encoding="utf-8-sig")
    take(original, tmp_path / "dataset")


def test_times_of_a_varying_rate_are_a_column_of_all_rows(tmp_path: Path) -> None:
    original = make_original(tmp_path / "push", "push", {0: "Left.", 1: "Right."})
    clip = min((original / "videos").iterdir())
    encode(clip, moving_pictures(4, (WIDTH, HEIGHT)), Encoding(size=(WIDTH, HEIGHT), times=(0, 10, 20, 100)))
    train, evaluation = take(original, tmp_path / "dataset")
    assert sorted(row.times or () for row in train + evaluation) == [(), (), (), (0.0, 0.1, 0.2, 1.0)]
