"""What went wrong in Isaac Sim, read from Kit's log. The phrases are from logs in public issues, named beside them."""

from __future__ import annotations

import re

_TAIL = 200_000
"""Characters at a log's end that are looked at."""
FATAL = re.compile(r"A GPU crash occurred|VkResult: ERROR_DEVICE_LOST|VkResult: ERROR_OUT_OF_DEVICE_MEMORY")
"""After these Kit may go on for ever without doing anything (https://github.com/isaac-sim/IsaacLab/issues/462)."""
_REASONS: tuple[tuple[str, str], ...] = (
    # IsaacLab issues 462, 173, 1849
    (
        r"ERROR_OUT_OF_DEVICE_MEMORY|Out of GPU memory|CUDA out of memory|CUDA error 2: cudaErrorMemoryAllocation"
        r"|Array allocation failed on device",
        "the GPU's memory does not hold {environments} environments; use fewer --num-envs or a smaller --resolution",
    ),
    # Python's, the C++ library's, PyTorch's, Warp's
    (
        r"MemoryError|std::bad_alloc|can't allocate memory|Failed to allocate \d+ bytes on device 'cpu'",
        "this machine's memory does not hold {environments} environments; use fewer --num-envs",
    ),
    # IsaacSim issue 357
    (
        r"ERROR_INCOMPATIBLE_DRIVER",
        "the NVIDIA driver does not suit it (Vulkan); install the driver that Isaac Sim's documentation names",
    ),
    # IsaacLab issue 3792, IsaacSim issue 794
    (r"No device could be created", "it finds no GPU with ray tracing; see the requirements in docs/isaac-sim.md"),
    # IsaacLab issue 3421
    (r"createDLSSContext error", "this GPU cannot draw; Isaac Sim needs an NVIDIA GPU with ray tracing (RTX)"),
    # IsaacSim issue 357
    (
        r"(?i)license.{0,80}must be accepted|accept the EULA|OMNI_KIT_ACCEPT_EULA",
        "its licence has not been accepted; start Isaac Sim once by hand, read the licence and accept it",
    ),
    (r"(?i)no space left on device", "the disk is full; free some space"),
    (r"ModuleNotFoundError: (No module named .*)", "{match}"),
    # IsaacSim issue 431
    (r"VkResult: ERROR_DEVICE_LOST|A GPU crash occurred", "the GPU crashed; update its driver or use fewer --num-envs"),
    (r"Segmentation fault|A crash has occurred|Fatal Python error", "Kit crashed"),
)


KILLED = (-9, 137)
"""Exit codes of what was killed: as Python says it, and as a shell around it does."""


def reason(log: str, environments: int, code: int) -> str:
    """Why Kit ended, in a few words; the last error it printed where no known phrase is found.

    Args:
        log: All that it printed.
        environments: How many environments there were.
        code: Its exit code.
    """
    tail = log[-_TAIL:]
    for phrase, words in _REASONS:
        match = re.search(phrase, tail)
        if match:
            return words.format(environments=environments, match=match[match.re.groups])
    if code in KILLED:
        return "it was killed, most likely because memory ran out; use fewer --num-envs"
    errors = [line.strip() for line in tail.splitlines() if re.search(r"\[Error\]|^\w*(Error|Exception)\b", line)]
    return errors[-1] if errors else "it gave no reason"
