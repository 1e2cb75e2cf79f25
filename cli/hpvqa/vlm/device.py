"""Where torch runs a model."""

from __future__ import annotations

from typing import Literal

from hpvqa.errors import UsageError

Device = Literal["cpu", "cuda"]


def choose_device(wanted: Literal["auto", "cpu", "cuda"]) -> Device:
    """The device that is wanted, or the best one that is there.

    Raises:
        UsageError: A GPU is wanted, and there is none.
    """
    import torch

    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise UsageError("torch sees no GPU; leave out --device cuda, or install a torch that fits the driver")
    return "cuda" if there and wanted != "cpu" else "cpu"
