"""A run's folder: ``run.json``, which says what is run, and ``predictions.jsonl``, to which answers are appended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import BeforeValidator, Field, JsonValue, ValidationError

from hpvqa.dataset.splits import Selection
from hpvqa.errors import RunError, UsageError
from hpvqa.evaluate.prediction import Prediction
from hpvqa.files import locked, write_json
from hpvqa.plain import Model, explain
from hpvqa.scene.spec import Side
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import PromptRecord
from hpvqa.vlm.protocol import Resampling

RUN_FILE = "run.json"
PREDICTIONS_FILE = "predictions.jsonl"


def _sorted_names(camera: object) -> object:
    return sorted(set(camera)) if isinstance(camera, list | tuple) else [camera]


Cameras = Annotated[tuple[str, ...], BeforeValidator(_sorted_names)]
"""Names of cameras, each once, in order; older runs have one alone."""


class RunSettings(Model):
    """``run.json``: everything that the answers of a run depend on."""

    schema_version: Literal[2] = 2
    backend: str
    model: str
    details: dict[str, JsonValue] = Field(
        default={}, description="What the backend adds: adapter and its hash, number format, scoring, transport."
    )
    dataset: str = Field(description="Folder of the data set, as it was given.")
    fingerprint: str = Field(description="SHA-256 of the data set's manifest.")
    split: Selection
    task: str | None = Field(description="The only task that is asked about; null: all.")
    camera: Cameras | None = Field(description="The only cameras whose clips are asked about; null: all.")
    episodes: tuple[int, ...] | None = Field(default=None, description="The only episodes asked about; null: all.")
    seed: int = Field(description="Random seed.")
    prompt: PromptRecord
    choices: tuple[Side, ...]
    frames: FrameSampling | None = Field(description="Which frames the model saw; null: it opened clips itself.")
    privileged: bool = Field(default=False, description="Whether anything was used that a camera does not see.")
    resampling: Resampling = Field(
        default="none", description="unknown: a server may have dropped frames again, and does not tell."
    )
    versions: dict[str, str]
    command: tuple[str, ...] = Field(default=(), description="The command line that began the run; empty: none did.")


class PredictionLog:
    """The predictions of a run, in memory and on disk.

    Args:
        file: ``predictions.jsonl``, open for reading and appending.
        path: Its name.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self.by_key: dict[tuple[str, str], Prediction] = {}
        """The latest prediction of each clip under each condition."""
        file.seek(0)
        data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            # The process that wrote it was killed in the middle of a line.
            file.truncate(len(whole))
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                prediction = Prediction.model_validate_json(line)
            except ValidationError as error:
                raise RunError(f"{path} line {number} is damaged ({explain(error)}); use another --out") from None
            self.by_key[prediction.key] = prediction

    def append(self, prediction: Prediction) -> None:
        """Add a prediction; it is safe from a kill of this process once this returns."""
        self._file.write(prediction.model_dump_json().encode() + b"\n")
        self._file.flush()
        self.by_key[prediction.key] = prediction


@contextmanager
def open_run(out: Path, settings: RunSettings) -> Iterator[PredictionLog]:
    """Begin a run, or go on with it.

    Raises:
        UsageError: The folder holds something else, or a run with other settings; the message names the differences.
        RunError: Another process is at work there, its files are damaged, or the disk does not take them.
    """
    found = _read_settings(out)
    if found is None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} exists and is not a run; choose another --out")
    if found is not None:
        different = _differences(found, settings)
        if different:
            raise UsageError(f"{out} is a run with other settings: {'; '.join(different)}; choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    path = out / PREDICTIONS_FILE
    with locked(path) as file:
        if found is None:
            write_json(out / RUN_FILE, settings.model_dump(mode="json"))
        yield PredictionLog(file, path)


def _read_settings(out: Path) -> RunSettings | None:
    path = out / RUN_FILE
    try:
        return RunSettings.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        raise UsageError(f"{path} is not of this version ({explain(error)}); choose another --out") from None


def _differences(there: RunSettings, here: RunSettings) -> list[str]:
    # The same data set may have moved, and other options may say the same.
    a, b = (settings.model_dump(mode="json", exclude={"dataset", "command"}) for settings in (there, here))
    return [f"{key} is {json.dumps(a[key])} there and {json.dumps(b[key])} here" for key in a if a[key] != b[key]]
