"""What an adapter's folder says about how the adapter was trained, so that it is evaluated in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue, ValidationError, model_validator

from hpvqa.errors import UsageError
from hpvqa.files import read_bytes
from hpvqa.plain import Model, explain
from hpvqa.vlm.frames.sampling import FRAME_OPTIONS, FrameSampling, squeezed_before
from hpvqa.vlm.prompt import PromptRecord
from hpvqa.vlm.seen import Seen

RECORD_FILE = "hpvqa.json"
METRICS_FILE = "metrics.jsonl"
"""What is measured in the course of a training, one line a moment."""


class TrainingRecord(Model):
    """``hpvqa.json`` in an adapter's folder."""

    kind: Literal["hpvqa-adapter"] = "hpvqa-adapter"
    schema_version: Literal[1, 2] = 2
    model: str = Field(description="The model that the adapter belongs on, as it was given.")
    family: str
    dataset: str = Field(description="Folder of the data set, as it was given.")
    fingerprint: str = Field(description="SHA-256 of the data set's manifest.")
    task: str | None = Field(description="The only task that it was trained on; null: all.")
    cameras: tuple[str, ...] = Field(description="The only cameras that it was trained on; none: all.")
    views: dict[str, tuple[str, ...]] = Field(
        default={}, description="The cameras of each task whose clips it was trained on; none: it is not known."
    )
    clips: Seen | None = Field(default=None, description="What these clips look like; null: it is not known.")
    prompt: PromptRecord
    frames: FrameSampling
    recipe: dict[str, JsonValue] = Field(description="The recipe of its training, with all values.")
    versions: dict[str, str]

    @model_validator(mode="before")
    @classmethod
    def _squeezed_at_first(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("schema_version") != 1:
            return given
        recipe = given.get("recipe")
        if isinstance(recipe, dict):
            given = {**given, "recipe": squeezed_before(recipe, "frames", "push_frames", "drop_frames")}
        return squeezed_before(given, "frames")


def read_training_record(adapter: Path) -> TrainingRecord | None:
    """How an adapter was trained; None where its folder does not say, as when another tool made it.

    Raises:
        UsageError: The folder says something that cannot be understood.
    """
    path = adapter / RECORD_FILE
    try:
        return TrainingRecord.model_validate_json(read_bytes(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        raise UsageError(
            f"{path} does not say how an adapter was trained, or is of another version ({explain(error)}); "
            "name another folder, or train the adapter again"
        ) from None


def views_of(clips: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The cameras of each task, in order.

    Args:
        clips: Task and camera of each clip.
    """
    found: dict[str, set[str]] = {}
    for task, camera in clips:
        found.setdefault(task, set()).add(camera)
    return {task: tuple(sorted(found[task])) for task in sorted(found)}


def strange_views(views: Mapping[str, tuple[str, ...]], clips: Iterable[tuple[str, str]]) -> list[str]:
    """What of some clips a model was never trained on, in words; nothing where that is not known.

    Args:
        views: The cameras of each task that it was trained on.
        clips: Task and camera of each clip.
    """
    if not views:
        return []
    found = []
    for task, cameras in views_of(clips).items():
        strange = [camera for camera in cameras if camera not in views.get(task, ())]
        if strange:
            found.append(f"{task} by {', '.join(strange)}" if task in views else task)
    return found


def mismatches(record: TrainingRecord, frames: FrameSampling, prompt: PromptRecord) -> list[str]:
    """In what an evaluation would differ from the training, in words; nothing if in nothing that matters."""
    found = []
    there, here = record.frames.model_dump(), frames.model_dump()
    found += [
        f"{FRAME_OPTIONS[name]} was {_said(there[name])} in training and is {_said(here[name])} now"
        for name in there
        if there[name] != here[name]
    ]
    if record.prompt.sha256 != prompt.sha256:
        found.append(
            f"the prompt was {record.prompt.name} version {record.prompt.version} and is {prompt.name} version "
            f"{prompt.version}"
        )
    return found


def _said(value: object) -> str:
    """A value of a choice of frames, as the option takes it."""
    if value is None:
        return "not given"
    if isinstance(value, float):
        return f"{value:g}"
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
