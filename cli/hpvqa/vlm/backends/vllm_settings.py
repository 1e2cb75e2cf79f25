"""How vLLM is set up, here and behind a server: its environment variables and its engine's arguments, in one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

ANYWHERE: Mapping[str, str] = {
    # Nothing is reported to anyone.
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    # Its processes talk to each other on this machine only.
    "VLLM_HOST_IP": "127.0.0.1",
    "VLLM_LOGGING_LEVEL": "ERROR",
}
ON_CPU: Mapping[str, str] = {
    # In this process: a second one costs 30 s to start and would have a core less.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    # For keys and values [GiB], all of it taken at the start; several prompts of a model with 8 billion weights.
    "VLLM_CPU_KVCACHE_SPACE": "1",
}
CPU_BLOCK = 32
"""Tokens in a block of the prefix cache, of which only whole ones are shared. The CPU's attention wants a multiple of
32; vLLM's own default there, 128, is longer than many a prompt."""
PROCESSOR: Mapping[str, Any] = {"do_sample_frames": False, "do_resize": False}
"""Frames were chosen and resized before: a model sees those, and all of them."""
CACHE_GB = 1 / 16
"""For processed videos [GiB]: a few, since the conditions of a clip follow each other. vLLM's own default of 4 GiB
would fill up with clips that are never asked about again."""
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes as the highest rank of an adapter."""


def set_environment(environ: MutableMapping[str, str], *, gpu: bool) -> None:
    """Set the variables that vLLM reads when it is imported; what a user has set stays.

    Args:
        environ: The environment of the process that will import it.
        gpu: Whether it runs on a GPU.
    """
    for name, value in {**ANYWHERE, **({} if gpu else ON_CPU)}.items():
        environ.setdefault(name, value)


def engine_arguments(
    *,
    model: str,
    dtype: str,
    gpu: bool,
    batch_size: int,
    max_videos: int,
    gpu_memory: float,
    rank: int | None,
    shared: int = 1,
) -> dict[str, Any]:
    """Arguments of ``vllm.LLM``; the names are those of ``vllm serve``, too.

    Args:
        model: The model's folder.
        dtype: Number format.
        gpu: Whether it runs on a GPU.
        batch_size: Queries at once.
        max_videos: Most videos of a query.
        gpu_memory: Share of the GPU's memory.
        rank: Rank of an adapter that will be used; None without one.
        shared: GPUs that share each layer.
    """
    arguments: dict[str, Any] = {
        "model": model,
        "dtype": dtype,
        "seed": 0,
        "trust_remote_code": False,
        # One token a query: compiling would cost more than it gains.
        "enforce_eager": True,
        # As long as the memory for keys and values allows.
        "max_model_len": -1,
        "max_num_seqs": batch_size,
        "limit_mm_per_prompt": {"video": max_videos, "image": 0},
        "mm_processor_kwargs": dict(PROCESSOR),
        "mm_processor_cache_gb": CACHE_GB,
        "enable_prefix_caching": True,
    }
    if gpu:
        arguments |= {"gpu_memory_utilization": gpu_memory, "tensor_parallel_size": shared}
    else:
        arguments |= {
            "block_size": CPU_BLOCK,
            "distributed_executor_backend": "uni",
            # It measures the memory that the largest possible video takes: minutes, and of no use without a GPU.
            "skip_mm_profiling": True,
        }
    if rank is not None:
        arguments |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": next(r for r in RANKS if r >= rank)}
    return arguments


@contextmanager
def hosting(environ: MutableMapping[str, str], *, gpu: bool) -> Iterator[None]:
    """Surroundings in which an engine may be imported, made and used. Afterwards they are as before.

    An engine in this process sets variables, even ones that change what child processes load, and takes the place of a
    function of torch.

    Args:
        environ: The environment of this process.
        gpu: Whether it runs on a GPU.
    """
    import torch
    from torch._dynamo import config as compiler

    before, set_num_threads, disabled = dict(environ), torch.set_num_threads, compiler.disable
    set_environment(environ, gpu=gpu)
    # Even an eager engine compiles one small function, which takes longer than thousands of queries.
    compiler.disable = disabled or not gpu
    try:
        yield
    finally:
        compiler.disable, torch.set_num_threads = disabled, set_num_threads
        for name in environ.keys() - before.keys():
            del environ[name]
        environ.update(before)
