"""The shim for pinned memory changes Warp where there is no CUDA, and nowhere else."""

from __future__ import annotations

import types
from typing import Any

import pytest

from hpvqa.sim.isaaclab3.pinned import ALLOCATORS, allow_unpinned


class Cuda:
    """A Warp that counts what is asked of it, and that can pin memory only where CUDA is."""

    def __init__(self, cuda: bool) -> None:
        self.started = False
        self.cuda = cuda
        for name in ALLOCATORS:
            setattr(self, name, self._allocate)

    def init(self) -> None:
        self.started = True

    def is_cuda_available(self) -> bool:
        assert self.started
        return self.cuda

    def _allocate(self, size: int, *, pinned: bool = False) -> types.SimpleNamespace:
        if pinned and not self.cuda:
            raise RuntimeError(f"Failed to allocate {size} bytes on device 'cpu'")
        return types.SimpleNamespace(size=size, pinned=pinned)


@pytest.mark.parametrize("name", ALLOCATORS)
def test_without_cuda_ordinary_memory_does(name: str) -> None:
    warp: Any = Cuda(cuda=False)
    with pytest.raises(RuntimeError, match="Failed to allocate"):
        getattr(warp, name)(8, pinned=True)
    assert allow_unpinned(warp)
    assert getattr(warp, name)(8, pinned=True).size == 8
    assert getattr(warp, name)(4).size == 4


def test_with_cuda_nothing_changes() -> None:
    warp: Any = Cuda(cuda=True)
    before = {name: getattr(warp, name) for name in ALLOCATORS}
    assert not allow_unpinned(warp)
    assert {name: getattr(warp, name) for name in ALLOCATORS} == before
    assert warp.zeros(8, pinned=True).pinned
