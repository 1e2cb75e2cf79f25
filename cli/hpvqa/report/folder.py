"""Reading a run's folder, also while it is being written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.dataset.manifest import is_dataset
from hpvqa.errors import HpvqaError, UsageError, printable
from hpvqa.evaluate.conditions import get_condition
from hpvqa.evaluate.folder import PREDICTIONS_FILE, RUN_FILE, RunSettings, parse_predictions, read_settings
from hpvqa.evaluate.parts import untrained_note
from hpvqa.evaluate.prediction import Estimate, Prediction, Reply
from hpvqa.evaluate.trials import suits
from hpvqa.files import read_bytes
from hpvqa.report.source import Run

_PARENTS = 3
"""How far above a run its data set may lie, where the run names it by a relative path."""


def read_folder(folder: Path, datasets: Sequence[Path] = ()) -> Run:
    """Read a run that `hpvqa eval` made.

    Args:
        folder: The run.
        datasets: Where its data set may be, besides where it was.

    Raises:
        UsageError: It was made by another version, or holds no answers yet.
        RunError: It is damaged.
    """
    settings = read_settings(folder / RUN_FILE)
    if settings is None:
        raise UsageError(f"{folder} is not a run: it has no {RUN_FILE}; make one with `hpvqa eval`")
    notes: list[str] = []
    replies = _read_replies(folder / PREDICTIONS_FILE, notes)
    if not replies:
        raise UsageError(f"{folder} holds no answers yet; run `hpvqa eval` again to go on with it")
    dataset = _find_dataset(settings, folder, datasets)
    missing = None
    if dataset is None:
        notes.append(
            f"its data set {settings.dataset} is not there any more, or has changed, so no clips can be shown and no "
            "missing rows counted; say where it is with --dataset"
        )
    else:
        try:
            missing = _missing(dataset, settings, replies)
        except HpvqaError as error:
            notes.append(f"no clips can be shown and no missing rows counted: {error}")
            dataset = None
    if (apart := untrained_note(replies, settings.views)) is not None:
        notes.append(apart)
    if settings.drawn is not None:
        notes.append(settings.drawn)
    # A name need not be text that can be written.
    name = printable(folder.resolve().name)
    predictions = tuple(row for row in replies if isinstance(row, Prediction))
    estimates = tuple(row for row in replies if isinstance(row, Estimate))
    return Run(name, (folder,), settings, predictions, estimates, tuple(notes), missing, dataset)


def _read_replies(path: Path, notes: list[str]) -> list[Reply]:
    data = read_bytes(path) if path.is_file() else b""
    latest, size = parse_predictions(data, path)
    if size < len(data):
        notes.append("its last line is cut: the run is at work, or was killed")
    wrong = 0
    for key, row in latest.items():
        if row.is_correct != row.agrees:
            wrong += 1
            latest[key] = row.model_copy(update={"is_correct": row.agrees})
    if wrong:
        notes.append(f"is_correct contradicts prediction and answer in {wrong} rows; the latter two count")
    return list(latest.values())


def _find_dataset(settings: RunSettings, folder: Path, datasets: Sequence[Path]) -> Dataset | None:
    """The data set of a run; a relative path is tried from here, then from the folders above the run."""
    starts = [Path(), *folder.resolve().parents[:_PARENTS]]
    for root in (*datasets, *(start / settings.dataset for start in starts)):
        try:
            # Else what lies around is searched for one that may be meant.
            dataset = open_dataset(root) if is_dataset(root) else None
        except (HpvqaError, OSError):
            continue
        if dataset is not None and dataset.fingerprint == settings.fingerprint:
            return dataset
    return None


def _missing(dataset: Dataset, settings: RunSettings, replies: Iterable[Reply]) -> int:
    """How many rows the run was to answer and has not, over the conditions that it has begun.

    Raises:
        RunError: The data set is damaged.
    """
    rows = [row for _, row in settings.of(dataset)]
    answered = {reply.key for reply in replies}
    wanted = {
        (condition.name, row.joined_key if condition.joins_views else row.key)
        for condition in map(get_condition, {condition for condition, _ in answered})
        for row in rows
        if suits(condition, row)
    }
    return len(wanted - answered)
