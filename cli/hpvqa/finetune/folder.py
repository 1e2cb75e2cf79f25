"""The folder of an adapter while it is trained: whose it is, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from hpvqa.errors import UsageError
from hpvqa.files import locked, write_json
from hpvqa.finetune.checkpoints import last_checkpoint
from hpvqa.finetune.settings import FinetuneRecipe
from hpvqa.finetune.track import FOLDERS
from hpvqa.vlm.saving import check_place
from hpvqa.vlm.training_record import RECORD_FILE, Record, TrainingRecord, read_record

LOCK_FILE = ".lock"
_BEFORE = {LOCK_FILE, RECORD_FILE + ".partial", *FOLDERS}
"""What a training leaves that ended before it began."""
_FREE = {"schema_version", "dataset", "samples", "clips", "versions"}
"""What binds nobody: a data set may have been moved, what its clips look like follows from its fingerprint."""

T = TypeVar("T")


def check_out(out: Path, record: Record, resume: bool) -> None:
    """Make sure, before anything takes time, that a training may use a folder.

    Raises:
        UsageError: It holds something else, or a training that was begun with other settings.
        LockedError: Another process trains there.
    """
    check_place(out)
    if (out / LOCK_FILE).is_file():
        with locked(out / LOCK_FILE):
            pass
    _check(out, record, resume)


@contextmanager
def claimed(out: Path, record: Record, resume: bool, begin: Callable[[], T]) -> Iterator[T]:
    """Hold a folder for a training, so that no other process trains there, and write down what is trained.

    Args:
        out: The folder.
        record: What is trained.
        resume: Whether to go on with what is there.
        begin: What else begins, and may fail, before the folder is taken for good.

    Returns:
        What ``begin`` returns.

    Raises:
        UsageError: As :func:`check_out`.
        LockedError: Another process trains there.
        RunError: The disk does not take it.
    """
    out.mkdir(parents=True, exist_ok=True)
    with locked(out / LOCK_FILE):
        # Again: another process may have begun, and even ended, since the first look.
        there = _check(out, record, resume)
        begun = begin()
        if not there:
            write_json(out / RECORD_FILE, record.model_dump(mode="json"))
        yield begun


def after_interrupt(out: Path) -> str:
    """What a user can do after Ctrl-C."""
    if last_checkpoint(out) is not None:
        return "Interrupted; give the same command with --resume to go on."
    if (out / RECORD_FILE).is_file():
        return "Interrupted before the first checkpoint; the same command with --resume begins again."
    return "Interrupted before the training began."


def _check(out: Path, record: Record, resume: bool) -> bool:
    """Whether there is a training to go on with; raises if the folder cannot be used."""
    found = read_record(out)
    if found is None:
        if out.exists() and not {path.name for path in out.iterdir()} <= _BEFORE:
            raise UsageError(f"{out} exists and holds no training; choose another --out")
        return False
    if not resume:
        raise UsageError(f"{out} exists; go on with --resume, or choose another --out")
    there, here = (_binding(entry) for entry in (found, record))
    if isinstance(record, TrainingRecord) and isinstance(found, TrainingRecord) and _suit(record):
        for entry in (there["frames"], there["recipe"].get("frames", {})):
            entry["fit"] = record.frames.fit
    change = _first_change(there, here)
    if change is not None:
        raise UsageError(
            f"{out} was begun with other settings: {change}; give the same command, or choose another --out"
        )
    return True


def _suit(record: TrainingRecord) -> bool:
    """Whether all clips have the shape of the frames, so that how they are brought to it does not matter."""
    return record.clips is not None and record.frames.suits(record.clips.sizes)


def _binding(record: Record) -> dict[str, Any]:
    """What must stay the same; values of the recipe that an earlier version did not have are the usual ones."""
    data = record.model_dump(mode="json", exclude=_FREE)
    usual = FinetuneRecipe().model_dump(mode="json")
    for name, section in data["recipe"].items():
        if isinstance(section, dict):
            data["recipe"][name] = {**(usual.get(name) or {}), **section}
    data["recipe"].setdefault("samples", None)
    # Where the adapter that is gone on from is, and how that is spelt, matters no more than where the data set is.
    data["start"] = None if record.start is None else record.start.sha256
    return data


def _first_change(there: Mapping[str, Any], here: Mapping[str, Any], where: str = "") -> str | None:
    for name in dict.fromkeys([*there, *here]):
        before, now = there.get(name), here.get(name)
        if before == now:
            continue
        if isinstance(before, Mapping | None) and isinstance(now, Mapping | None):
            inner = _first_change(before or {}, now or {}, f"{where}{name}.")
            if inner is not None:
                return inner
        return f"{where}{name} was {_shown(before)} and is {_shown(now)} now"
    return None


def _shown(value: Any) -> str:
    return "not set" if value is None else "set" if isinstance(value, Mapping) else str(value)
