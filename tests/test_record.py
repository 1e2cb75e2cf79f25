import shutil
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from hpvqa.errors import RunError, UsageError
from hpvqa.files import file_record
from hpvqa.record.decode import iter_frames, read_frames
from hpvqa.record.episode import EpisodeRecord, episode_dir, find_episodes, publish, read_episode
from hpvqa.record.recorder import record_episodes
from hpvqa.record.trajectory import COMMAND, column_names, read_trajectory, write_trajectory
from hpvqa.record.video import ClipWriter
from hpvqa.scene.spec import SIDES
from hpvqa.sim import open_simulator
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import SteppedSimulator
from hpvqa.tasks import TASKS
from tests.needs import long_but
from tests.worlds import physics, sample

FPS = 2
SIZE = (96, 64)
QUICK = ("drop",)
"""Tasks that stand for all in `make test`."""


@pytest.fixture(scope="module")
def simulator() -> SteppedSimulator:
    return open_simulator(SIZE)


def record(task: str, index: int, folder: Path, simulator: SteppedSimulator) -> Path:
    folder.mkdir(parents=True)
    spec = sample(task, index)
    (made,) = record_episodes(simulator, [spec], [folder], fps=FPS, resolution=SIZE)
    final = episode_dir(folder.parent / "data", task, index)
    publish(folder, made, final)
    return final


@pytest.fixture(scope="module")
def episode_of(tmp_path_factory: pytest.TempPathFactory, simulator: SteppedSimulator) -> Callable[[str], Path]:
    """``episode_of(task)``: an episode of it, made once."""
    return cache(lambda task: record(task, 1, tmp_path_factory.mktemp(task) / "partial", simulator))


@pytest.fixture(params=long_but(TASKS, *QUICK))
def episode(request: pytest.FixtureRequest, episode_of: Callable[[str], Path]) -> Path:
    return episode_of(request.param)


def test_seven_clips_of_constant_frame_rate(episode: Path) -> None:
    made = read_episode(episode)
    assert made.outcome.ok, made.outcome.reason
    clips = sorted(episode.glob("*.mp4"))
    assert [clip.stem for clip in clips] == sorted(camera.camera.name for camera in made.cameras)
    assert len(clips) == 7
    for clip in clips:
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            assert stream.codec_context.name == "h264"
            assert stream.average_rate == FPS
            assert (stream.width, stream.height) == SIZE
            times = [frame.pts * stream.time_base for frame in container.decode(stream)]
        assert times == [Fraction(k, FPS) for k in range(round(made.duration * FPS))]


def test_the_trajectory_has_a_row_a_frame(episode: Path) -> None:
    made = read_episode(episode)
    names = made.spec.names
    rows = read_trajectory(episode / "trajectory.parquet", names)
    assert list(rows) == column_names(names)
    assert made.video is not None
    assert rows["time"] == pytest.approx(np.arange(made.video.frames) / FPS)
    for thing in made.spec.things:
        start = [rows[f"{thing.name}_{axis}"][0] for axis in "xyz"]
        assert start == pytest.approx(thing.position)


def test_a_row_holds_what_the_robot_is_told_next(episode: Path) -> None:
    made = read_episode(episode)
    rows = read_trajectory(episode / "trajectory.parquet", made.spec.names)
    planner = Planner(made.task.waypoints(made.spec))
    told = [planner.command(time) for time in rows["time"]]
    found = np.stack([rows[name] for name in COMMAND], axis=1)
    assert np.array_equal(found, [[*one.position, *one.quat_wxyz, one.closed] for one in told])
    # It leads, and the gripper follows: at the start they are at one place, and later they seldom are.
    lag = np.abs(found[:, :3] - np.stack([rows[f"ee_{axis}"] for axis in "xyz"], axis=1)).max(axis=1)
    assert lag[0] < 0.001 < lag.max() < 0.2


def test_trajectories_without_commands_stay_readable(episode: Path, tmp_path: Path) -> None:
    names = read_episode(episode).spec.names
    written = pq.read_table(episode / "trajectory.parquet")
    old = tmp_path / "trajectory.parquet"
    pq.write_table(written.drop_columns(list(COMMAND)).replace_schema_metadata(None), old)
    rows = read_trajectory(old, names)
    assert list(rows) == [name for name in column_names(names) if name not in COMMAND]
    # One that should have them is damaged, and what a newer hpvqa wrote is not guessed at.
    pq.write_table(written.drop_columns([COMMAND[0]]), old)
    with pytest.raises(RunError, match="damaged: it has no column command_x"):
        read_trajectory(old, names)
    pq.write_table(written.replace_schema_metadata({"schema_version": "3"}), old)
    with pytest.raises(RunError, match="is of version 3, newer than this hpvqa; update hpvqa"):
        read_trajectory(old, names)


def test_events_are_complete_and_in_order(episode: Path) -> None:
    made = read_episode(episode)
    assert [event.t for event in made.events] == sorted(event.t for event in made.events)
    wanted = {kind for kind, _ in made.task.probe.story} | {"first_touch"}
    for name in made.spec.names:
        assert wanted <= {event.kind for event in made.events if event.object == name}
    touched = {event.object: event.t for event in made.events if event.kind == "first_touch"}
    assert sorted(made.spec.order, key=touched.__getitem__) == list(made.spec.order)


def test_what_is_written_is_sealed(episode: Path) -> None:
    made = read_episode(episode)
    assert made.checksum == made.digest()
    assert set(made.files) == {path.name for path in episode.iterdir()} - {"episode.json"}
    for name, expected in made.files.items():
        assert file_record(episode / name) == expected
    assert EpisodeRecord.model_validate_json((episode / "episode.json").read_bytes()) == made


def test_clips_move_where_the_objects_move(episode: Path) -> None:
    made = read_episode(episode)
    for camera in made.cameras:
        frames = np.stack(list(iter_frames(episode / f"{camera.camera.name}.mp4"))).astype(float)
        assert np.abs(frames[1:] - frames[:-1]).mean() > 0.05


@pytest.mark.long  # test_same_bytes.py stands for it.
@pytest.mark.parametrize("tasks", [QUICK, tuple(TASKS)], ids=["one", "all"])
def test_the_same_episodes_again_have_the_same_bytes(
    tasks: tuple[str, ...], episode_of: Callable[[str], Path], tmp_path: Path, simulator: SteppedSimulator
) -> None:
    # The other way around, so that each is made after another episode than before, or after one instead of none.
    for task, episode in reversed([(task, episode_of(task)) for task in tasks]):
        again = record(task, 1, tmp_path / task / "partial", simulator)
        for path in episode.iterdir():
            assert (again / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("task", long_but(TASKS, "push"))
def test_without_video_there_is_only_physics(task: str, tmp_path: Path) -> None:
    counted: list[int] = []
    (made,) = record_episodes(physics(), [sample(task)], [tmp_path], fps=FPS, resolution=None, on_frames=counted.append)
    assert [path.name for path in tmp_path.iterdir()] == ["trajectory.parquet"]
    assert made.video is None
    assert made.cameras == ()
    assert sum(counted) == 0


def test_an_episode_appears_once_even_if_two_make_it(episode: Path, tmp_path: Path) -> None:
    made = read_episode(episode)
    data = tmp_path / "data"
    final = episode_dir(data, made.spec.task, made.spec.index)
    for number in range(2):
        partial = tmp_path / f"partial{number}"
        shutil.copytree(episode, partial)
        (partial / "episode.json").unlink()
        publish(partial, made, final)
        assert not partial.exists()
    assert list(find_episodes(data)) == [final]


def test_decoding_gives_the_frames_asked_for(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with ClipWriter(clip, 10, 64, 48) as writer:
        for level in range(0, 250, 10):
            writer.write(np.full((48, 64, 3), level, np.uint8))
    frames = read_frames(clip, [20, 3, 3])
    assert frames.shape == (3, 48, 64, 3)
    assert frames.mean(axis=(1, 2, 3)) == pytest.approx([200, 30, 30], abs=3)
    with pytest.raises(RunError, match="has no frame 25"):
        read_frames(clip, [25])


def test_a_broken_clip_is_one_sentence(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"not a clip")
    with pytest.raises(RunError, match="cannot be decoded"):
        list(iter_frames(clip))


def test_a_truncated_episode_is_one_sentence(episode: Path, tmp_path: Path) -> None:
    broken = tmp_path / "episode-000001"
    shutil.copytree(episode, broken)
    text = (broken / "episode.json").read_text()
    (broken / "episode.json").write_text(text[: len(text) // 2])
    with pytest.raises(UsageError, match="is damaged"):
        read_episode(broken)
    with pytest.raises(UsageError, match="not an episode"):
        read_episode(tmp_path)


def test_a_trajectory_whose_columns_have_no_names_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.parquet"
    write_trajectory(path, [[0.0] * len(column_names(SIDES))] * 3, SIDES)
    name = column_names(SIDES)[0].encode()
    path.write_bytes(path.read_bytes().replace(name, b"\xf1" * len(name)))
    with pytest.raises(RunError, match="cannot be read"):
        read_trajectory(path, SIDES)
