"""The LeRobot export, by its documented layout; `make exports-test` has the real library read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from hpvqa.dataset.export import lerobot
from hpvqa.dataset.export.joining import JoinedClips
from hpvqa.dataset.load import open_dataset
from hpvqa.errors import RunError
from hpvqa.files import file_record
from hpvqa.record.episode import read_episode
from hpvqa.record.trajectory import COMMAND, read_trajectory
from hpvqa.record.video import ClipWriter
from tests.build_data import hpvqa, make
from tests.clips import moving_pictures
from tests.factories import FPS, FRAMES, make_clip, make_data

STATE = [*(f"joint_{number}" for number in range(1, 8)), "gripper"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lerobot")
    make(make_data(folder / "data", push=8), folder / "dataset")
    return folder / "dataset"


@pytest.fixture(scope="module")
def exported(dataset: Path) -> Path:
    assert hpvqa("export", "lerobot", dataset, "--out", dataset.parent / "out") == 0
    return dataset.parent / "out"


def info(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "meta/info.json").read_text())
    return found


def table(root: Path, kind: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in sorted((root / kind).glob("*/*.parquet")):
        rows += pq.read_table(path).to_pylist()
    return rows


def pictures(path: Path) -> tuple[NDArray[np.uint8], list[float]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return np.stack([frame.to_ndarray(format="rgb24") for frame in frames]), [float(frame.time) for frame in frames]


def folder_of(dataset: Path, episode: dict[str, Any]) -> Path:
    (row,) = {
        row.file_name.rpartition("/")[0]
        for row in open_dataset(dataset).rows(episode["split"])
        if row.episode == episode["episode"]
    }
    return dataset / episode["split"] / row


def test_what_the_dataset_says_of_itself(exported: Path) -> None:
    found = info(exported)
    assert (found["codebase_version"], found["fps"]) == ("v3.0", FPS)
    assert (found["total_episodes"], found["total_frames"], found["total_tasks"]) == (8, 8 * FRAMES, 1)
    assert found["splits"] == {"train": "0:6", "eval": "6:8"}
    assert found["features"]["language_events"]["dtype"] == "language"
    assert found["features"]["action"] == {"dtype": "float32", "shape": [8], "names": list(COMMAND)}
    tasks = pd.read_parquet(exported / "meta/tasks.parquet")
    assert (tasks.index.name, list(tasks.index), list(tasks["task_index"])) == ("task", ["Push two cubes"], [0])


def test_every_frame_is_that_of_its_clip_at_its_time(dataset: Path, exported: Path) -> None:
    found = info(exported)
    cameras = [name for name, feature in found["features"].items() if feature["dtype"] == "video"]
    assert len(cameras) == 2
    episodes = table(exported, "meta/episodes")
    for camera in cameras:
        columns = {name: episodes[0][f"videos/{camera}/{name}"] for name in ("chunk_index", "file_index")}
        joined, times = pictures(exported / found["video_path"].format(video_key=camera, **columns))
        assert times == pytest.approx([number / FPS for number in range(8 * FRAMES)], abs=1e-9)
        for episode in episodes:
            begin = round(episode[f"videos/{camera}/from_timestamp"] * FPS)
            end = round(episode[f"videos/{camera}/to_timestamp"] * FPS)
            own, _ = pictures(folder_of(dataset, episode) / f"{camera.rpartition('.')[2]}.mp4")
            assert np.array_equal(joined[begin:end], own)


def test_every_row_is_that_of_the_trajectory(dataset: Path, exported: Path) -> None:
    rows = table(exported, "data")
    assert [row["index"] for row in rows] == list(range(8 * FRAMES))
    for number, episode in enumerate(table(exported, "meta/episodes")):
        assert (episode["episode_index"], episode["length"]) == (number, FRAMES)
        own = rows[episode["dataset_from_index"] : episode["dataset_to_index"]]
        assert {row["episode_index"] for row in own} == {number}
        assert [row["frame_index"] for row in own] == list(range(FRAMES))
        folder = folder_of(dataset, episode)
        record = read_episode(folder)
        columns = read_trajectory(folder / "trajectory.parquet", record.spec.names)
        wanted = np.stack([columns[name] for name in STATE], axis=1)
        assert np.array_equal([row["observation.state"] for row in own], wanted.astype(np.float32))
        told = np.stack([columns[name] for name in COMMAND], axis=1)
        assert np.array_equal([row["action"] for row in own], told.astype(np.float32))
        assert episode["answer"] == record.task.answer(record.spec)
        assert {name: episode[f"value_{name}"] for name in record.spec.names} == record.task.values(record.spec)


def test_statistics_are_those_of_the_rows_and_of_the_pictures(exported: Path) -> None:
    stats = json.loads((exported / "meta/stats.json").read_text())
    features = info(exported)["features"]
    assert stats.keys() == features.keys() - {"language_events"}
    rows = table(exported, "data")
    for name in ("observation.state", "action", "frame_index"):
        values = np.array([row[name] for row in rows], float).reshape(len(rows), -1)
        assert stats[name]["count"] == [8 * FRAMES]
        figures = {"min": values.min(0), "max": values.max(0), "mean": values.mean(0), "std": values.std(0)}
        for key, value in {**figures, "q90": np.quantile(values, 0.9, axis=0)}.items():
            assert stats[name][key] == pytest.approx(value)
    for camera in (name for name, feature in features.items() if feature["dtype"] == "video"):
        shown = pictures(next((exported / "videos" / camera).rglob("*.mp4")))[0] / 255
        assert stats[camera]["count"] == [8 * FRAMES]
        for key, value in {
            "min": shown.min((0, 1, 2)),
            "mean": shown.mean((0, 1, 2)),
            "std": shown.std((0, 1, 2)),
        }.items():
            assert stats[camera][key] == [[[pytest.approx(one, abs=1e-9)]] for one in value]


def test_each_episode_tells_its_own_statistics(exported: Path) -> None:
    rows, features = table(exported, "data"), info(exported)["features"]
    for episode in table(exported, "meta/episodes"):
        own = rows[episode["dataset_from_index"] : episode["dataset_to_index"]]
        states = np.array([row["observation.state"] for row in own], float)
        assert episode["stats/observation.state/mean"] == pytest.approx(states.mean(0))
        assert episode["stats/observation.state/q10"] == pytest.approx(np.quantile(states, 0.1, axis=0))
        assert episode["stats/index/max"] == [own[-1]["index"]]
        for camera in (name for name, feature in features.items() if feature["dtype"] == "video"):
            begin, end = (round(episode[f"videos/{camera}/{name}_timestamp"] * FPS) for name in ("from", "to"))
            shown = pictures(next((exported / "videos" / camera).rglob("*.mp4")))[0][begin:end] / 255
            assert episode[f"stats/{camera}/mean"] == [[[pytest.approx(one)]] for one in shown.mean((0, 1, 2))]
            assert episode[f"stats/{camera}/count"] == [FRAMES]
    columns = {name.split("/")[1] for name in episode if name.startswith("stats/")}
    assert columns == features.keys() - {"language_events"}


def test_episodes_of_an_older_hpvqa_have_no_action(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_data(tmp_path / "data", push=4)
    old = min(data.rglob("trajectory.parquet"))
    rows = pq.read_table(old).drop_columns(list(COMMAND)).replace_schema_metadata(None)
    pq.write_table(rows, old)
    record = read_episode(old.parent)
    files = {**record.files, old.name: file_record(old)}
    changed = record.model_copy(update={"files": files}).sealed()
    (old.parent / "episode.json").write_text(changed.model_dump_json())
    make(data, tmp_path / "dataset")
    assert hpvqa("export", "lerobot", tmp_path / "dataset", "--out", tmp_path / "out") == 0
    assert "recorded by an older hpvqa" in capsys.readouterr().out
    assert "action" not in info(tmp_path / "out")["features"]
    assert "action" not in table(tmp_path / "out", "data")[0]


def test_questions_are_on_the_last_frame_of_each_episode(dataset: Path, exported: Path) -> None:
    rows = table(exported, "data")
    for episode in table(exported, "meta/episodes"):
        *before, last = rows[episode["dataset_from_index"] : episode["dataset_to_index"]]
        assert all(row["language_events"] == [] for row in before)
        events = last["language_events"]
        assert {event["style"] for event in events} == {"vqa"}
        assert [event["role"] for event in events] == ["user", "assistant"] * 2
        assert {event["camera"] for event in events} < set(info(exported)["features"])
        assert {event["content"] for event in events if event["role"] == "assistant"} == {episode["answer"]}


def test_older_readers_can_be_spared_the_questions(dataset: Path, tmp_path: Path) -> None:
    assert hpvqa("export", "lerobot", dataset, "--no-language", "--out", tmp_path / "out") == 0
    assert "language_events" not in info(tmp_path / "out")["features"]
    assert "language_events" not in table(tmp_path / "out", "data")[0]


@pytest.mark.slow
def test_clips_that_were_encoded_otherwise_go_into_another_file(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", push=4)
    make(data, tmp_path / "dataset")
    assert hpvqa("export", "lerobot", tmp_path / "dataset", "--out", tmp_path / "one") == 0
    assert len(list((tmp_path / "one").rglob("*.mp4"))) == 2
    # A data set whose second half was encoded by another encoder.
    kinds = iter([b"a"] * 4 + [b"b"] * 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lerobot, "coding", lambda path: next(kinds))
        assert hpvqa("export", "lerobot", tmp_path / "dataset", "--out", tmp_path / "two") == 0
    assert len(list((tmp_path / "two").rglob("*.mp4"))) == 4
    episodes = table(tmp_path / "two", "meta/episodes")
    assert [episode["data/file_index"] for episode in episodes] == [0, 0, 1, 1]
    assert [episode["dataset_from_index"] for episode in episodes] == [0, FRAMES, 2 * FRAMES, 3 * FRAMES]
    (camera,) = {name for name in info(tmp_path / "two")["features"] if name.endswith("front_top_narrow")}
    assert [episode[f"videos/{camera}/from_timestamp"] for episode in episodes] == [0.0, 0.5, 0.0, 0.5]


@pytest.mark.slow
def test_tasks_are_exported_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(make_data(tmp_path / "data", push=4, drop=4), tmp_path / "dataset")
    assert hpvqa("export", "lerobot", tmp_path / "dataset", "--out", tmp_path / "out") == 2
    assert "export each by itself with --task" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert hpvqa("export", "lerobot", tmp_path / "dataset", "--task", "drop", "--out", tmp_path / "out") == 0


def test_a_damaged_trajectory_is_named(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(make_data(tmp_path / "data", push=4), tmp_path / "dataset")
    path = sorted((tmp_path / "dataset").rglob("trajectory.parquet"))[1]
    path.unlink()
    path.write_bytes(b"not Parquet")
    assert hpvqa("export", "lerobot", tmp_path / "dataset", "--out", tmp_path / "out") == 1
    assert path.relative_to(tmp_path / "dataset").as_posix() in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_joined_clips_are_as_long_as_they_should_be(tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4")
    with pytest.raises(RunError, match="holds 5 frames instead of 6"), JoinedClips(tmp_path / "a.mp4", FPS) as joined:
        joined.append(tmp_path / "clip.mp4", FRAMES + 1)
    with pytest.raises(RunError, match="not 7 a second"), JoinedClips(tmp_path / "b.mp4", 7) as joined:
        joined.append(tmp_path / "clip.mp4", FRAMES)


@pytest.mark.parametrize("fps", [15, 24, 30, 60])
@pytest.mark.slow
def test_joined_clips_are_those_clips(fps: int, tmp_path: Path) -> None:
    for number in range(3):
        with ClipWriter(tmp_path / f"{number}.mp4", fps, 64, 48) as clip:
            for picture in moving_pictures(fps + 3, seed=number):
                clip.write(picture)
    with JoinedClips(tmp_path / "joined.mp4", fps) as joined:
        for number in range(3):
            joined.append(tmp_path / f"{number}.mp4", fps + 3)
    found, times = pictures(tmp_path / "joined.mp4")
    assert np.array_equal(found, np.concatenate([pictures(tmp_path / f"{number}.mp4")[0] for number in range(3)]))
    assert times == pytest.approx([number / fps for number in range(3 * (fps + 3))], abs=1e-6)
