"""Several processes that train one adapter, as ``torchrun`` and ``accelerate launch`` start them."""

from __future__ import annotations

import os


def is_first() -> bool:
    """Whether this is the process that writes files and talks; the only one where there are no others."""
    return os.environ.get("RANK", "0") == "0"


def processes() -> int:
    """How many there are."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    """Which of this machine's processes this is, and so which of its GPUs it takes."""
    return int(os.environ.get("LOCAL_RANK", "0"))
