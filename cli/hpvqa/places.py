"""What a folder is, and what lies near it: so that whoever names the wrong one is told the one that was meant."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

from hpvqa.files import read_json

Kind = Literal["data set", "data folder", "episode", "run", "folder of scenes"]

MARKERS: dict[Kind, str] = {
    "data set": "manifest.json",
    "episode": "episode.json",
    "run": "run.json",
    "data folder": "hpvqa.json",
    "folder of scenes": "worlds.json",
}
"""The file that makes a folder what it is."""
_MADE_BY: dict[Kind, str] = {
    "data set": "build",
    "episode": "collect",
    "run": "eval",
    "data folder": "collect",
    "folder of scenes": "explore draw",
}
_NEW: tuple[Kind, ...] = ("data folder", "folder of scenes")
"""What is made in a place that --out names."""
_BELOW = ("episode-*", "[0-9]*/episode-*")
"""Where episodes lie in the folder of a thousand, and in that of a task."""
_IN_DATA = ("[a-z]*/[0-9]*/episode-*",)
_UP = 4
"""Folders above that are looked at; an episode is three below its data folder."""
_SHOWN = 3


def kind_of(folder: Path) -> Kind | None:
    """What a folder is; None if it is nothing of ours, or no folder."""
    for kind, marker in MARKERS.items():
        if (folder / marker).is_file() and not (kind == "data folder" and _holds_model(folder / marker)):
            return kind
    return "data folder" if any(_episodes(folder, _IN_DATA)) else None


def _holds_model(record: Path) -> bool:
    """Whether this is the record of a training, whose file has the name of a data folder's."""
    try:
        data = read_json(record)
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and "family" in data


def not_a(wanted: Kind, path: Path, *others: Kind) -> str:
    """A sentence about a path that is not what was wanted: what it is, and which one near it may have been meant.

    Args:
        wanted: What it should be.
        path: What was named.
        others: What would have done as well.
    """
    kinds = (wanted, *others)
    found = list(islice(near(path, *kinds), _SHOWN + 1))
    if not found:
        return f"{_what(path, kinds)}; make one with {_command(wanted, path)}"
    one = "use this one" if len(found) == 1 else "use one of these"
    return f"{_what(path, kinds)}; {one}: {', '.join(map(str, found[:_SHOWN]))}{', ...' * (len(found) > _SHOWN)}"


def near(path: Path, *wanted: Kind) -> Iterator[Path]:
    """The places of some kinds that lie in a folder, above it and beside it, each once."""
    seen: set[Path] = set()
    for place in _around(path):
        if place not in seen and kind_of(place) in wanted:
            seen.add(place)
            yield place


def _what(path: Path, wanted: tuple[Kind, ...]) -> str:
    if not os.path.lexists(path):
        return f"There is no {' or '.join(wanted)} {path}"
    if not path.exists():
        return f"{path} is a link that leads nowhere"
    if path.is_file():
        return f"{path} is a file, not {_a(*wanted)}"
    kind = kind_of(path)
    return f"{path} is {_a(kind)}, not {_a(*wanted)}" if kind else f"{path} is not {_a(*wanted)}"


def _a(*kinds: Kind) -> str:
    return " or ".join(f"{'an' if kind == 'episode' else 'a'} {kind}" for kind in kinds)


def _command(wanted: Kind, path: Path) -> str:
    # What can be made right there: nothing may be in the way.
    free = not os.path.lexists(path) or (path.is_dir() and not any(path.iterdir()))
    out = f" --out {path}" if wanted in _NEW and free else ""
    return f"`hpvqa {_MADE_BY[wanted]}{out}`"


def _around(path: Path) -> Iterator[Path]:
    """What lies in a folder, above it, and beside it, episodes last."""
    above = [*path.parents, *(() if path.is_absolute() else Path.cwd().parents)][:_UP]
    # The splits of a data set look like data folders.
    yield from _folders(path) if kind_of(path) is None else ()
    yield from above
    yield from (_folders(above[0]) if above else ())
    for folder in (path, *_folders(path), *above[:1], *(_folders(above[0]) if above else ())):
        yield from _episodes(folder, (*_BELOW, *_IN_DATA))


def _episodes(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        try:
            records = sorted(folder.glob(f"{pattern}/{MARKERS['episode']}"))
        except OSError:
            # Gone meanwhile, or not ours to look into.
            continue
        yield from (record.parent for record in records)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    except OSError:
        return []
