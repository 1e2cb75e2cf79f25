"""Where the clips of a LeRobotDataset are, of version 2 (a file an episode) or 3 (many episodes in a file)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpvqa.dataset.labels import camera_name
from hpvqa.errors import UsageError
from hpvqa.files import inside, is_file, read_bytes, read_json
from hpvqa.parquet import read_numbers
from hpvqa.plain import parse_json

_INFO = "meta/info.json"
_VERSION = re.compile(r"v([23])\.\d+")
_FIELD = re.compile(r"\{(\w+)(?::0(\d)d)?\}")
_LAYOUT = {
    2: "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
    3: "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
}
_CHUNK = 1000
_MOST_FPS = 1200
_MOST = 1e7
"""Longest time [s] and largest number of a file in the metadata."""
_METADATA = 32 << 20
"""Most bytes of the numbers in a file of episodes; a hundred thousand of them have 10 MB at most."""
_COLUMN = re.compile(r"episode_index|length|videos/.+/(chunk_index|file_index|from_timestamp|to_timestamp)")


@dataclass(frozen=True)
class Stretch:
    """Where the clip of one camera of one episode is.

    Attributes:
        video: The file.
        first: Number of its first frame in the file; None: the file holds nothing else.
        count: How many frames.
    """

    video: Path
    first: int | None
    count: int


@dataclass(frozen=True)
class LeRobotSource:
    """A LeRobotDataset.

    Attributes:
        root: Its folder.
        fps: Frame rate of all its videos [1/s].
        cameras: Features that are videos.
        version: 2 or 3.
        template: Where videos are.
        chunk: Episodes in a folder, in version 2.
        episodes: What is known of each episode, by its number.
    """

    root: Path
    fps: int
    cameras: Sequence[str]
    version: int
    template: str
    chunk: int
    episodes: Mapping[int, Mapping[str, Any]]

    def find(self, episode: int, key: str) -> Stretch:
        """Where the clip of a camera is.

        Raises:
            ValueError: It is not there, or outside of the data set; the message is the end of a sentence.
        """
        row = self.episodes[episode]
        places: dict[str, Any]
        if self.version == 2:
            places = {"episode_index": episode, "episode_chunk": episode // self.chunk}
            return Stretch(self._video(places, key), None, int(row["length"]))
        prefix = f"videos/{key}/"
        places = {name: row.get(prefix + name) for name in ("chunk_index", "file_index")}
        times: list[Any] = [row.get(f"{prefix}{end}_timestamp") for end in ("from", "to")]
        if not all(isinstance(value, (int, float)) and 0 <= value < _MOST for value in (*places.values(), *times)):
            raise ValueError(f"has no video of {key}, by the metadata")
        first, end = (round(time * self.fps) for time in times)
        if first >= end:
            raise ValueError(f"has a video of {key} that ends before it begins, by the metadata")
        return Stretch(self._video(places, key), first, end - first)

    def _video(self, places: Mapping[str, Any], key: str) -> Path:
        known = {**places, "video_key": key}

        # A template of a stranger is filled in by hand: str.format would look into objects.
        def value(match: re.Match[str]) -> str:
            if match[1] not in known:
                raise ValueError(f"has its video at {self.template}, which is not understood")
            text = str(known[match[1]])
            return text.zfill(int(match[2])) if match[2] else text

        name = _FIELD.sub(value, self.template)
        try:
            path = inside(self.root, name)
        except ValueError:
            raise ValueError(f"has its video at {name}, outside of the data set; put the file itself there") from None
        if not is_file(path):
            raise ValueError(f"has no video of {camera_name(key)}: {name} is missing")
        return path


def read_source(root: Path) -> LeRobotSource:
    """Read the metadata of a LeRobotDataset.

    Raises:
        UsageError: It is none, of a version that is not known, damaged, or has no videos.
    """
    try:
        info = read_json(root / _INFO)
        version = _VERSION.fullmatch(str(info["codebase_version"]))
        if version is None:
            raise UsageError(
                f"{root} is a LeRobot data set of version {info['codebase_version']}; those of version 2 and 3 "
                "are read, and LeRobot's own scripts convert others"
            )
        number, features, fps = int(version[1]), info["features"], info["fps"]
        cameras = [key for key, feature in features.items() if _is_video(feature)]
        chunk = info.get("chunks_size", _CHUNK)
        template = info.get("video_path") or _LAYOUT[number]
        if not 1 <= fps <= _MOST_FPS or fps != int(fps) or not (isinstance(chunk, int) and chunk > 0):
            raise ValueError(f"fps is {fps} and chunks_size is {chunk}")
        episodes = _episodes(root, number)
    except (FileNotFoundError, NotADirectoryError) as error:
        name = Path(error.filename or _INFO).name
        raise UsageError(f"{root} is no LeRobot data set: it has no {name} in meta") from None
    except OSError as error:
        raise UsageError(f"The metadata of {root} cannot be read: {error.strerror or error}") from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"The metadata of {root} are damaged: {error}") from None
    if not cameras:
        raise UsageError(f"{root} has no videos; if its cameras are single pictures, convert them with LeRobot first")
    return LeRobotSource(root, int(fps), cameras, number, str(template), chunk, episodes)


def _is_video(feature: Mapping[str, Any]) -> bool:
    """Whether a feature is a video of colours."""
    told = feature.get("info") or feature.get("video_info") or {}
    depth = told.get("is_depth_map") or told.get("video.is_depth_map")
    return feature["dtype"] == "video" and not depth


def _episodes(root: Path, version: int) -> dict[int, dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    if version == 2:
        rows = [parse_json(line) for line in read_bytes(root / "meta/episodes.jsonl").splitlines() if line.strip()]
    else:
        files = sorted((root / "meta/episodes").glob("*/*.parquet"))
        if not files:
            raise FileNotFoundError(2, "missing", "episodes/chunk-000/file-000.parquet")
        for path in files:
            rows += read_numbers(path, lambda name: _COLUMN.fullmatch(name) is not None, _METADATA).to_pylist()
    return {_count(row, "episode_index"): {**row, "length": _count(row, "length")} for row in rows}


def _count(row: Mapping[str, Any], name: str) -> int:
    value = row[name]
    if not 0 <= value < _MOST or value != int(value):
        raise ValueError(f"{name} of an episode is {value}")
    return int(value)
