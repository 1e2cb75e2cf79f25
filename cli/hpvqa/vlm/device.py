"""Where torch runs a model."""

from __future__ import annotations

from typing import Literal

from hpvqa.errors import UsageError

Device = Literal["cpu", "cuda"]


def choose_device(wanted: Literal["auto", "cpu", "cuda", "spread"]) -> Device:
    """The device that is wanted, or the best one that is there.

    Raises:
        UsageError: A GPU is wanted, and there is none.
    """
    import torch

    there = torch.cuda.is_available()
    if wanted in {"cuda", "spread"} and not there:
        raise UsageError(f"torch sees no GPU; leave out --device {wanted}, or install a torch that fits the driver")
    return "cuda" if there and wanted != "cpu" else "cpu"


def gpus_of(visible: str | None, there: int, size: int, number: int) -> str:
    """Which GPUs one of several copies of a model takes, as ``CUDA_VISIBLE_DEVICES`` has them.

    Args:
        visible: What that variable says; None: nothing.
        there: How many GPUs torch sees.
        size: How many each copy takes.
        number: Which copy it is, counted from 0.
    """
    names = visible.split(",") if visible else [str(gpu) for gpu in range(there)]
    return ",".join(names[size * number : size * (number + 1)])


def check_gpus(copies: int, size: int) -> None:
    """Raise if there are too few GPUs for so many copies of a model.

    Args:
        copies: How many copies.
        size: How many GPUs each of them takes.

    Raises:
        UsageError: The message says how many it takes, and how many there are.
    """
    import torch

    there = torch.cuda.device_count()
    if there and copies * size > there:
        raise UsageError(
            f"{copies * size} GPUs are wanted ({copies} x {size}), and torch sees {there}; lower --data-parallel-size "
            "or --tensor-parallel-size"
        )
    if not there and size > 1:
        raise UsageError("torch sees no GPU, so no layer can be shared; leave out --tensor-parallel-size")
