"""An episode as a recording of the Rerun viewer, read back with Rerun's own library."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpvqa.errors import UsageError
from hpvqa.record.episode import TRAJECTORY_FILE, EpisodeRecord, find_episodes, read_episode
from hpvqa.record.trajectory import read_trajectory
from tests.build_data import hpvqa
from tests.factories import copy, make_data

FRAME = "VideoFrameReference:timestamp"


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return next(find_episodes(make_data(tmp_path_factory.mktemp("rerun") / "data", push=1)))


def test_what_a_data_set_has_an_episode_has_not(
    episode: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in ("--task=push", "--prompt=paper", "--media=clips", "--no-language"):
        assert hpvqa("export", "rerun", episode, "--out", tmp_path / "out.rrd", option) == 2
        assert f"{option.split('=')[0]} is for data sets" in capsys.readouterr().err
    (tmp_path / "out.rrd").touch()
    assert hpvqa("export", "rerun", episode, "--out", tmp_path / "out.rrd") == 2
    assert "exists already" in capsys.readouterr().err


class Recording:
    """What a recording holds, by entity."""

    def __init__(self, path: Path) -> None:
        from rerun.chunk import RrdReader

        self.chunks: dict[str, list[Any]] = {}
        self.blueprints = 0
        reader = RrdReader(path)
        self.blueprints = len(reader.blueprints())
        for chunk in reader.stream():
            self.chunks.setdefault(chunk.entity_path, []).append(chunk.to_record_batch())

    def values(self, path: str, component: str) -> Any:
        """The values of a component, of all chunks of an entity."""
        found = [
            value
            for batch in self.chunks[path]
            if component in batch.schema.names
            for value in batch.column(component).to_pylist()
        ]
        assert found, (path, component, [batch.schema.names for batch in self.chunks[path]])
        return found

    def times(self, path: str, component: str) -> list[float]:
        """When they hold [s]."""
        return [
            value.total_seconds()
            for batch in self.chunks[path]
            if component in batch.schema.names
            for value in batch.column("time").to_pylist()
        ]


@pytest.fixture(scope="module")
def recording(episode: Path, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    pytest.importorskip("rerun")
    from hpvqa.dataset.export.rerun import export_episode

    out = tmp_path_factory.mktemp("recording") / "one.rrd"
    with warnings.catch_warnings():
        # Rerun's own way to say that it was given something wrong.
        warnings.simplefilter("error")
        export_episode(episode, out)
    assert [path.name for path in out.parent.iterdir()] == ["one.rrd"]
    assert str(episode.parent.parent).encode() not in out.read_bytes()
    return Recording(out)


@pytest.fixture(scope="module")
def record(episode: Path) -> EpisodeRecord:
    return read_episode(episode)


def test_clips_are_embedded_as_they_are_and_each_frame_has_its_time(
    recording: Recording, record: EpisodeRecord
) -> None:
    assert record.video is not None
    for camera in record.cameras:
        path = f"/world/cameras/{camera.camera.name}"
        ((blob,),) = recording.values(path, "AssetVideo:blob")
        assert hashlib.sha256(bytes(blob)).hexdigest() == record.files[f"{camera.camera.name}.mp4"].sha256
        times = np.arange(record.video.frames) / record.video.fps
        assert np.allclose(recording.times(path, FRAME), times, atol=1e-6)
        assert np.allclose([value for (value,) in recording.values(path, FRAME)], 1e9 * times, atol=1e3)


def test_cameras_see_what_ours_see(recording: Recording, record: EpisodeRecord) -> None:
    assert record.video is not None
    for camera in record.cameras:
        path = f"/world/cameras/{camera.camera.name}"
        ((matrix,),) = recording.values(path, "Pinhole:image_from_camera")
        columns = np.reshape(matrix, (3, 3)).T
        assert np.allclose(columns, [[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
        assert recording.values(path, "Pinhole:resolution") == [[[record.video.width, record.video.height]]]
        assert np.allclose(recording.values(path, "Transform3D:translation")[0][0], camera.camera.position)
        x, y, z, w = recording.values(path, "Transform3D:quaternion")[0][0]
        assert np.allclose((w, x, y, z), camera.camera.quat_wxyz)


def test_poses_and_curves_are_those_of_the_trajectory(
    recording: Recording, record: EpisodeRecord, episode: Path
) -> None:
    rows = read_trajectory(episode / TRAJECTORY_FILE, record.spec.names)
    axis = record.task.probe.axis
    for name in record.spec.names:
        path, component = f"/world/things/{name}", "Transform3D:translation"
        assert np.allclose(recording.times(path, component), rows["time"], atol=1e-6)
        places = [place for (place,) in recording.values(path, component)]
        assert np.allclose(places, np.stack([rows[f"{name}_{part}"] for part in "xyz"], axis=1), atol=1e-6)
        turns = [turn for (turn,) in recording.values(path, "Transform3D:quaternion")]
        wanted = np.stack([rows[f"{name}_q{part}"] for part in "xyzw"], axis=1)
        assert np.allclose(turns, wanted, atol=1e-6)
        curve = [value for (value,) in recording.values(f"/curves/position/{name}", "Scalars:scalars")]
        assert np.allclose(curve, 100 * rows[f"{name}_{axis}"])


def test_events_and_words_are_there_and_the_viewer_is_told_how_to_open(
    recording: Recording, record: EpisodeRecord
) -> None:
    assert np.allclose(recording.times("/events", "TextLog:text"), [event.t for event in record.events], atol=1e-6)
    assert recording.blueprints == 1
    ((question,),) = recording.values("/question", "TextDocument:text")
    assert record.task.question in question
    ((truth,),) = recording.values("/truth", "TextDocument:text")
    assert f"answer: {record.task.answer(record.spec)}" in truth


def test_a_damaged_clip_leaves_no_file(episode: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rerun")
    damaged = copy(episode, tmp_path / "damaged")
    clip = next(damaged.glob("*.mp4"))
    clip.write_bytes(clip.read_bytes()[:-7])
    assert hpvqa("export", "rerun", damaged, "--out", tmp_path / "out.rrd") == 1
    assert f"{clip.name} is not what was recorded" in capsys.readouterr().err
    assert not (tmp_path / "out.rrd").exists()


def test_a_wrong_camera_is_named(episode: Path, tmp_path: Path) -> None:
    pytest.importorskip("rerun")
    from hpvqa.dataset.export.rerun import export_episode

    with pytest.raises(UsageError, match="no clip of a camera 'nonsense'"):
        export_episode(episode, tmp_path / "out.rrd", ["nonsense"])
