"""Answerers by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hpvqa.dataset.load import Dataset
from hpvqa.errors import UsageError, nearest
from hpvqa.vlm.baselines import Constant, FrameOracle, Majority, Oracle, Random
from hpvqa.vlm.embedded import ADAPTED
from hpvqa.vlm.options import ModelOptions, ServerOptions
from hpvqa.vlm.protocol import Answerer


def _pixels(dataset: Dataset, seed: int) -> Answerer:
    from hpvqa.vlm.pixels import PixelsAnswerer

    return PixelsAnswerer()


def _transformers(options: ModelOptions) -> Answerer:
    from hpvqa.vlm.backends.transformers import TransformersAnswerer

    return TransformersAnswerer(options)


def _vllm(options: ModelOptions) -> Answerer:
    from hpvqa.vlm.backends.vllm import VllmAnswerer

    return VllmAnswerer(options)


BASELINES: Mapping[str, Callable[[Dataset, int], Answerer]] = {
    "left": lambda dataset, seed: Constant("left"),
    "right": lambda dataset, seed: Constant("right"),
    "random": lambda dataset, seed: Random(seed),
    "majority": lambda dataset, seed: Majority.of(dataset),
    "oracle": lambda dataset, seed: Oracle(),
    "frame-oracle": lambda dataset, seed: FrameOracle(),
    "pixels": _pixels,
}
ENGINES: Mapping[str, Callable[[ModelOptions], Answerer]] = {"transformers": _transformers, "vllm": _vllm}
BACKENDS: Mapping[str, str | None] = {
    "baseline": "pixels",
    "transformers": ADAPTED,
    "vllm": ADAPTED,
    "openai": None,
}
"""Every backend, and the model that it runs if none is named; a server may have just one."""


def check_backend(name: str) -> None:
    """Raise if there is no such backend.

    Raises:
        UsageError: The message names the nearest one.
    """
    if name not in BACKENDS:
        raise UsageError(f"There is no backend {name!r}; {nearest(name, BACKENDS)}")


def open_baseline(name: str, dataset: Dataset, seed: int) -> Answerer:
    """A baseline.

    Args:
        name: Its name.
        dataset: The data set that it will be asked about; only its training split may be looked at.
        seed: Random seed of the baseline.

    Raises:
        UsageError: There is none of this name; the message names the nearest one.
    """
    if name not in BASELINES:
        hint = nearest(name, BASELINES)
        raise UsageError(f"There is no baseline {name!r}; {hint} (for a model, leave out --backend baseline)")
    return BASELINES[name](dataset, seed)


def open_model(backend: str, options: ModelOptions) -> Answerer:
    """A model that runs in this process; nothing heavy is loaded yet.

    Raises:
        UsageError: The backend is not installed, or the model or its adapter is not what it should be.
    """
    return ENGINES[backend](options)


def open_server(options: ServerOptions) -> Answerer:
    """A model behind a server.

    Raises:
        UsageError: The options contradict each other, or the client is not installed.
        RunError: The server does not answer.
    """
    from hpvqa.vlm.backends.openai import OpenAIAnswerer

    return OpenAIAnswerer(options)
