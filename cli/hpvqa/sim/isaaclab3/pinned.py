"""Pinned memory without CUDA: a shim for one fault of others.

Isaac Lab 3.0.0 asks Warp for pinned host memory also where PhysX runs on the CPU and there is no CUDA; Warp then fails
with "Failed to allocate ... bytes on device 'cpu'". Ordinary memory does as well there. Where CUDA is, nothing is
changed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

ALLOCATORS = ("zeros", "empty", "ones", "full", "zeros_like", "empty_like", "ones_like", "full_like", "clone")
"""Functions of Warp that take ``pinned``."""


def allow_unpinned(warp: Any) -> bool:
    """Let a Warp without CUDA take ordinary memory where pinned memory is asked for.

    Args:
        warp: The module.

    Returns:
        Whether anything was changed.
    """
    warp.init()
    if warp.is_cuda_available():
        return False
    for name in ALLOCATORS:
        setattr(warp, name, _unpinned(getattr(warp, name)))
    return True


def _unpinned(allocate: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(allocate)
    def allocated(*args: Any, **options: Any) -> Any:
        options.pop("pinned", None)
        return allocate(*args, **options)

    return allocated
