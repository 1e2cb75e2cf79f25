"""Reading a run's folder, also while it is being written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.dataset.splits import SPLITS
from hpvqa.errors import HpvqaError, RunError, UsageError
from hpvqa.evaluate.conditions import CONDITIONS
from hpvqa.evaluate.folder import PREDICTIONS_FILE, RUN_FILE, RunSettings
from hpvqa.evaluate.prediction import Prediction
from hpvqa.plain import explain
from hpvqa.report.source import Run

_PARENTS = 3
"""How far above a run its data set may lie, where the run names it by a relative path."""


def read_folder(folder: Path) -> Run:
    """Read a run that `hpvqa eval` made.

    Raises:
        UsageError: It was made by another version, or holds no answers yet.
        RunError: It is damaged.
    """
    settings = _read_settings(folder / RUN_FILE)
    notes: list[str] = []
    predictions = _read_predictions(folder / PREDICTIONS_FILE, notes)
    if not predictions:
        raise UsageError(f"{folder} holds no answers yet; run `hpvqa eval` again to go on with it")
    dataset = _find_dataset(settings, folder)
    missing = None
    if dataset is None:
        notes.append(f"its data set {settings.dataset} is not here, so clips and missing rows cannot be told")
    else:
        try:
            missing = _missing(dataset, settings, predictions)
        except HpvqaError as error:
            notes.append(f"clips and missing rows cannot be told: {error}")
            dataset = None
    name = folder.resolve().name
    return Run(name, (folder,), settings, tuple(predictions), tuple(notes), missing, dataset)


def _read_settings(path: Path) -> RunSettings:
    try:
        return RunSettings.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UsageError(f"{path} was made by another version of hpvqa ({explain(error)}); run it again") from None


def _read_predictions(path: Path, notes: list[str]) -> list[Prediction]:
    data = path.read_bytes() if path.is_file() else b""
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        notes.append("its last line is cut: the run is at work, or was killed")
    latest: dict[tuple[str, str], Prediction] = {}
    wrong = 0
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            prediction = Prediction.model_validate_json(line)
        except ValidationError as error:
            raise RunError(f"{path} line {number} is damaged ({explain(error)}); take the line out") from None
        right = prediction.prediction == prediction.answer
        if prediction.is_correct != right:
            wrong += 1
            prediction = prediction.model_copy(update={"is_correct": right})
        latest[prediction.key] = prediction
    if wrong:
        notes.append(f"is_correct contradicts prediction and answer in {wrong} rows; the latter two count")
    return list(latest.values())


def _find_dataset(settings: RunSettings, folder: Path) -> Dataset | None:
    """The data set of a run; a relative path is tried from here, then from the folders above the run."""
    starts = [Path(), *folder.resolve().parents[:_PARENTS]]
    for start in starts:
        try:
            dataset = open_dataset(start / settings.dataset)
        except HpvqaError:
            continue
        if dataset.fingerprint == settings.fingerprint:
            return dataset
    return None


def _missing(dataset: Dataset, settings: RunSettings, predictions: Iterable[Prediction]) -> int:
    """How many rows the run was to answer and has not, over the conditions that it has begun.

    Raises:
        RunError: The data set is damaged.
    """
    rows = [
        row
        for split in SPLITS
        if settings.split in (split, "all")
        for row in dataset.rows(split)
        if settings.task in (None, row.task)
        and (settings.camera is None or row.camera in settings.camera)
        and (settings.episodes is None or row.episode in settings.episodes)
    ]
    answered: dict[str, int] = {}
    for prediction in predictions:
        answered[prediction.condition] = answered.get(prediction.condition, 0) + 1
    clusters = len({row.cluster for row in rows})
    joined = {name for name, condition in CONDITIONS.items() if condition.joins_views}
    wanted = {name: clusters if name in joined else len(rows) for name in answered}
    return sum(max(wanted[name] - count, 0) for name, count in answered.items())
