"""The real sources of Isaac Lab, unpacked and never installed: installing them would start Isaac Sim at import.

One pinned wheel is fetched with pip into the cache folder, checked against its checksum and unpacked there; nothing of
it is copied into this project (BSD 3-Clause, the Isaac Lab Project Developers).
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from hpvqa.resources import default_cache

VERSION = "2.3.2.post1"
WHEEL = f"isaaclab-{VERSION}-cp311-none-manylinux_2_35_x86_64.whl"
SHA256 = "53f085b5c8377697d52cb404fb6ca0902771983f790f0839a13709a67cea1919"
PACKAGES = ("isaaclab", "isaaclab_assets", "isaaclab_tasks", "isaaclab_contrib")
_INSIDE = "isaaclab/source/"


def isaaclab_sources() -> Path:
    """The folder of the packages' sources; fetches them when they are not here."""
    folder = default_cache(os.environ) / f"isaaclab-{SHA256[:12]}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as name:
            _unpack(_download(Path(name)), Path(name) / "unpacked")
            try:
                (Path(name) / "unpacked").rename(folder)
            except OSError:
                # Another process was quicker.
                assert folder.is_dir()
    return folder / _INSIDE


def package_dirs() -> list[Path]:
    """What belongs on ``sys.path``."""
    return [isaaclab_sources() / package for package in PACKAGES]


def _download(destination: Path) -> Path:
    # The wheel is for one Python and platform, its sources are for all.
    options = ["--no-deps", "--only-binary", ":all:", "--python-version", "3.11", "--implementation", "cp"]
    options += ["--abi", "none", "--platform", "manylinux_2_35_x86_64", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(destination), f"isaaclab=={VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"pip could not fetch Isaac Lab's sources: {done.stderr}"
    wheel = destination / WHEEL
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == SHA256, f"{WHEEL} is not the published one"
    return wheel


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(_INSIDE)])


if __name__ == "__main__":
    print(isaaclab_sources())
