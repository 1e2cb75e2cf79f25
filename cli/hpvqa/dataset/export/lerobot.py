"""A LeRobotDataset of version 3.0: what the robot did, its clips, and the questions about them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hpvqa.dataset.export.base import Example, Export, Job
from hpvqa.dataset.export.check import check_files
from hpvqa.dataset.export.joining import JoinedClips, coding
from hpvqa.dataset.export.lerobot_card import VERSION, write_card
from hpvqa.dataset.export.lerobot_stats import Statistics
from hpvqa.dataset.rows import Cluster
from hpvqa.dataset.splits import Split
from hpvqa.errors import RunError, UsageError
from hpvqa.files import write_json
from hpvqa.record.episode import RECORD_FILE, TRAJECTORY_FILE, EpisodeRecord, read_episode
from hpvqa.record.trajectory import COMMAND, read_trajectory

_CHUNK = 1000
"""Files in a folder, at most."""
_DATA_MB, _VIDEO_MB = 100, 200
"""Sizes after which a new file begins, as LeRobot has them [MiB]."""
_STATE = (*(f"joint_{number}" for number in range(1, 8)), "gripper")
_EVENT = pa.struct(
    [*((name, pa.string()) for name in ("role", "content", "style", "camera")), ("tool_calls", pa.list_(pa.string()))]
)
_COUNTS = ("frame_index", "episode_index", "index", "task_index")

_NO_ACTION = (
    "There is no action column, for some of these episodes were recorded by an older hpvqa, which did not record what "
    "the robot is told; collect them again to have one"
)


@dataclass(frozen=True)
class _Episode:
    """An episode to export: its split, folder, record, and what is asked about it."""

    split: Split
    folder: Path
    record: EpisodeRecord
    examples: Sequence[Example]
    columns: Mapping[str, NDArray[np.float32]]

    @property
    def frames(self) -> int:
        assert self.record.video is not None  # noqa: S101 - episodes of a data set have clips
        return self.record.video.frames

    def clip(self, camera: str) -> Path:
        return self.folder / f"{camera}.mp4"

    def numbers(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Columns of the trajectory side by side, shape (frames, names)."""
        return np.stack([self.columns[name] for name in names], axis=1)


def _write(root: Path, job: Job) -> list[str]:
    episodes = _episodes(job)
    cameras = sorted({example.row.camera for example in job.examples})
    fps, size = _common_format(episodes, cameras)
    # What is a column of one must be one of all.
    commanded = all(COMMAND[0] in episode.columns for episode in episodes)
    vectors = {"observation.state": _STATE, **({"action": COMMAND} if commanded else {})}
    statistics = Statistics()
    rows: list[dict[str, Any]] = []
    files = list(_files(episodes, cameras))
    job.reporter.start("export", "episodes", len(episodes))
    first = frame = 0
    for number, group in enumerate(files):
        place = {"chunk_index": number // _CHUNK, "file_index": number % _CHUNK}
        name = "chunk-{chunk_index:03d}/file-{file_index:03d}".format(**place)
        numbers = _numbers(group, vectors, first, frame, fps)
        _write_data(root / f"data/{name}.parquet", numbers, group, job.language)
        of_group, begin = _write_clips(root, name, group, cameras, fps), frame
        for episode, columns in zip(group, of_group, strict=True):
            paths = {f"{kind}/{key}": value for kind in ("data", "meta/episodes") for key, value in place.items()}
            paths |= {f"videos/{_key(camera)}/{key}": value for camera in cameras for key, value in place.items()}
            within = slice(frame - begin, frame - begin + episode.frames)
            own = {key: values[within] for key, values in numbers.items()}
            clips = {_key(camera): episode.clip(camera) for camera in cameras}
            rows.append(
                {
                    "episode_index": len(rows),
                    "tasks": [episode.record.task.title],
                    "length": episode.frames,
                    "dataset_from_index": frame,
                    "dataset_to_index": frame + episode.frames,
                    **paths,
                    **columns,
                    **_hidden(episode),
                    **statistics.of_episode(own, clips, episode.frames),
                }
            )
            job.reporter.item(episode.folder.name)
            frame += episode.frames
        _save(root / f"meta/episodes/{name}.parquet", pa.Table.from_pylist(rows[first:]))
        first = len(rows)
    job.reporter.done()
    task = episodes[0].record.task
    _write_tasks(root / "meta/tasks.parquet", task.title)
    write_json(root / "meta/info.json", _info(episodes, cameras, fps, size, vectors, job.language))
    write_json(root / "meta/stats.json", statistics.of_all())
    frames = sum(episode.frames for episode in episodes)
    write_card(root, episodes[0].record.task, len(episodes), frames, commanded=commanded, language=job.language)
    return [] if commanded else [_NO_ACTION]


def _episodes(job: Job) -> list[_Episode]:
    """The episodes of the examples, one split after the other.

    Raises:
        UsageError: They are of several tasks, or nothing but clips is known of them.
        RunError: One is damaged.
    """
    tasks = list(dict.fromkeys(example.row.task for example in job.examples))
    if len(tasks) > 1:
        raise UsageError(
            f"LeRobot has one frame rate and one set of cameras a data set, and this one holds {' and '.join(tasks)}; "
            "export each by itself with --task"
        )
    found: dict[tuple[Split, Cluster], list[Example]] = {}
    for split, examples in job.by_split().items():
        for example in examples:
            found.setdefault((split, example.row.cluster), []).append(example)
    folders = {key: PurePosixPath(key[0]) / PurePosixPath(some[0].row.file_name).parent for key, some in found.items()}
    names = [f"{folder}/{name}" for folder in folders.values() for name in (RECORD_FILE, TRAJECTORY_FILE)]
    if not any(name in job.dataset.manifest.files for name in names):
        raise UsageError(f"{job.dataset.root} was imported and has no trajectories; export it in another format")
    check_files(job.dataset, names, job.reporter)
    return [_episode(key[0], job.dataset.root / folder, found[key]) for key, folder in folders.items()]


def _episode(split: Split, folder: Path, examples: Sequence[Example]) -> _Episode:
    record = read_episode(folder)
    path = folder / TRAJECTORY_FILE
    found = read_trajectory(path, record.spec.names)
    kept = {name: found[name].astype(np.float32) for name in (*_STATE, *COMMAND) if name in found}
    episode = _Episode(split, folder, record, examples, kept)
    if (rows := len(found["time"])) != episode.frames:
        raise RunError(f"The trajectory {path} is damaged: it has {rows} rows for {episode.frames} frames")
    return episode


def _common_format(episodes: Sequence[_Episode], cameras: Sequence[str]) -> tuple[int, tuple[int, int]]:
    """Frame rate [1/s], width and height [pixels] of all clips.

    Raises:
        UsageError: They differ, or so do the cameras.
    """
    formats = {(v.fps, v.width, v.height) for v in (episode.record.video for episode in episodes) if v is not None}
    if len(formats) > 1:
        words = " and ".join(f"{width}x{height} at {fps} a second" for fps, width, height in sorted(formats))
        raise UsageError(f"LeRobot has one format of clips a data set, and these are {words}; build them apart")
    for episode in episodes:
        missing = set(cameras) - {example.row.camera for example in episode.examples}
        if missing:
            raise UsageError(f"{episode.folder} was not seen by {min(missing)}; choose the others with --camera")
    fps, width, height = formats.pop()
    return fps, (width, height)


def _files(episodes: Sequence[_Episode], cameras: Sequence[str]) -> Iterator[list[_Episode]]:
    """The episodes that go into one file of each kind."""
    group: list[_Episode] = []
    sizes = dict.fromkeys(cameras, 0)
    codings: list[bytes] = []
    for episode in episodes:
        clips = {camera: episode.clip(camera) for camera in cameras}
        new = {camera: clip.stat().st_size for camera, clip in clips.items()}
        found = [coding(clip) for clip in clips.values()]
        if group and (found != codings or any(sizes[camera] + new[camera] > _VIDEO_MB << 20 for camera in cameras)):
            yield group
            group, sizes = [], dict.fromkeys(cameras, 0)
        codings = found
        group.append(episode)
        sizes = {camera: sizes[camera] + new[camera] for camera in cameras}
    yield group


def _write_clips(
    root: Path, name: str, group: Sequence[_Episode], cameras: Sequence[str], fps: int
) -> list[dict[str, float]]:
    """Write a file for each camera.

    Returns:
        For each episode, when it begins and ends in each of them [s].
    """
    columns: list[dict[str, float]] = []
    with ExitStack() as stack:
        joined = {}
        for camera in cameras:
            path = root / f"videos/{_key(camera)}/{name}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            joined[camera] = stack.enter_context(JoinedClips(path, fps))
        for episode in group:
            times = {}
            for camera, file in joined.items():
                times[f"videos/{_key(camera)}/from_timestamp"] = file.frames / fps
                file.append(episode.clip(camera), episode.frames)
                times[f"videos/{_key(camera)}/to_timestamp"] = file.frames / fps
            columns.append(times)
    return columns


def _numbers(
    group: Sequence[_Episode], vectors: Mapping[str, Sequence[str]], first: int, frame: int, fps: int
) -> dict[str, NDArray[Any]]:
    """A row a frame; ``first`` is the number of the first episode, ``frame`` that of its first frame."""
    lengths = [episode.frames for episode in group]
    within = np.concatenate([np.arange(length) for length in lengths])
    return {
        **{key: np.concatenate([episode.numbers(names) for episode in group]) for key, names in vectors.items()},
        "timestamp": (within / fps).astype(np.float32),
        "frame_index": within,
        "episode_index": np.repeat(np.arange(first, first + len(group)), lengths),
        "index": frame + np.arange(len(within)),
        "task_index": np.zeros(len(within), np.int64),
    }


def _write_data(path: Path, numbers: Mapping[str, NDArray[Any]], group: Sequence[_Episode], language: bool) -> None:
    columns = {
        name: pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])
        if values.ndim > 1
        else pa.array(values)
        for name, values in numbers.items()
    }
    if language:
        events: list[list[list[dict[str, Any]]]] = [[[]] * (one.frames - 1) + [_events(one)] for one in group]
        columns["language_events"] = pa.array([row for rows in events for row in rows], pa.list_(_EVENT))
    _save(path, pa.table(columns))


def _events(episode: _Episode) -> list[dict[str, Any]]:
    """Each question with its answer, as LeRobot has what is asked of a camera's picture."""
    return [
        {"role": role, "content": text, "style": "vqa", "camera": _key(example.row.camera), "tool_calls": None}
        for example in episode.examples
        for role, text in (("user", example.text), ("assistant", example.row.answer))
    ]


def _hidden(episode: _Episode) -> dict[str, Any]:
    """Columns to choose episodes by."""
    row, spec = episode.examples[0].row, episode.record.spec
    values = {f"value_{name}": float(value) for name, value in (row.values or {}).items()}
    answer = episode.record.task.answer(spec)
    known = {"split": episode.split, "task": row.task, "source": row.source, "episode": row.episode}
    return {**known, "seed": spec.seed, "answer": answer, **values}


def _key(camera: str) -> str:
    return f"observation.images.{camera}"


def _save(path: Path, table: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd")


def _write_tasks(path: Path, title: str) -> None:
    """Write the only task; pandas, by which it is read, finds its index in the metadata."""
    columns = [("task_index", "int64", "int64"), ("task", "unicode", "object")]
    told = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [
            {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}
            for name, kind, numpy in columns
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    table = pa.table({"task_index": pa.array([0], pa.int64()), "task": pa.array([title])})
    _save(path, table.replace_schema_metadata({"pandas": json.dumps(told)}))


def _info(
    episodes: Sequence[_Episode],
    cameras: Sequence[str],
    fps: int,
    size: tuple[int, int],
    vectors: Mapping[str, Sequence[str]],
    language: bool,
) -> dict[str, Any]:
    width, height = size
    told = {
        "video.height": height,
        "video.width": width,
        "video.codec": "h264",
        "video.pix_fmt": "yuv420p",
        "video.fps": fps,
        "video.channels": 3,
        "is_depth_map": False,
        "has_audio": False,
    }
    video = {"dtype": "video", "shape": [height, width, 3], "names": ["height", "width", "channels"], "info": told}
    features: dict[str, Any] = {
        **{key: {"dtype": "float32", "shape": [len(names)], "names": list(names)} for key, names in vectors.items()},
        **{_key(camera): video for camera in cameras},
        "timestamp": {"dtype": "float32", "shape": [1], "names": None},
        **{name: {"dtype": "int64", "shape": [1], "names": None} for name in _COUNTS},
    }
    if language:
        features["language_events"] = {"dtype": "language", "shape": [1], "names": None}
    splits: dict[str, str] = {}
    for number, episode in enumerate(episodes):
        begin = splits.get(episode.split, f"{number}:").partition(":")[0]
        splits[episode.split] = f"{begin}:{number + 1}"
    return {
        "codebase_version": VERSION,
        "robot_type": "panda",
        "total_episodes": len(episodes),
        "total_frames": sum(episode.frames for episode in episodes),
        "total_tasks": 1,
        "chunks_size": _CHUNK,
        "data_files_size_in_mb": _DATA_MB,
        "video_files_size_in_mb": _VIDEO_MB,
        "fps": fps,
        "splits": splits,
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        "features": features,
    }


EXPORT = Export(_write, frozenset({"language"}))
