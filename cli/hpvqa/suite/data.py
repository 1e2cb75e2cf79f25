"""The rendered suite: a folder that is made once and shared by all models that are scored on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from hpvqa.collect.estimate import Estimate, estimate
from hpvqa.collect.mujoco import mujoco_pool
from hpvqa.collect.pool import ChildPool
from hpvqa.collect.run import Request, collect
from hpvqa.collect.settings import installed_versions, read_collection
from hpvqa.dataset.build import Questions, build
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.dataset.manifest import is_dataset
from hpvqa.dataset.rows import ValueRow
from hpvqa.dataset.splits import SPLITS
from hpvqa.dataset.verify import verify
from hpvqa.errors import RunError, UsageError
from hpvqa.explore.evaluation import digest as scenes_digest
from hpvqa.explore.folder import WORLDS_FILE, draw
from hpvqa.files import check_target, read_bytes, write_json
from hpvqa.plain import Model, explain
from hpvqa.progress.reporter import Reporter
from hpvqa.sim import prepare
from hpvqa.suite.definition import Part, Suite
from hpvqa.tasks.base import FORMS
from hpvqa.versions import versions_of

SUITE_FILE = "suite.json"
SCENES = "scenes"
REFERENCES_FOLDER = "references"
_SCENE_PACKAGES = ("mujoco-core", "numpy", "pillow")
_DRAWING = ("renderer", "mujoco-core")
"""What the pictures of scenes depend on."""
_SCENE_SECONDS = 4.5
"""How long drawing and checking a scene takes one worker [s], about."""


class DataRecord(Model):
    """``suite.json``: what a folder of a rendered suite holds."""

    kind: Literal["hpvqa-suite"] = "hpvqa-suite"
    schema_version: Literal[1] = 1
    suite: str
    digest: str


@dataclass(frozen=True)
class Data:
    """A folder of a rendered suite.

    Attributes:
        suite: Which suite.
        root: The folder.
    """

    suite: Suite
    root: Path

    def episodes(self, part: Part) -> Path:
        """The data folder of a part."""
        return self.root / part.name / "episodes"

    def dataset(self, part: Part) -> Path:
        """The data set of a part."""
        return self.root / part.name / "dataset"

    @property
    def scenes(self) -> Path:
        """The folder of the scenes."""
        return self.root / SCENES

    def reference(self, name: str, part: str) -> Path:
        """The run of a baseline or ceiling on a part, which all models share."""
        return self.references / name / part

    @property
    def references(self) -> Path:
        """The folder of all these runs."""
        return self.root / REFERENCES_FOLDER

    def request(self, part: Part) -> Request:
        """The episodes that a part should have."""
        versions = installed_versions(part.recipe.backend, list(part.tasks))
        return Request(self.episodes(part), part.collection(versions), part.tasks)

    def estimates(self, workers: int) -> dict[str, Estimate]:
        """What each part would take; nothing is written.

        Args:
            workers: Processes at work.
        """
        return {part.name: estimate(self.request(part), part.recipe, workers) for part in self.suite.parts()}

    def scenes_missing(self) -> int:
        """How many scenes are not drawn yet."""
        return self.suite.size.scenes - sum(1 for _ in self.scenes.glob("*/[0-9]*/scene-*.json"))

    def scene_seconds(self, workers: int) -> float:
        """How long it takes to draw those [s], about.

        Args:
            workers: Processes at work.
        """
        return max(self.scenes_missing(), 0) * _SCENE_SECONDS / workers


def check_data(data: Data, digest: str) -> None:
    """Make sure, before any work, that a folder is new, empty, or holds this suite.

    Args:
        data: The folder.
        digest: That of the suite's plans.

    Raises:
        UsageError: It holds something else, or another suite.
        RunError: Its record is damaged.
    """
    root, name = data.root, data.suite.name
    check_target(root, folder=True)
    record = read_record(root)
    if record is None:
        # A process that was killed in its first moments leaves no more than this.
        if root.exists() and any(path.name != f"{SUITE_FILE}.partial" for path in root.iterdir()):
            raise UsageError(f"{root} holds something that is no suite; choose an empty or a new folder as --data")
        return
    if (record.suite, record.digest) != (name, digest):
        raise UsageError(f"{root} holds the suite {record.suite}, not {name}; choose another folder as --data")


def read_record(root: Path) -> DataRecord | None:
    """What a folder holds; None if it is no suite.

    Raises:
        RunError: Its record is damaged.
    """
    path = root / SUITE_FILE
    try:
        return DataRecord.model_validate_json(read_bytes(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        raise RunError(f"{path} is damaged ({explain(error)}); choose another folder as --data") from None


def begin(data: Data, digest: str) -> None:
    """Write down what a folder will hold."""
    if read_record(data.root) is None:
        data.root.mkdir(parents=True, exist_ok=True)
        record = DataRecord(suite=data.suite.name, digest=digest)
        write_json(data.root / SUITE_FILE, record.model_dump(mode="json"))


def collect_part(data: Data, part: Part, workers: int, reporter: Reporter, clock: Callable[[], float]) -> None:
    """Make the episodes that a part lacks.

    Raises:
        KeyboardInterrupt: It was interrupted; what was finished stays.
    """

    def open_pool(missing: int) -> ChildPool:
        prepare(part.recipe.backend, draws=True, tell=reporter.note)
        return mujoco_pool(min(workers, missing))

    if collect(data.request(part), open_pool, reporter, clock).status == "interrupted":
        raise KeyboardInterrupt


def build_part(data: Data, part: Part, reporter: Reporter) -> None:
    """Make the data set of a part; one that is there is checked, file by file.

    Raises:
        RunError: A file is missing or damaged.
    """
    out = data.dataset(part)
    if not is_dataset(out):
        build(data.episodes(part), out, reporter, recipe=part.recipe, questions=Questions(tuple(FORMS)))
        return
    problems = verify(out, reporter).problems
    if problems:
        raise RunError(f"{out} is damaged: {problems[0].file} {problems[0].detail}; delete {out}, and run this again")


def draw_scenes(data: Data, workers: int, reporter: Reporter) -> None:
    """Draw the scenes that are missing."""
    missing = data.scenes_missing()
    if missing:
        prepare("mujoco", draws=True, tell=reporter.note)
    if missing or not (data.scenes / WORLDS_FILE).is_file():
        draw(data.scenes, data.suite.worlds, workers, reporter)


def fingerprint(dataset: Dataset) -> str:
    """SHA-256 of what anybody is shown and asked: every question with its answer, and the bytes of every clip.

    It says nothing of the machine: neither of the versions that recorded the clips nor of where they lie.

    Raises:
        RunError: The data set is damaged.
    """
    lines = []
    for split in SPLITS:
        for row in dataset.rows(split):
            clip = dataset.manifest.files[f"{split}/{row.file_name}"].sha256
            answer = row.value if isinstance(row, ValueRow) else row.answer
            lines.append(json.dumps([split, row.key, row.question, answer, clip]))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def fingerprints(data: Data) -> dict[str, str]:
    """The fingerprint of each part, and that of the scenes.

    Pictures of scenes are drawn while they are played, so that theirs is of the scenes and of what draws them here.

    Raises:
        RunError: Something is missing or damaged.
    """
    found = {part.name: fingerprint(open_dataset(data.dataset(part))) for part in data.suite.parts()}
    drawn = installed_versions("mujoco", ())
    lines = [scenes_digest(data.scenes), *(f"{name} {drawn.get(name)}" for name in _DRAWING)]
    return {**found, SCENES: hashlib.sha256("\n".join(lines).encode()).hexdigest()}


def versions(data: Data) -> dict[str, str]:
    """What the pictures were made with: packages, and what draws."""
    collections = [read_collection(data.episodes(part)) for part in data.suite.parts()]
    return dict(sorted({**versions_of(_SCENE_PACKAGES), **(collections[0].versions if collections[0] else {})}.items()))
