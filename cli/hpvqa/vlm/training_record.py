"""What an adapter's folder says about how the adapter was trained, so that it is evaluated in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, JsonValue, ValidationError, model_validator

from hpvqa.errors import UsageError
from hpvqa.files import read_bytes
from hpvqa.plain import Model, explain, parse_json
from hpvqa.vlm.frames.sampling import FRAME_OPTIONS, FrameSampling, squeezed_before
from hpvqa.vlm.prompt import PromptRecord
from hpvqa.vlm.seen import Seen

RECORD_FILE = "hpvqa.json"
METRICS_FILE = "metrics.jsonl"
"""What is measured in the course of a training, one line a moment."""


class Start(Model):
    """The adapter that a training went on from."""

    adapter: str = Field(description="Its folder, as it was given.")
    sha256: str = Field(description="Hash of its weights.")


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
    start: Start | None = Field(default=None, description="The adapter that it went on from; null: a new one.")
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


class SampleRecord(Model):
    """``hpvqa.json`` in the folder of an adapter that was trained on samples of scenes."""

    kind: Literal["hpvqa-explore-adapter"] = "hpvqa-explore-adapter"
    schema_version: Literal[1] = 1
    model: str = Field(description="The model that the adapter belongs on, as it was given.")
    family: str
    samples: str = Field(description="Folder of the samples, as it was given.")
    fingerprint: str = Field(description="SHA-256 of the samples that were used.")
    sample_version: int = Field(description="Version of the samples.")
    world_version: int = Field(description="Version of the scenes that they were made of.")
    worlds_seed: int = Field(description="Seed that these scenes were drawn with.")
    scenes: dict[str, tuple[str, ...]] = Field(description="Types of layouts that it was trained on, by family.")
    counts: dict[str, int] = Field(description="How many samples it was trained on, by subset.")
    left_out: tuple[str, ...] = Field(default=(), description="Samples that could not be used, and why.")
    shown: Literal["pictures", "facts"] = Field(description="facts: what is to be seen is told in words.")
    words: str = Field(description="SHA-256 of the words that always ask.")
    thought: bool | None = Field(description="Whether it thinks before it decides; null: it was taught no decisions.")
    max_new_tokens: int = Field(description="Most tokens of a reply.")
    resolution: tuple[int, int] = Field(description="Width and height of its pictures [pixels].")
    start: Start | None = Field(default=None, description="The adapter that it went on from; null: a new one.")
    recipe: dict[str, JsonValue] = Field(description="The recipe of its training, with all values.")
    versions: dict[str, str]


Record = TrainingRecord | SampleRecord


class _Kind(BaseModel):
    kind: str = ""


def read_record(adapter: Path) -> Record | None:
    """How an adapter was trained; None where its folder does not say, as when another tool made it.

    Raises:
        UsageError: The folder says something that cannot be understood.
    """
    path = adapter / RECORD_FILE
    try:
        data = read_bytes(path)
        kind = _Kind.model_validate_json(data).kind
        of_samples = kind == SampleRecord.model_fields["kind"].default
        return (SampleRecord if of_samples else TrainingRecord).model_validate_json(data)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        raise UsageError(
            f"{path} does not say how an adapter was trained, or is of another version ({explain(error)}); "
            "name another folder, or train the adapter again"
        ) from None


def read_training_record(adapter: Path) -> TrainingRecord | None:
    """How an adapter was trained on a data set; None where its folder does not say that, or it was on something else.

    Raises:
        UsageError: The folder says something that cannot be understood.
    """
    record = read_record(adapter)
    return record if isinstance(record, TrainingRecord) else None


def read_sample_record(adapter: Path) -> SampleRecord | None:
    """How an adapter was trained on samples of scenes; None as for :func:`read_training_record`.

    Raises:
        UsageError: The folder says something that cannot be understood.
    """
    record = read_record(adapter)
    return record if isinstance(record, SampleRecord) else None


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """What was measured in the course of a training: finite numbers, ``step`` among them, by their names.

    Lines that are damaged, or not yet written to their end, are left out.

    Raises:
        OSError: The file cannot be read.
    """
    found = []
    for line in read_bytes(path).splitlines():
        try:
            measured = parse_json(line)
        except ValueError:
            continue
        if isinstance(measured, dict) and "step" in measured and all(map(_is_number, measured.values())):
            found.append(measured)
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


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


def mismatches(record: TrainingRecord, frames: FrameSampling, prompt: PromptRecord, *, thinking: bool) -> list[str]:
    """In what an evaluation would differ from the training, in words; nothing if in nothing that matters.

    Args:
        record: The training; every prompt of one says that the model shall not think.
        frames: Which frames would be shown.
        prompt: The words that would be around the question.
        thinking: Whether the model would be let think first.
    """
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
    if thinking:
        found.append("thinking was off in training and is on now")
    return found


def _said(value: object) -> str:
    """A value of a choice of frames, as the option takes it."""
    if value is None:
        return "not given"
    if isinstance(value, float):
        return f"{value:g}"
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
