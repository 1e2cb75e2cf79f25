"""Answerers by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hpvqa.dataset.load import Dataset
from hpvqa.errors import UsageError, nearest
from hpvqa.vlm.baselines import Constant, Majority, Oracle, Random
from hpvqa.vlm.protocol import Answerer

BACKENDS = ("baseline",)


def _pixels(dataset: Dataset, seed: int) -> Answerer:
    from hpvqa.vlm.pixels import PixelsAnswerer

    return PixelsAnswerer()


BASELINES: Mapping[str, Callable[[Dataset, int], Answerer]] = {
    "left": lambda dataset, seed: Constant("left"),
    "right": lambda dataset, seed: Constant("right"),
    "random": lambda dataset, seed: Random(seed),
    "majority": lambda dataset, seed: Majority.of(dataset),
    "oracle": lambda dataset, seed: Oracle(),
    "pixels": _pixels,
}


def open_answerer(backend: str, model: str, dataset: Dataset, seed: int) -> Answerer:
    """An answerer by the names of its backend and model.

    Args:
        backend: What runs it.
        model: Its name.
        dataset: The data set that it will be asked about; only its training split may be looked at.
        seed: Seed of an answerer that draws lots.

    Raises:
        UsageError: There is no such answerer; the message names the nearest one.
    """
    if backend not in BACKENDS:
        raise UsageError(f"There is no backend {backend!r}; {nearest(backend, BACKENDS)}")
    if model not in BASELINES:
        raise UsageError(f"There is no baseline {model!r}; {nearest(model, BASELINES)}")
    return BASELINES[model](dataset, seed)
