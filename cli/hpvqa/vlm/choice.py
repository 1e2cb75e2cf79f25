"""From what a user says about a model to an answerer, and to the frames that it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from hpvqa.dataset.load import Dataset
from hpvqa.errors import UsageError, nearest
from hpvqa.plain import validated
from hpvqa.record.fitting import Fit
from hpvqa.vlm.embedded import ADAPTED, NAMES, adapter_folder
from hpvqa.vlm.families import families, find_family, resolve_model
from hpvqa.vlm.frames.sampling import FRAME_OPTIONS, FrameSampling, Sampler
from hpvqa.vlm.options import ModelOptions, Scoring, ServerOptions, Transport
from hpvqa.vlm.prompt import Prompt, PromptRecord, load_prompt
from hpvqa.vlm.protocol import Answerer
from hpvqa.vlm.registry import BACKENDS, BASELINES, ENGINES, check_backend, open_baseline, open_model, open_server
from hpvqa.vlm.seen import Seen, Shot, unlike
from hpvqa.vlm.training_record import TrainingRecord, mismatches, read_training_record

DEFAULT_PROMPT = "paper"
DEFAULT_RESOLUTION = (224, 224)
"""Of frames for a server, whose model's family is not known here."""
DEFAULT_SERVER = "http://127.0.0.1:8000/v1"
KEY_VARIABLES = ("HPVQA_API_KEY", "OPENAI_API_KEY")
"""Where a server's key is looked for, in this order. It is never an option: those end up in histories and logs."""


@dataclass(frozen=True)
class ModelChoice:
    """What the options say; None where nothing was said. A backend that was not said follows from the rest."""

    backend: str = ""
    model: str | None = None
    adapter: Path | None = None
    sampler: Sampler | None = None
    fps: float | None = None
    frames: int | None = None
    resolution: tuple[int, int] | Literal["native"] | None = None
    fit: Fit | None = None
    prompt: str | None = None
    scoring: Scoring | None = None
    max_new_tokens: int | None = None
    batch_size: int | None = None
    dtype: Literal["auto", "float32", "bfloat16"] | None = None
    device: Literal["auto", "cpu", "cuda"] | None = None
    server: str | None = None
    transport: Transport | None = None
    media: Path | None = None
    concurrency: int | None = None
    allow_mismatch: bool = False

    def __post_init__(self) -> None:
        """Find the backend."""
        if not self.backend:
            object.__setattr__(self, "backend", _backend_of(self))

    @property
    def name(self) -> str | None:
        """The model, or what the backend has by default; None: whatever the server has."""
        check_backend(self.backend)
        return self.model or BACKENDS[self.backend]


def _backend_of(choice: ModelChoice) -> str:
    """What runs what was chosen.

    Raises:
        UsageError: There is no such model; the message names the nearest one.
    """
    model = choice.model
    if choice.server or choice.transport or choice.media or choice.concurrency:
        return "openai"
    if model in BASELINES:
        return "baseline"
    known = (*NAMES, *(family.name for family in families()))
    if model is not None and model not in known and "/" not in model and not Path(model).exists():
        raise UsageError(
            f"There is no model {model!r}; {nearest(model, (*known, *BASELINES))} (or give a folder or a hub id)"
        )
    return "transformers"


_ONLY: Mapping[str, tuple[str, ...]] = {
    "adapter": tuple(ENGINES),
    "batch_size": tuple(ENGINES),
    "dtype": tuple(ENGINES),
    "device": ("transformers",),
    "scoring": (*ENGINES, "openai"),
    "max_new_tokens": (*ENGINES, "openai"),
    "server": ("openai",),
    "transport": ("openai",),
    "media": ("openai",),
    "concurrency": ("openai",),
}
"""Options that only some backends have."""
_LOOK = ("sampler", "fps", "frames", "resolution", "fit")
"""Options that only those have who are shown frames."""


@dataclass(frozen=True)
class Look:
    """What a model is told and shown.

    Attributes:
        prompt: The words around the question.
        frames: Which frames of a clip.
        warnings: How that differs from what an adapter was trained with, if that was allowed.
        views: The cameras of each task that it was trained on; none: it is not known.
        tasks: The tasks that it was trained on; none: it is not known.
        seen: What the clips that it was trained on look like; None: it is not known.
    """

    prompt: Prompt
    frames: FrameSampling
    warnings: tuple[str, ...] = ()
    views: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    seen: Seen | None = None

    def unlike(self, shots: Iterable[Shot]) -> list[str]:
        """In what clips look other than those of the training, in sentences; none if in nothing that matters."""
        return unlike(self.seen, self.frames, shots)


def choose_look(choice: ModelChoice) -> Look:
    """What a model is told and shown: what the user said, else what it was trained with, else its family's way.

    Raises:
        UsageError: The prompt or the model's family is not known, there is no such choice of frames, or an adapter was
            trained with another one and that is not allowed.
    """
    record = _record(choice)
    said = _said({"sampler": choice.sampler, "fps": choice.fps, "count": choice.frames, "fit": choice.fit})
    if choice.resolution is not None:
        said["resolution"] = None if choice.resolution == "native" else choice.resolution
    usual = {"resolution": _resolution(choice)} if record is None else record.frames.model_dump()
    frames = validated(FrameSampling, {**usual, **said}, "The choice of frames", FRAME_OPTIONS)
    prompt = Prompt(**record.prompt.model_dump(exclude={"sha256"})) if record and choice.prompt is None else None
    prompt = prompt or load_prompt(choice.prompt or DEFAULT_PROMPT)
    different = [] if record is None else mismatches(record, frames, PromptRecord.of(prompt))
    if different and not choice.allow_mismatch:
        raise UsageError(
            f"{choice.adapter or choice.name} was trained with something else: {'; '.join(different)}; leave these "
            "options out, or add --allow-mismatch"
        )
    if frames.resolution is not None and choice.backend in ENGINES and choice.name is not None:
        # A large model should not have to be loaded to find out.
        find_family(choice.name).check_size(*frames.resolution)
    warnings = tuple(f"Not as in training: {words}" for words in different)
    if record is None:
        return Look(prompt, frames, warnings)
    tasks = (record.task,) if record.task else tuple(record.views)
    return Look(prompt, frames, warnings, record.views, tasks, record.clips)


def _record(choice: ModelChoice) -> TrainingRecord | None:
    name = choice.name
    # One name, one thing: the embedded model is shown the same by a server.
    if name is None or (choice.backend not in ENGINES and name not in NAMES):
        return None
    shipped = adapter_folder() if name == ADAPTED else None
    places = (choice.adapter or shipped, Path(resolve_model(name)))
    return next((record for place in places if place and (record := read_training_record(place))), None)


def _resolution(choice: ModelChoice) -> tuple[int, int]:
    if choice.name is not None and (choice.backend in ENGINES or choice.name in NAMES):
        return find_family(choice.name).resolution
    return DEFAULT_RESOLUTION


def open_answerer(
    choice: ModelChoice, dataset: Dataset, *, seed: int, environ: Mapping[str, str], max_videos: int = 1
) -> Answerer:
    """Who answers; nothing heavy is loaded yet.

    Args:
        choice: What the user said.
        dataset: What will be asked about.
        seed: Random seed of the answerer.
        environ: The environment, for a server's key.
        max_videos: Most videos in one query.

    Raises:
        HpvqaError: There is no such backend or model, an option is not for this backend, or something is missing.
    """
    check_backend(choice.backend)
    for option, backends in _ONLY.items():
        if getattr(choice, option) is not None and choice.backend not in backends:
            flag = option.replace("_", "-")
            raise UsageError(f"--{flag} is for --backend {' or '.join(backends)}, not for {choice.backend}")
    name = choice.name
    if choice.backend == "openai":
        key = next((environ[variable] for variable in KEY_VARIABLES if environ.get(variable)), None)
        given = {
            name: getattr(choice, name) for name in ("transport", "media", "concurrency", "scoring", "max_new_tokens")
        }
        return open_server(
            ServerOptions(
                url=choice.server or DEFAULT_SERVER,
                model=name,
                key=None if key is None else SecretStr(key),
                **_said(given),
            )
        )
    assert name is not None  # noqa: S101 - only a server may have no name
    if choice.backend == "baseline":
        baseline = open_baseline(name, dataset, seed)
        for option in _LOOK:
            if getattr(choice, option) is not None and not baseline.given_frames:
                raise UsageError(f"--{option} is for models, which are shown frames, not for the baseline {name}")
        return baseline
    names = ("adapter", "dtype", "device", "batch_size", "scoring", "max_new_tokens")
    given = {name: getattr(choice, name) for name in names}
    return open_model(choice.backend, ModelOptions(model=name, max_videos=max_videos, **_said(given)))


def _said(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
