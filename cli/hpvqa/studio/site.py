"""The pages about episodes, and what was answered of them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hpvqa import __version__
from hpvqa.errors import HpvqaError
from hpvqa.files import inside, is_file
from hpvqa.progress.reporter import Reporter
from hpvqa.record.decode import read_frames
from hpvqa.record.opening import opened
from hpvqa.studio.answers import Answers, Told, about
from hpvqa.studio.content import HOME, Content, content
from hpvqa.studio.details import details
from hpvqa.studio.entry import Entry
from hpvqa.studio.progress import Progress
from hpvqa.studio.source import Source
from hpvqa.studio.training import training
from hpvqa.tasks import TASKS

_STATIC = {
    HOME: ("hpvqa.studio.pages", "studio.html"),
    "page.css": ("hpvqa.report.html", "page.css"),
    **{
        name: ("hpvqa.studio.pages", name)
        for name in (
            "studio.css",
            "studio.js",
            "player.js",
            "plots.js",
            "path.js",
            "training.js",
            "episode.js",
            "compare.js",
            "grid.js",
        )
    },
}
"""Files that are the same for all episodes, and the package that each is in."""
_INDEX = "data/index.js"
_QUIET = Reporter([], lambda: 0.0)
_WIDTH = 256
"""Of the picture of an episode in the grid [pixels]."""
_QUALITY = 78
_MOST_PIXELS = 4096 * 2304
"""Of a frame that is decoded for a picture."""
_MOST_DECODED = 2_000_000_000
"""Pixels of all frames of such a clip: seconds of time."""
_PICTURES = 4096
"""How many pictures of episodes are kept, some 10 kB each."""


class Site:
    """The pages about some episodes and runs.

    Args:
        source: Where the episodes come from.
        answers: The runs.
        trainings: Folders of adapters, done or in training.
        progress: Files that commands write their progress to.
        live: Whether the pages are served, so that more may come.
    """

    def __init__(
        self,
        source: Source,
        answers: Answers,
        trainings: Sequence[Path] = (),
        progress: Sequence[Path] = (),
        *,
        live: bool,
    ) -> None:
        self._source, self._answers, self._trainings, self._live = source, answers, trainings, live
        self._progress = [Progress(path) for path in progress]
        self._entries: dict[str, Entry] = {}
        self._picture = lru_cache(_PICTURES)(self._draw)

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folder of the episodes."""
        return (self._source.root,)

    def read(self, reporter: Reporter) -> list[Entry]:
        """Look what episodes there are now.

        Args:
            reporter: Told of every one that is read.

        Raises:
            RunError: A data set is damaged.
        """
        entries = self._source.entries(reporter)
        self._entries = {entry.key: entry for entry in entries}
        return entries

    def addresses(self) -> Iterator[str]:
        """Everything that there is, once episodes were read."""
        yield from (*_STATIC, _INDEX)
        for key, entry in self._entries.items():
            yield f"data/{key}.js"
            if entry.clips:
                yield f"pictures/{key}.jpg"
            yield from (f"clips/{name}" for name in entry.clips.values())

    def get(self, address: str) -> Content | None:
        """What is at an address; None if nothing is there. No path is made of what a browser says.

        Raises:
            RunError: A data set is damaged.
        """
        if address in _STATIC:
            package, name = _STATIC[address]
            return content(address, (files(package) / name).read_bytes())
        if address == _INDEX:
            return content(address, _given("", self._index()))
        root, _, rest = address.partition("/")
        if root == "clips":
            entry = self._entries.get(rest.rpartition("/")[0])
            if entry is not None and rest in entry.clips.values():
                path = self._inside(rest)
                return None if path is None else content(address, path)
            return None
        entry = self._entries.get(rest.rpartition(".")[0])
        if root == "data" and entry is not None and rest.endswith(".js"):
            shown = {**details(self._source.root, entry), "answers": about(self._answers.now(), entry)}
            return content(address, _given(entry.key, shown))
        if root == "pictures" and entry is not None and rest.endswith(".jpg"):
            picture = self._picture(entry.key)
            return None if picture is None else content(address, picture)
        return None

    def _inside(self, name: str) -> Path | None:
        try:
            path = inside(self._source.root, name)
        except ValueError:
            return None
        return path if is_file(path) else None

    def _index(self) -> dict[str, Any]:
        told, entries = self._answers.now(), self.read(_QUIET) if self._live else list(self._entries.values())
        cameras = {entry.key: [*entry.clips, *_joined(told, entry)] for entry in entries}
        return {
            "title": self._source.title,
            "kind": self._source.kind,
            "live": self._live,
            "version": __version__,
            # Entries in order, not a set, whose order changes from process to process.
            "tasks": {entry.task: TASKS[entry.task].title for entry in entries if entry.task in TASKS},
            "runs": [_run(one) for one in told],
            "work": [one.now() for one in self._progress],
            "trainings": [training(folder) for folder in self._trainings],
            "episodes": [
                {
                    "key": entry.key,
                    "task": entry.task,
                    "number": entry.number,
                    "split": entry.split,
                    "answer": entry.answer,
                    "state": entry.state,
                    "why": entry.why,
                    "picture": bool(entry.clips),
                    "verdicts": [one.verdicts(entry, cameras[entry.key]) for one in told],
                }
                for entry in entries
            ],
        }

    def _draw(self, key: str) -> bytes | None:
        """The middle of the story, as the first camera saw it; None if there is no picture to be had."""
        # Meanwhile it may have been deleted.
        entry = self._entries.get(key)
        path = next((self._inside(name) for name in entry.clips.values()), None) if entry else None
        if entry is None or path is None or not entry.frames:
            return None
        width, height = entry.size
        try:
            with opened(path) as (_, stream):
                pixels = stream.width * stream.height
            if pixels > _MOST_PIXELS or pixels * entry.frames > _MOST_DECODED:
                return None
            size = (_WIDTH, max(1, min(round(_WIDTH * height / width), 4 * _WIDTH)))
            (image,) = read_frames(path, [min(entry.middle, entry.frames - 1)], size)
        except HpvqaError:
            return None
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(image)).save(buffer, "JPEG", quality=_QUALITY, optimize=True)
        return buffer.getvalue()


def _joined(told: list[Told], entry: Entry) -> list[str]:
    """What stands for a camera in answers to all views at once, where a run is judged by these."""
    return list(dict.fromkeys(name for one in told for name in one.cameras(entry) if name not in entry.clips))


def _run(told: Told) -> dict[str, Any]:
    run, settings = told.run, told.run.settings
    return {
        "name": run.name,
        "model": run.model,
        "condition": run.main_condition,
        "marks": list(run.marks),
        "notes": list(run.notes),
        "facts": []
        if settings is None
        else [
            ["Model", f"{settings.model} ({settings.backend})"],
            *([["Adapter", run.adapter]] if run.adapter else []),
            ["Data set", f"{settings.dataset}, fingerprint {settings.fingerprint[:12]}"],
            ["Prompt", f"{settings.prompt.name}, version {settings.prompt.version}"],
            ["Seed", str(settings.seed)],
            ["Versions", ", ".join(f"{name} {version}" for name, version in settings.versions.items())],
        ],
    }


def _given(key: str, data: Any) -> bytes:
    """A script that hands data to the page: a page that was opened as a file may load scripts, and nothing else."""
    # As text within text, so that no key of the data means something to the script.
    text = json.dumps(json.dumps(data, ensure_ascii=False, allow_nan=False))
    return f"studio.give({json.dumps(key)}, {text});\n".encode()
