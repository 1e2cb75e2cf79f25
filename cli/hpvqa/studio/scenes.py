"""The pages about scenes that agents played: what they saw, chose and believed, step by step."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from hpvqa.errors import UsageError, printable
from hpvqa.explore.runs.folder import is_run, read_settings
from hpvqa.explore.runs.record import Played, played_file, read_played
from hpvqa.files import inside, is_file
from hpvqa.progress.reporter import Reporter
from hpvqa.studio.content import HOME, Content, content
from hpvqa.studio.scene_pages import Told, index_page, scene_page

_STATIC = {
    "page.css": ("hpvqa.report.html", "page.css"),
    "studio.css": ("hpvqa.studio.pages", "studio.css"),
    "scenes.js": ("hpvqa.studio.pages", "scenes.js"),
}


@dataclass
class _Run:
    """A run, and what was played of it so far; scenes that come are put into a new mapping, since others may read."""

    name: str
    folder: Path
    played: dict[str, Played]


class Scenes:
    """The pages about some runs of agents; where they are served, scenes that are played meanwhile are found, too.

    Args:
        folders: The runs, the first of which gives the title.
        live: Whether the pages are served.

    Raises:
        UsageError: A folder is no run of an agent, or two have one name.
    """

    def __init__(self, folders: Sequence[Path], *, live: bool) -> None:
        for folder in folders:
            if not is_run(folder):
                raise UsageError(f"{folder} is no run of an agent; a run of `hpvqa explore run` is shown with others")
            read_settings(folder)
        names = [printable(folder.resolve().name) for folder in folders]
        if len(set(names)) < len(names):
            raise UsageError("Two runs have the same name; show them one after the other")
        self._runs = [_Run(name, folder, {}) for name, folder in zip(names, folders, strict=True)]
        self._live = live
        self._lock = threading.Lock()

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders of the runs."""
        return tuple(run.folder for run in self._runs)

    def read(self, reporter: Reporter) -> Sized:
        """Read the scenes that were played since the last time; one that was played does not change.

        Args:
            reporter: Told of every scene that is read.

        Returns:
            The scenes that there are now, by their keys.

        Raises:
            RunError: A file is damaged.
        """
        with self._lock:
            there = [(run, {path.parent.name for path in _scenes(run.folder)}) for run in self._runs]
            reporter.start("read", "scenes", sum(len(keys - run.played.keys()) for run, keys in there))
            for run, keys in there:
                fresh = {}
                for key in sorted(keys - run.played.keys()):
                    fresh[key] = read_played(played_file(run.folder, key))
                    reporter.item(f"{run.name}/{key}", ok=True)
                run.played = {**run.played, **{key: one for key, one in fresh.items() if one is not None}}
            reporter.done()
            return self._keys()

    def addresses(self) -> Iterator[str]:
        """Everything that there is, once scenes were read."""
        yield from (HOME, *_STATIC)
        yield from (f"scenes/{key}.html" for key in self._keys())
        yield from dict.fromkeys(f"shots/{shot}.png" for run in self._runs for shot in _shots(run))

    def get(self, address: str) -> Content | None:
        """What is at an address; None if nothing is there. No path is made of what a browser says.

        Raises:
            RunError: A file is damaged.
        """
        if address in _STATIC:
            package, name = _STATIC[address]
            return content(address, (files(package) / name).read_bytes())
        if address == HOME:
            if self._live:
                self.read(Reporter([], lambda: 0.0))
            return content(address, index_page([run.name for run in self._runs], self._told()).encode())
        root, _, name = address.partition("/")
        if root == "scenes":
            key, told = name.removesuffix(".html"), self._told()
            if key not in told or not name.endswith(".html"):
                return None
            keys = list(told)
            here = keys.index(key)
            beside = (keys[here - 1] if here else None, keys[here + 1] if here + 1 < len(keys) else None)
            return content(address, scene_page(key, told[key], beside).encode())
        if root == "shots":
            path = self._shot(name)
            return None if path is None else content(address, path)
        return None

    def _keys(self) -> list[str]:
        return sorted({key for run in self._runs for key in run.played})

    def _told(self) -> dict[str, list[Told]]:
        """What each run did in each scene, where it played it."""
        return {
            key: [Told(number, run.name, run.played.get(key)) for number, run in enumerate(self._runs)]
            for key in self._keys()
        }

    def _shot(self, name: str) -> Path | None:
        """Where a picture lies that a step shows."""
        for run in self._runs:
            if not name.endswith(".png") or name.removesuffix(".png") not in _shots(run):
                continue
            try:
                path = inside(run.folder, f"shots/{name}")
            except ValueError:
                continue
            if is_file(path):
                return path
        return None


def _shots(run: _Run) -> Iterator[str]:
    """Names of the pictures that the steps of a run show; they may repeat."""
    return (step.shot for one in run.played.values() for step in one.steps if step.shot is not None)


def _scenes(folder: Path) -> Iterator[Path]:
    """The records of the scenes that were played whole."""
    return (folder / "scenes").glob("*/steps.jsonl")
