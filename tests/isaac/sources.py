"""The real sources of Isaac Lab, unpacked and never installed: installing 2.3 would start Isaac Sim at import.

Two pinned wheels are fetched with pip into the cache folder, checked against their checksums and unpacked there;
nothing of them is copied into this project (BSD 3-Clause, the Isaac Lab Project Developers).
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from hpvqa.resources import default_cache


@dataclass(frozen=True)
class Wheel:
    """A release of Isaac Lab.

    Attributes:
        version: Its version.
        name: Its file.
        sha256: Checksum of that.
        python: A Python that it is for.
        tags: What pip calls the rest of what it is for.
        inside: Where its packages are inside.
    """

    version: str
    name: str
    sha256: str
    python: str
    tags: tuple[str, ...]
    inside: str

    def folder(self) -> Path:
        """The folder of the packages' sources; fetches them when they are not here."""
        folder = default_cache(os.environ) / f"isaaclab-{self.version}-{self.sha256[:12]}"
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as name:
                self._unpack(self._download(Path(name)), Path(name) / "unpacked")
                try:
                    (Path(name) / "unpacked").rename(folder)
                except OSError:
                    # Another process was quicker.
                    assert folder.is_dir()
        return folder / self.inside

    def _download(self, destination: Path) -> Path:
        # A wheel is for one Python and platform, its sources are for all.
        options = ["--no-deps", "--only-binary", ":all:", "--python-version", self.python, *self.tags]
        command = [sys.executable, "-m", "pip", "download", *options, "--disable-pip-version-check"]
        command += ["--dest", str(destination), f"isaaclab=={self.version}"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"pip could not fetch Isaac Lab's sources: {done.stderr}"
        wheel = destination / self.name
        assert hashlib.sha256(wheel.read_bytes()).hexdigest() == self.sha256, f"{self.name} is not the published one"
        return wheel

    def _unpack(self, wheel: Path, folder: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.startswith(self.inside)]
            # Version 2.3 reads its own settings when it is imported.
            archive.extractall(folder, [name for name in names if name.endswith((".py", ".pyi", "extension.toml"))])


LAB_2 = Wheel(
    "2.3.2.post1",
    "isaaclab-2.3.2.post1-cp311-none-manylinux_2_35_x86_64.whl",
    "53f085b5c8377697d52cb404fb6ca0902771983f790f0839a13709a67cea1919",
    "3.11",
    ("--implementation", "cp", "--abi", "none", "--platform", "manylinux_2_35_x86_64"),
    "isaaclab/source/",
)
LAB_3 = Wheel(
    "3.0.0",
    "isaaclab-3.0.0-py3-none-any.whl",
    "625f752c7dd912eb8efade85daeb7a8119d620266852380d17d8f9e701b80bca",
    "3.12",
    (),
    "",
)
PACKAGES = ("isaaclab", "isaaclab_assets", "isaaclab_tasks", "isaaclab_contrib")


def isaaclab_sources() -> Path:
    """The folder of the packages of Isaac Lab 2.3."""
    return LAB_2.folder()


def package_dirs() -> list[Path]:
    """What belongs on ``sys.path``."""
    return [isaaclab_sources() / package for package in PACKAGES]


if __name__ == "__main__":
    print(LAB_2.folder(), LAB_3.folder())
