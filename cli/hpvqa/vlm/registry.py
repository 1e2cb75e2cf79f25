"""Answerers by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hpvqa.dataset.load import Dataset
from hpvqa.dataset.splits import SPLITS
from hpvqa.errors import UsageError, nearest
from hpvqa.vlm.baselines import Constant, FrameOracle, Majority, Oracle, Random
from hpvqa.vlm.options import (
    BACKENDS,
    BackendOptions,
    BaselineOptions,
    EngineOptions,
    ServerOptions,
    TransformersOptions,
    VllmOptions,
)
from hpvqa.vlm.protocol import Answerer


def _pixels(dataset: Dataset, seed: int) -> Answerer:
    from hpvqa.vlm.pixels import PixelsAnswerer

    rows = [row for split in SPLITS for row in dataset.rows(split)]
    if rows and all(row.calibration is None for row in rows):
        raise UsageError(f"pixels needs to know where cameras are, and {dataset.root} does not say: it was imported")
    return PixelsAnswerer()


def _majority(dataset: Dataset, seed: int) -> Answerer:
    if not dataset.rows("train"):
        raise UsageError(f"majority counts the training split, and {dataset.root} has none; ask left and right instead")
    return Majority.of(dataset)


BASELINES: Mapping[str, Callable[[Dataset, int], Answerer]] = {
    "left": lambda dataset, seed: Constant("left"),
    "right": lambda dataset, seed: Constant("right"),
    "random": lambda dataset, seed: Random.of(dataset, seed),
    "majority": _majority,
    "oracle": lambda dataset, seed: Oracle(),
    "frame-oracle": lambda dataset, seed: FrameOracle(),
    "pixels": _pixels,
}


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


def open_backend(options: BackendOptions, dataset: Dataset, seed: int) -> Answerer:
    """Who answers; nothing heavy is loaded yet.

    Args:
        options: What answers, and what runs it.
        dataset: The data set that will be asked about; only its training split may be looked at.
        seed: Random seed of a baseline, or of answers that are drawn.

    Raises:
        HpvqaError: There is no such model or adapter, the options contradict each other, or something is not installed.
    """
    match options:
        case BaselineOptions():
            return open_baseline(options.model, dataset, seed)
        case TransformersOptions():
            from hpvqa.vlm.backends.transformers import TransformersAnswerer

            return _copied(TransformersAnswerer, options, seed)
        case VllmOptions():
            from hpvqa.vlm.backends.vllm import VllmAnswerer

            return _copied(VllmAnswerer, options, seed)
        case ServerOptions():
            from hpvqa.vlm.backends.openai import OpenAIAnswerer

            return OpenAIAnswerer(options)


def _copied(made: Any, options: EngineOptions, seed: int) -> Answerer:
    """A model in this process, or copies of it in several."""
    if options.data_parallel_size == 1:
        answerer: Answerer = made(options, seed)
        return answerer
    from hpvqa.vlm.backends.copies import Copies

    return Copies(made, options, seed)
