"""Options that say which model answers and what it is shown; several commands share them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from hpvqa.commands.field_option import field_option
from hpvqa.commands.param_types import FileOrName, NameType, ResolutionType
from hpvqa.vlm.choice import ModelChoice
from hpvqa.vlm.embedded import NAMES
from hpvqa.vlm.families import families
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.options import BACKENDS, ServerOptions, TransformersOptions, VllmOptions
from hpvqa.vlm.prompt import prompt_names
from hpvqa.vlm.registry import BASELINES, check_backend

F = TypeVar("F", bound=Callable[..., Any])


BACKEND = NameType("backend", check_backend, BACKENDS)
"""The name of a backend."""


class ModelType(click.ParamType):  # type: ignore[type-arg]
    """A model folder, a hub id, or a name of a model or baseline."""

    name = "MODEL"

    def __init__(self, *, baselines: bool = True) -> None:
        self._baselines = baselines

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete names, and folders."""
        names = (*NAMES, *(family.name for family in families()), *(BASELINES if self._baselines else ()))
        found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return [*found, CompletionItem(incomplete, type="dir")]


class FrameSize(ResolutionType):
    """A size such as 224x224, or ``native``."""

    name = "WxH|native"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it."""
        return value if value == "native" else super().convert(value, param, ctx)


_FROM_TRAINING = "{}, or the adapter's"
_OPTIONS: Mapping[str, Callable[[Any], Any]] = {
    "model": click.option(
        "--model",
        type=ModelType(),
        help="A model folder, a hub id, a model family such as qwen3.5, embedded (the model that comes with hpvqa), or "
        f"a baseline: {', '.join(BASELINES)}.  [default: embedded, or the only model of the server]",
    ),
    "backend": click.option(
        "--backend",
        type=BACKEND,
        help=f"What runs the model: {', '.join(BACKENDS)} (any server with that interface).  [default: baseline for a "
        "baseline, openai with --server, else transformers]",
    ),
    "adapter": field_option(TransformersOptions, "adapter"),
    "sampler": field_option(FrameSampling, "sampler", default=_FROM_TRAINING.format("uniform")),
    "fps": field_option(FrameSampling, "fps", default=_FROM_TRAINING.format("2")),
    "frames": field_option(FrameSampling, "count", "--frames"),
    "resolution": click.option(
        "--resolution",
        type=FrameSize(),
        help="Width and height of the frames, or native.  [default: as the model's family has it]",
    ),
    "fit": field_option(FrameSampling, "fit", default=_FROM_TRAINING.format("pad")),
    "prompt": click.option(
        "--prompt",
        type=FileOrName(prompt_names),
        help=f"The words around the question.  [default: {_FROM_TRAINING.format('paper')}]",
    ),
    **{
        name: field_option(TransformersOptions, name)
        for name in ("scoring", "samples", "thinking", "max_new_tokens", "batch_size", "dtype", "device")
    },
    "tensor_parallel_size": field_option(VllmOptions, "tensor_parallel_size"),
    "data_parallel_size": field_option(TransformersOptions, "data_parallel_size"),
    "server": field_option(ServerOptions, "server", metavar="URL"),
    **{name: field_option(ServerOptions, name) for name in ("transport", "media", "concurrency")},
    "allow_mismatch": click.option(
        "--allow-mismatch", is_flag=True, help="Show an adapter other frames or words than it was trained with; warn."
    ),
}
"""By the names that :class:`ModelChoice` knows them by."""


def model_options(function: F) -> F:
    """Add the options; the command gets them as ``choice``, a :class:`ModelChoice`."""

    @functools.wraps(function)
    def wrapper(*args: Any, **given: Any) -> Any:
        choice = ModelChoice(**{name: given.pop(name) for name in _OPTIONS})
        return function(*args, choice=choice, **given)

    decorated: Any = wrapper
    for option in reversed(list(_OPTIONS.values())):
        decorated = option(decorated)
    result: F = decorated
    return result
