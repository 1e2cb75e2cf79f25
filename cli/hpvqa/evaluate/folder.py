"""A run's folder: ``run.json``, which says what is run, and ``predictions.jsonl``, to which answers are appended."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import Field, JsonValue, ValidationError, model_validator

from hpvqa.errors import OtherRunError, RunError, UsageError
from hpvqa.evaluate.prediction import Reply, TrialKey, parse_reply
from hpvqa.evaluate.select import Rows
from hpvqa.files import check_target, locked, read_bytes, write_json
from hpvqa.plain import explain
from hpvqa.record.fitting import Size
from hpvqa.scene.spec import Side
from hpvqa.vlm.frames.sampling import FrameSampling, squeezed_before
from hpvqa.vlm.prompt import PromptRecord
from hpvqa.vlm.protocol import Resampling

RUN_FILE = "run.json"
PREDICTIONS_FILE = "predictions.jsonl"


class RunSettings(Rows):
    """``run.json``: everything that the answers of a run depend on."""

    schema_version: Literal[2, 3, 4] = 4
    backend: str
    model: str
    details: dict[str, JsonValue] = Field(
        default={}, description="What the backend adds: adapter and its hash, number format, scoring, transport."
    )
    dataset: str = Field(description="Folder of the data set, as it was given.")
    fingerprint: str = Field(description="SHA-256 of the data set's manifest.")
    sizes: tuple[Size, ...] = Field(
        default=(), description="Width and height of the clips [pixels], each once; none: it is not known."
    )
    seed: int = Field(description="Random seed.")
    prompt: PromptRecord
    choices: tuple[Side, ...]
    frames: FrameSampling | None = Field(description="Which frames the model saw; null: it opened clips itself.")
    privileged: bool = Field(default=False, description="Whether anything was used that a camera does not see.")
    resampling: Resampling = Field(
        default="none", description="unknown: a server may have dropped frames again, and does not tell."
    )
    views: dict[str, tuple[str, ...]] = Field(
        default={}, description="The cameras of each task that the model was trained on; none: it is not known."
    )
    versions: dict[str, str] = Field(description="Of this package and of those that the answerer uses.")
    command: tuple[str, ...] = Field(default=(), description="The command that makes this run; empty: not known.")

    @property
    def drawn(self) -> str | None:
        """Where its probabilities come from, if they are shares of answers that were drawn; else None."""
        if self.details.get("scoring") != "sample":
            return None
        return f"its probabilities are shares of {self.details.get('samples')} drawn answers, no log-probabilities"

    @model_validator(mode="before")
    @classmethod
    def _squeezed_at_first(cls, given: Any) -> Any:
        early = isinstance(given, dict) and given.get("schema_version") in (2, 3)
        return squeezed_before(given, "frames") if early else given


def parse_predictions(data: bytes, path: Path) -> tuple[dict[TrialKey, Reply], int]:
    """What a file of predictions says, as far as its lines are whole.

    Args:
        data: The file.
        path: Its name.

    Returns:
        The latest prediction of each clip under each condition, and how many bytes its whole lines have.

    Raises:
        RunError: A line is damaged.
    """
    size = data.rfind(b"\n") + 1
    found: dict[TrialKey, Reply] = {}
    for number, line in enumerate(data[:size].splitlines(), 1):
        try:
            prediction = parse_reply(line)
        except ValidationError as error:
            raise RunError(
                f"{path} line {number} is damaged ({explain(error)}); take the line out, or use another folder"
            ) from None
        found[prediction.key] = prediction
    return found, size


class PredictionLog:
    """The predictions of a run, in memory and on disk.

    Args:
        file: ``predictions.jsonl``, open for reading and appending.
        path: Its name.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path
        file.seek(0)
        data = file.read()
        self.by_key, size = parse_predictions(data, path)
        """The latest prediction of each clip under each condition."""
        if size < len(data):
            # The process that wrote it was killed in the middle of a line.
            file.truncate(size)

    def append(self, prediction: Reply) -> None:
        """Add a prediction; it is safe from a kill of this process once this returns.

        Raises:
            RunError: The disk does not take it.
        """
        try:
            self._file.write(prediction.model_dump_json().encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise RunError(
                f"{self._path} cannot be written: {error.strerror}; what was answered stays, the same command goes on"
            ) from None
        self.by_key[prediction.key] = prediction


def check_run_folder(out: Path) -> None:
    """Make sure, before anything takes time, that a folder can hold a run: it is new, empty, or holds one.

    Raises:
        UsageError: Something else is there, or in the way.
    """
    check_target(out, folder=True)
    names = {path.name for path in out.iterdir()} if out.exists() else set()
    if RUN_FILE in names:
        return
    # A run that was killed in its first moments leaves no more than these.
    log = out / PREDICTIONS_FILE
    begun = names <= {PREDICTIONS_FILE, f"{RUN_FILE}.partial"} and (not log.exists() or log.stat().st_size == 0)
    if not begun:
        raise OtherRunError(out, f"{out} exists and is not a run", "choose another --out")


@contextmanager
def open_run(out: Path, settings: RunSettings, *, restart: bool = False) -> Iterator[PredictionLog]:
    """Begin a run, or go on with it.

    Args:
        out: Its folder.
        settings: What ``run.json`` is to say.
        restart: Whether to drop the answers of a run that is there, and begin anew.

    Raises:
        UsageError: The folder holds something else, or a run with other settings; the message names the differences.
        RunError: Another process is at work there, its files are damaged, or the disk does not take them.
    """
    check_run_folder(out)
    out.mkdir(parents=True, exist_ok=True)
    path = out / PREDICTIONS_FILE
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is not a file; choose another --out")
    with locked(path) as file:
        # Only now is it certain that nobody else begins a run here.
        found = read_settings(out / RUN_FILE)
        if found is not None and not restart:
            settings = _going_on(out, found, settings)
        else:
            _empty(file, path)
        if settings != found:
            write_json(out / RUN_FILE, settings.model_dump(mode="json"))
        yield PredictionLog(file, path)


def _empty(file: IO[bytes], path: Path) -> None:
    """Drop all answers for good: those of other settings must be gone before ``run.json`` says otherwise.

    Raises:
        RunError: The disk does not take it.
    """
    try:
        file.truncate(0)
        os.fsync(file.fileno())
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}") from None


def read_settings(path: Path) -> RunSettings | None:
    """The settings of a run; None if there are none.

    Raises:
        UsageError: The file cannot be understood.
        OSError: It cannot be read.
    """
    try:
        return RunSettings.model_validate_json(read_bytes(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        what = f"{path} cannot be understood, perhaps since a newer hpvqa wrote it ({explain(error)})"
        raise OtherRunError(path.parent, what, "use another folder") from None


_FREE = ("schema_version", "dataset", "sizes", "command", "limit", "views")
"""What may differ: a data set may have moved, other options may say the same, and more rows may be asked about."""
_FITTED = {"pad": "padded", "squeeze": "squeezed"}


def _going_on(out: Path, there: RunSettings, here: RunSettings) -> RunSettings:
    """What ``run.json`` says once a run goes on.

    Raises:
        UsageError: An answer may depend on what differs.
    """
    a, b = (settings.model_dump(mode="json", exclude=set(_FREE)) for settings in (there, here))
    # Whatever else was installed when the run began does not matter.
    a["versions"] = {name: there.versions.get(name, version) for name, version in here.versions.items()}
    if there.frames and here.frames and here.frames.suits(here.sizes):
        a["frames"]["fit"] = b["frames"]["fit"]
    different = differences(a, b)
    if different:
        what = f"{out} is a run with other settings: {'; '.join(different)}"
        raise OtherRunError(out, what, "give the same options, choose another --out, or begin anew with --restart")
    limits = (there.limit, here.limit)
    limit = None if None in limits else max(number for number in limits if number is not None)
    return here.model_copy(update={"limit": limit, "command": there.command or here.command})


def differences(there: Mapping[str, Any], here: Mapping[str, Any], of: str = "") -> list[str]:
    """In words, what two mappings of the same form have different."""
    found: list[str] = []
    for name in dict.fromkeys((*there, *here)):
        a, b = there.get(name), here.get(name)
        if a == b:
            continue
        if name == "prompt" and a is not None and b is not None:
            # Their words are too long to be shown.
            a, b = (f"{prompt['name']} version {prompt['version']} ({prompt['sha256'][:8]})" for prompt in (a, b))
        if name == "fit" and a is not None and b is not None:
            found.append(f"frames were {_FITTED[a]} and are {_FITTED[b]} now")
        elif name == "fingerprint":
            found.append("the data set holds other rows or clips now")
        elif isinstance(a, Mapping) and isinstance(b, Mapping):
            found += differences(a, b, "version of " if name == "versions" else "" if name == "details" else f"{name} ")
        else:
            found.append(f"{of}{name.replace('_', ' ')} was {_said(a)} and is {_said(b)} now")
    return found


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value))
    if value is None:
        return "not set"
    # Nobody reads a whole SHA-256.
    return re.sub(r"\b([0-9a-f]{8})[0-9a-f]{56}\b", r"\1…", str(value))
