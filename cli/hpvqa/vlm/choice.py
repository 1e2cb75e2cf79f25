"""From what a user says about a model to an answerer, and to the frames that it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import SecretStr

from hpvqa.dataset.load import Dataset
from hpvqa.errors import UsageError, nearest
from hpvqa.plain import validated
from hpvqa.record.fitting import Fit
from hpvqa.vlm.embedded import NAMES, own_adapter, shown
from hpvqa.vlm.families import families, find_family, resolve_model
from hpvqa.vlm.frames.sampling import FRAME_OPTIONS, FrameSampling, Sampler
from hpvqa.vlm.options import BACKENDS, BackendOptions, BaselineOptions, EngineOptions, ServerOptions
from hpvqa.vlm.prompt import Prompt, PromptRecord, load_prompt
from hpvqa.vlm.protocol import Answerer
from hpvqa.vlm.registry import BASELINES, check_backend, open_backend
from hpvqa.vlm.seen import Seen, Shot, unlike
from hpvqa.vlm.training_record import TrainingRecord, mismatches, read_training_record

DEFAULT_PROMPT = "paper"
DEFAULT_RESOLUTION = (224, 224)
"""Of frames for a server, whose model's family is not known here."""
Options = TypeVar("Options", bound=BackendOptions)
KEY_VARIABLES = ("HPVQA_API_KEY", "OPENAI_API_KEY")
"""Where a server's key is looked for, in this order. It is never an option: those end up in histories and logs."""


@dataclass(frozen=True)
class LookOptions:
    """What a user says about what a model is told and shown; None where nothing was said."""

    sampler: Sampler | None = None
    fps: float | None = None
    frames: int | None = None
    resolution: tuple[int, int] | Literal["native"] | None = None
    fit: Fit | None = None
    prompt: str | None = None
    allow_mismatch: bool = False

    @property
    def of_frames(self) -> dict[str, Any]:
        """What was said about the frames, by the option's name."""
        names = ("sampler", "fps", "frames", "resolution", "fit")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class ModelChoice:
    """What answers, what runs it, and what it is shown.

    Args:
        said: Options by their names: ``backend``, the fields of its options, and those of :class:`LookOptions`; None
            where nothing was said. A backend that was not said follows from the rest.

    Attributes:
        said: All of them that were said.
        options: What answers, and what runs it.
        look: What a user says about what it is shown.

    Raises:
        UsageError: There is no such backend or model, or an option is not for this backend or has no such value.
    """

    def __init__(self, **said: Any) -> None:
        self.said: Mapping[str, Any] = {
            name: value for name, value in said.items() if value is not None and value is not False
        }
        given = dict(self.said)
        looks = {field.name: given.pop(field.name) for field in fields(LookOptions) if field.name in given}
        self.look = LookOptions(**looks)
        self.options: BackendOptions = _options(given.pop("backend", None) or _backend_of(given), given)

    @property
    def backend(self) -> str:
        """What runs it."""
        return self.options.backend

    @property
    def name(self) -> str | None:
        """The model, or what the backend has by default; None: whatever the server has."""
        return self.options.model

    def but(self, **changes: Any) -> ModelChoice:
        """The same but for some options."""
        return ModelChoice(**{**self.said, **changes})


def _options(backend: str, given: Mapping[str, Any]) -> BackendOptions:
    check_backend(backend)
    for option in given:
        have = [name for name, kind in BACKENDS.items() if option in kind.model_fields]
        if have and backend not in have:
            flag = option.replace("_", "-")
            raise UsageError(f"--{flag} is for --backend {' or '.join(have)}, not for {backend}")
    flags = {name: f"--{name.replace('_', '-')}" for name in given}
    return validated(BACKENDS[backend], given, f"What is said of {backend}", flags)


def _backend_of(given: Mapping[str, Any]) -> str:
    """What runs what was chosen.

    Raises:
        UsageError: There is no such model; the message names the nearest one.
    """
    model = given.get("model")
    if any(name in given for name in ("server", "transport", "media", "concurrency")):
        return "openai"
    if model in BASELINES:
        return "baseline"
    known = (*NAMES, *(family.name for family in families()))
    if model is not None and model not in known and "/" not in model and not Path(model).exists():
        raise UsageError(
            f"There is no model {model!r}; {nearest(model, (*known, *BASELINES))} (or give a folder or a hub id)"
        )
    return "transformers"


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
    look, options = choice.look, choice.options
    name = _known_here(options)
    adapter = options.adapter if isinstance(options, EngineOptions) else own_adapter(name) if name else None
    record = None if name is None else _record(name, adapter)
    said = look.of_frames
    if "frames" in said:
        said["count"] = said.pop("frames")
    if look.resolution == "native":
        said["resolution"] = None
    usual = {"resolution": _resolution(name)} if record is None else record.frames.model_dump()
    frames = validated(FrameSampling, {**usual, **said}, "The choice of frames", FRAME_OPTIONS)
    prompt = Prompt(**record.prompt.model_dump(exclude={"sha256"})) if record and look.prompt is None else None
    prompt = prompt or load_prompt(look.prompt or DEFAULT_PROMPT)
    thinking = not isinstance(options, BaselineOptions) and options.thinking is not None
    different = [] if record is None else mismatches(record, frames, PromptRecord.of(prompt), thinking=thinking)
    if different and not look.allow_mismatch:
        raise UsageError(
            f"{shown(adapter) if adapter else name} was trained with something else: {'; '.join(different)}; leave "
            "these options out, or add --allow-mismatch"
        )
    if frames.resolution is not None and isinstance(options, EngineOptions):
        # A large model should not have to be loaded to find out.
        find_family(options.model).check_size(*frames.resolution)
    warnings = tuple(f"Not as in training: {words}" for words in different)
    if thinking and name is not None and not (family := find_family(name)).thinking_options:
        warnings += (
            f"The chat template of {family.title} has no switch for thinking, so only --prompt can ask for it",
        )
    if record is None:
        return Look(prompt, frames, warnings)
    tasks = (record.task,) if record.task else tuple(record.views)
    return Look(prompt, frames, warnings, record.views, tasks, record.clips)


def _known_here(options: BackendOptions) -> str | None:
    """The name of a model of which more is known here than its name; None for a baseline, or another's server."""
    # One name, one thing: the embedded model is shown the same by a server.
    return options.model if isinstance(options, EngineOptions) or options.model in NAMES else None


def _resolution(name: str | None) -> tuple[int, int]:
    return DEFAULT_RESOLUTION if name is None else find_family(name).resolution


def _record(name: str, adapter: Path | None) -> TrainingRecord | None:
    places = (adapter, Path(resolve_model(name)))
    return next((record for place in places if place and (record := read_training_record(place))), None)


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
        HpvqaError: There is no such model, options contradict each other, or something is missing.
    """
    options = choice.options
    options = with_key(options, environ)
    if isinstance(options, EngineOptions):
        options = options.model_copy(update={"max_videos": max_videos})
    answerer = open_backend(options, dataset, seed)
    if isinstance(options, BaselineOptions) and not answerer.given_frames:
        for option in choice.look.of_frames:
            raise UsageError(f"--{option} is for models, which are shown frames, not for the baseline {options.model}")
    return answerer


def with_key(options: Options, environ: Mapping[str, str]) -> Options:
    """The options of a server with its key; all others as they are.

    Args:
        options: What answers.
        environ: The environment.
    """
    if not isinstance(options, ServerOptions):
        return options
    key = next((environ[variable] for variable in KEY_VARIABLES if environ.get(variable)), None)
    return options.model_copy(update={"key": None if key is None else SecretStr(key)})
