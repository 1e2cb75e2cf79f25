"""A run's folder: ``run.json``, which says what is run, ``shots/``, and a folder for each scene in ``scenes/``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue, ValidationError

from hpvqa.errors import OtherRunError, RunError, UsageError
from hpvqa.evaluate.folder import differences
from hpvqa.explore.runs.record import Played, played_file, read_played
from hpvqa.explore.scene import Family, Scene
from hpvqa.files import holds_other, locked, read_bytes, read_json, replacing, sync, write_json
from hpvqa.plain import Model, explain

RUN_FILE = "run.json"
LOCK_FILE = ".lock"
Split = Literal["all", "held-out", "known"]
_WAYS_OUT = "give the same options, choose another --out, or begin anew with --restart"


class RunSettings(Model):
    """``run.json``: everything that the decisions of a run depend on."""

    schema_version: Literal[1] = 1
    kind: Literal["explore"] = "explore"
    agent: str
    backend: str = Field(description="What runs a model; rule for an agent that is none.")
    details: dict[str, JsonValue] = Field(default={}, description="What the agent adds.")
    condition: str
    worlds: str = Field(description="Folder of the scenes, as it was given.")
    worlds_seed: int = Field(description="Seed that the scenes were drawn with.")
    families: tuple[Family, ...]
    split: Split = Field(description="held-out: only types that are kept for evaluation; known: only others.")
    limit: int | None = Field(default=None, description="Most scenes; null: all.")
    seed: int = Field(description="Random seed of the agent.")
    looks: bool = Field(description="Whether the agent was shown pictures.")
    privileged: bool = Field(description="Whether it uses what a camera does not see.")
    versions: dict[str, str]
    command: tuple[str, ...] = ()


_FREE = {"worlds", "limit", "command", "families", "split"}
"""What may differ: scenes may have moved, and more of them may be asked for."""


def read_settings(run: Path) -> RunSettings | None:
    """The settings of a run; None if there are none.

    Raises:
        UsageError: They cannot be understood.
    """
    try:
        return RunSettings.model_validate_json(read_bytes(run / RUN_FILE))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        what = f"{run / RUN_FILE} is no run of an agent ({explain(error)})"
        raise OtherRunError(run, what, "choose another folder") from None


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run of an agent, and not answers to a data set."""
    try:
        data: Any = read_json(folder / RUN_FILE)
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and data.get("kind") == "explore"


def check_run_folder(out: Path) -> None:
    """Make sure, before anything takes time, that a folder can hold a run: it is new, empty, or holds one.

    Raises:
        UsageError: Something else is there, or in the way.
    """
    if holds_other(out, RUN_FILE, LOCK_FILE):
        raise OtherRunError(out, f"{out} exists and is not a run", "choose another --out")


@contextmanager
def open_run(out: Path, settings: RunSettings, *, restart: bool = False) -> Iterator[None]:
    """Begin a run, or go on with it; nobody else does meanwhile.

    Args:
        out: Its folder.
        settings: What ``run.json`` is to say.
        restart: Whether to drop the scenes of a run that is there, and begin anew.

    Raises:
        UsageError: The folder holds something else, or a run with other settings; the message names the differences.
        RunError: Another process is at work there, or the disk does not take it.
    """
    check_run_folder(out)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out / LOCK_FILE):
        there = read_settings(out)
        if there is not None and restart:
            _empty(out)
        elif there is not None:
            a, b = (one.model_dump(mode="json", exclude=_FREE) for one in (there, settings))
            a["versions"] = {name: there.versions.get(name, version) for name, version in settings.versions.items()}
            different = differences(a, b)
            if different:
                what = f"{out} is a run with other settings: {'; '.join(different)}"
                raise OtherRunError(out, what, _WAYS_OUT)
        if there != settings:
            write_json(out / RUN_FILE, settings.model_dump(mode="json"))
        yield


def _empty(out: Path) -> None:
    """Drop all scenes for good: those of other settings must be gone before ``run.json`` says otherwise.

    Raises:
        RunError: The disk does not take it.
    """
    try:
        for name in ("scenes", "shots"):
            if (out / name).exists():
                shutil.rmtree(out / name)
        sync(out)
    except OSError as error:
        raise RunError(f"{error.filename or out} cannot be removed: {error.strerror}") from None


def find_played(run: Path, key: str, scene: Scene) -> Played | None:
    """What is written down of a scene; None where it was not played yet.

    Raises:
        UsageError: It was another scene.
        RunError: The file is damaged.
    """
    played = read_played(played_file(run, key))
    if played is not None and played.ending.scene != (scene.checksum or scene.digest()):
        what = f"{run} was made with other scenes than these"
        raise OtherRunError(run, what, _WAYS_OUT.replace("options", "--worlds"))
    return played


def read_run(run: Path) -> tuple[RunSettings, list[Played]]:
    """A run, as far as it has come.

    Raises:
        UsageError: It is none, or has no scene yet.
        RunError: A file is damaged.
    """
    settings = read_settings(run)
    if settings is None:
        raise UsageError(f"{run} is not a run: it has no {RUN_FILE}; make one with `hpvqa explore run`")
    found = (read_played(path) for path in sorted((run / "scenes").glob("*/steps.jsonl")))
    played = [one for one in found if one is not None]
    if not played:
        raise UsageError(f"{run} holds no scenes yet; run `hpvqa explore run` again to go on with it")
    return settings, played


def store_picture(run: Path, name: str, data: bytes) -> None:
    """Keep a picture under its SHA-256.

    Raises:
        RunError: The disk does not take it.
    """
    path = run / "shots" / f"{name}.png"
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        draft.write_bytes(data)
