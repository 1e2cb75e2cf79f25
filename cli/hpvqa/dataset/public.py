"""Reading a data set in the public original's form: ``metadata.jsonl`` beside a folder of clips, one or several.

There, episode numbers repeat from one data folder to the next, file names begin with a path of the authors' machine,
and the stored question is not worded as the one that was asked. Here, an episode is known by its task, data folder and
number, and clips are found by the end of their path.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hpvqa.dataset.manifest import METADATA_FILE
from hpvqa.dataset.rows import Cluster
from hpvqa.dataset.splits import Split
from hpvqa.errors import UsageError
from hpvqa.files import inside, is_file, read_bytes
from hpvqa.plain import parse_json
from hpvqa.scene.spec import Side

_CLIP = re.compile(r"episode_(\d{1,9})_cam_([A-Za-z0-9_]+)\.mp4")
_VIEWPOINTS = ("From the perspective of the robot arm facing forward", "Looking from the front of the robot")
_QUESTION = re.compile(rf"(?:{'|'.join(_VIEWPOINTS)}), which (cube|sphere) ", re.IGNORECASE)
_MOST_VALUE = 5e5
"""Largest hidden value; see `Gap` for why."""
_TASK_OF = {"cube": "push", "sphere": "drop"}
_ANSWERS: Mapping[str, Side] = {"Left.": "left", "Right.": "right"}
_SPLIT_OF: Mapping[str, Split] = {"train": "train", "test": "eval", "eval": "eval", "val": "eval", "validation": "eval"}


@dataclass(frozen=True)
class Original:
    """A row of the original.

    Attributes:
        clip: Its video, or where it should be.
        task: The task that its question is about.
        source: Name of its data folder.
        declared: The split that its path names, if any.
        episode: Number of the episode in its data folder.
        camera: Name of the camera, without ``cam_``.
        answer: The answer.
        question: The stored question.
        values: Hidden values of the left and the right object, where they are stored.
    """

    clip: Path
    task: str
    source: str
    declared: Split | None
    episode: int
    camera: str
    answer: Side
    question: str
    values: tuple[float, float] | None

    @property
    def cluster(self) -> Cluster:
        """The episode that the row is about."""
        return (self.task, self.source, self.episode)


def read_originals(folder: Path) -> list[Original]:
    """Read every ``metadata.jsonl`` in a folder.

    Raises:
        UsageError: There are no rows, or some cannot be understood; the message names the first and how many.
    """
    files = _find_metadata(folder)
    if not files:
        raise UsageError(f"{folder} has no {METADATA_FILE} in it; give the folder of a data set in the original's form")
    rows: dict[tuple[Cluster, str], Original] = {}
    answers: dict[Cluster, Side] = {}
    bad: list[str] = []
    for file in files:
        try:
            lines = _lines(file)
        except ValueError as error:
            bad.append(f"{file} {error}")
            continue
        for number, line in enumerate(lines, 1):
            try:
                row = _locate(read_row(line), file, folder)
                if (row.cluster, row.camera) in rows:
                    raise ValueError("is about the same clip as an earlier line")
                if answers.setdefault(row.cluster, row.answer) != row.answer:
                    raise ValueError("contradicts another view of the same episode")
                rows[row.cluster, row.camera] = row
            except ValueError as error:
                bad.append(f"{file} line {number} {error}")
    if bad:
        raise UsageError(f"{first_of(bad)}; nothing was built")
    if not rows:
        raise UsageError(f"{files[0]} holds no rows; nothing was built")
    return list(rows.values())


def _find_metadata(folder: Path) -> list[Path]:
    """Every metadata file in a folder and in those that links in it lead to, each once; hidden folders hold no data."""
    found: dict[Path, Path] = {}
    seen: set[Path] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        path = Path(here)
        if path.resolve() in seen:
            folders.clear()
            continue
        seen.add(path.resolve())
        # Folders themselves before links to them.
        folders[:] = sorted(
            (name for name in folders if not name.startswith(".")), key=lambda name: ((path / name).is_symlink(), name)
        )
        if METADATA_FILE in names:
            found.setdefault((path / METADATA_FILE).resolve(), path / METADATA_FILE)
    return sorted(found.values())


def _lines(file: Path) -> list[bytes]:
    """The lines of a metadata file.

    Raises:
        ValueError: It cannot be read, or is not UTF-8; the message is the end of a sentence that says why.
    """
    try:
        data = read_bytes(file)
        data.decode()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8; save it as such") from None
    return data.splitlines()


def first_of(found: Sequence[str]) -> str:
    """The first of several complaints, and how many more there are."""
    return f"{found[0]} (and {len(found) - 1} more like it)" if len(found) > 1 else found[0]


@dataclass(frozen=True)
class Stated:
    """What one line says by itself, wherever its clip may be.

    Attributes:
        name: The clip, as it is written.
        folders: The folders in that name which say where a row comes from; the last one is the data folder.
        split: The split that these folders name, if any.
        task: The task that the question is about.
        episode: Number of the episode in its data folder.
        camera: Name of the camera, without ``cam_``.
        answer: The answer.
        question: The stored question.
        values: Hidden values of the left and the right object, where they are stored.
    """

    name: PurePosixPath
    folders: tuple[str, ...]
    split: Split | None
    task: str
    episode: int
    camera: str
    answer: Side
    question: str
    values: tuple[float, float] | None


def read_row(line: bytes) -> Stated:
    """Read one line of metadata, or of predictions, which have the same fields and more.

    Raises:
        ValueError: It is no row; the message is the end of a sentence that says why.
    """
    try:
        data = parse_json(line)
    except json.JSONDecodeError:
        data = None
    except ValueError as error:
        raise ValueError(f"cannot be used: {error}") from None
    if not isinstance(data, dict):
        raise ValueError("is not a JSON object")
    name = PurePosixPath(str(data.get("file_name")))
    match = _CLIP.fullmatch(name.name)
    if not match or ".." in name.parts:
        raise ValueError("has no file_name that ends in episode_<number>_cam_<camera>.mp4")
    asked = _QUESTION.match(str(data.get("question")))
    if not asked:
        raise ValueError("asks none of the known questions")
    answer = _ANSWERS.get(str(data.get("answer")))
    if answer is None:
        raise ValueError("has an answer that is neither Left. nor Right.")
    folders = tuple(part for part in name.parts[:-1] if part not in {"/", "videos"})
    return Stated(
        name=name,
        folders=folders,
        split=_split_in("/".join(folders)),
        task=_TASK_OF[asked[1].lower()],
        episode=int(match[1]),
        camera=match[2],
        answer=answer,
        question=asked.string,
        values=_values(data.get("values")),
    )


def _locate(row: Stated, file: Path, folder: Path) -> Original:
    """Say where a row of a file in the folder that is imported comes from, and where its clip is."""
    here = file.parent.relative_to(folder).parts
    folders = row.folders or (file.parent.resolve().name,)
    source = folders[-1]
    declared = _split_in("/".join((*here, *folders)))
    if declared is not None and _split_in(source) is None:
        # As in train/push and test/push, whose episodes must not be taken for the same.
        source = f"{source}_{declared}"
    return Original(
        clip=_find_clip(file.parent, row.name, folder),
        task=row.task,
        source=source,
        declared=declared,
        episode=row.episode,
        camera=row.camera,
        answer=row.answer,
        question=row.question,
        values=row.values,
    )


def _split_in(path: str) -> Split | None:
    """The split that a path names; the last word counts."""
    words = re.split(r"[^a-z]+", path.lower())
    return next((_SPLIT_OF[word] for word in reversed(words) if word in _SPLIT_OF), None)


def _find_clip(here: Path, name: PurePosixPath, folder: Path) -> Path:
    """The clip whose path ends as ``name`` does; where it should be if there is none.

    Raises:
        ValueError: The clip is a link out of the folder; the message is the end of a sentence.
    """
    parts = name.parts[1:] if name.is_absolute() else name.parts
    ends = ["/".join(parts[start:]) for start in range(len(parts))]
    end = next((end for end in ends if is_file(here / end)), "/".join(parts[-2:]))
    # A folder that a link leads to may be elsewhere; its clips are in it then.
    root = folder if here.resolve().is_relative_to(folder.resolve()) else here
    try:
        inside(root, (here / end).relative_to(root).as_posix())
    except ValueError:
        raise ValueError(f"names the clip {end}, a link out of its folder; put the clip itself there") from None
    return here / end


def _values(data: object) -> tuple[float, float] | None:
    """Hidden values of the left and the right object: number 01 stands on the left.

    Raises:
        ValueError: No things have such values.
    """
    if not isinstance(data, dict):
        return None
    found = {str(key)[-2:]: value for key, value in data.items() if type(value) in (int, float)}
    if any(abs(value) > _MOST_VALUE for value in found.values()):
        raise ValueError("has hidden values that no thing has")
    return (float(found["01"]), float(found["02"])) if found.keys() == {"01", "02"} else None
