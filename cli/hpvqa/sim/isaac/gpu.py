"""Whether this machine has a GPU that Isaac Sim can draw with."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence

from hpvqa.errors import UsageError

_QUERY = ("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
_NO_RAY_TRACING = re.compile(r"\b(A100|A30|A800|H\d{2,3}|GH200|B\d00|GB\d00|V100|P\d+|K\d+|M\d+|GTX|TITAN (X|V))\b")
"""Names of NVIDIA GPUs without ray tracing cores: those for computing alone, and those before 2018."""


def gpu_names(run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> list[str]:
    """Names of this machine's NVIDIA GPUs; none where there is no driver."""
    try:
        done = run(list(_QUERY), capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []


def require_rtx(names: Sequence[str]) -> None:
    """Make sure that one of some GPUs has ray tracing cores.

    Args:
        names: As the driver calls them.

    Raises:
        UsageError: None has; the message says which there are.
    """
    needs = "Isaac Sim needs an NVIDIA GPU with ray tracing (RTX); use --backend mujoco here"
    if not names:
        raise UsageError(f"No NVIDIA GPU was found (nvidia-smi lists none). {needs}")
    if all(_NO_RAY_TRACING.search(name) for name in names):
        raise UsageError(f"This machine's GPU, {names[0]}, has no ray tracing cores. {needs}")
