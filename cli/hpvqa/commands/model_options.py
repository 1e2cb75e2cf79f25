"""Options that say which model answers and what it is shown; several commands share them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from hpvqa.commands.param_types import FileOrName, Number, ResolutionType, Whole
from hpvqa.vlm.choice import ModelChoice
from hpvqa.vlm.embedded import NAMES
from hpvqa.vlm.families import families
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.options import ModelOptions, ServerOptions
from hpvqa.vlm.prompt import prompt_names
from hpvqa.vlm.registry import BACKENDS, BASELINES, check_backend

F = TypeVar("F", bound=Callable[..., Any])


class BackendType(click.ParamType):  # type: ignore[type-arg] # generic from click 8.4 on
    """The name of a backend; a wrong one is answered with the nearest."""

    name = "backend"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the name."""
        check_backend(str(value))
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete names of backends."""
        return [CompletionItem(name) for name in BACKENDS if name.startswith(incomplete)]


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


_DESCRIBED = {**ModelOptions.model_fields, **ServerOptions.model_fields, **FrameSampling.model_fields}


def _help(field: str) -> str:
    return _DESCRIBED[field].description or ""


_OPTIONS: tuple[Callable[[F], F], ...] = (
    click.option(
        "--model",
        type=ModelType(),
        help="A model folder, a hub id, a model family such as qwen3.5, embedded (the model that comes with hpvqa), or "
        f"a baseline: {', '.join(BASELINES)}.  [default: embedded, or the only model of the server]",
    ),
    click.option(
        "--backend",
        type=BackendType(),
        help="What runs the model: baseline, transformers, vllm or openai (any server with that interface).  [default: "
        "baseline for a baseline, openai with --server, else transformers]",
    ),
    click.option("--adapter", type=click.Path(path_type=Path), help=_help("adapter")),
    click.option("--sampler", type=click.Choice(["uniform", "dense", "motion", "events"]), help=_help("sampler")),
    click.option("--fps", type=Number(0, 240, min_open=True), help=f"{_help('fps')}  [default: 2]"),
    click.option("--frames", type=Whole(1, 1024), help=_help("count")),
    click.option(
        "--resolution",
        type=FrameSize(),
        help="Width and height of the frames, or native.  [default: as the model's family has it]",
    ),
    click.option(
        "--fit", type=click.Choice(["pad", "squeeze"]), help=f"{_help('fit')}  [default: pad, or the adapter's]"
    ),
    click.option(
        "--prompt",
        type=FileOrName(prompt_names),
        help="The words around the question.  [default: paper, or the adapter's]",
    ),
    click.option("--scoring", type=click.Choice(["logprobs", "generate"]), help=_help("scoring")),
    click.option("--max-new-tokens", type=Whole(min=1), help=f"{_help('max_new_tokens')}  [default: 16]"),
    click.option("--batch-size", type=Whole(min=1), help=f"{_help('batch_size')}  [default: 16]"),
    click.option("--dtype", type=click.Choice(["auto", "float32", "bfloat16"]), help=_help("dtype")),
    click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), help=_help("device")),
    click.option("--server", metavar="URL", help="With openai: its address.  [default: http://127.0.0.1:8000/v1]"),
    click.option("--transport", type=click.Choice(["clip", "file", "images"]), help=_help("transport")),
    click.option("--media", type=click.Path(path_type=Path), help=_help("media")),
    click.option("--concurrency", type=Whole(1, 256), help=f"{_help('concurrency')}  [default: 8]"),
    click.option(
        "--allow-mismatch", is_flag=True, help="Show an adapter other frames or words than it was trained with; warn."
    ),
)


def model_options(function: F) -> F:
    """Add the options; the command gets them as ``choice``, a :class:`ModelChoice`."""

    @functools.wraps(function)
    def wrapper(*args: Any, **given: Any) -> Any:
        said = {name: given.pop(name) for name in ModelChoice.__dataclass_fields__}
        choice = ModelChoice(**{**said, "backend": said["backend"] or ""})
        return function(*args, choice=choice, **given)

    decorated: Any = wrapper
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    result: F = decorated
    return result
