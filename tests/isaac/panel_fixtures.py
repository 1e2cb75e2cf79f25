"""What tests of the panel share."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.isaac.kit.services import EXTENSION
from tests.isaac.kit.session import Session, kit_session

HPVQA = f"{sys.executable} -m hpvqa"
SCHEMA: dict[str, Any] = json.loads((EXTENSION / "data" / "recipe.schema.json").read_text(encoding="utf-8"))


@contextmanager
def panel(
    tmp_path: Path, command: str = HPVQA, options: dict[str, Any] | None = None, kind: type[Session] = Session
) -> Iterator[Session]:
    """The panel in a session of Kit, with its files and data below a folder."""
    with kit_session(kind) as kit:
        prepare(kit, tmp_path, command, options)
        kit.start()
        yield kit


def prepare(kit: Session, tmp_path: Path, command: str = HPVQA, options: dict[str, Any] | None = None) -> None:
    """Set what a user's settings would."""
    kit.settings.set_string("/exts/hpvqa.collector/folder", str(tmp_path / "state"))
    kit.settings.set_string("/exts/hpvqa.collector/command", command)
    stored = {"recipe": {}, "options": {"data": str(tmp_path / "data"), **(options or {})}, "cameras": None}
    kit.settings.set_string("/persistent/exts/hpvqa.collector/state", json.dumps(stored))


def script(folder: Path, text: str) -> str:
    """A stand-in of the hpvqa command, written in Python; returns its command line."""
    path = folder / "fake_hpvqa.py"
    path.write_text("import json, os, signal, sys, time\nfrom pathlib import Path\narguments = sys.argv[1:]\n" + text)
    return f"{sys.executable} {path}"


def tiny_job(kit: Session, episodes: int = 2) -> None:
    """Set up a job that takes seconds: pushes alone, small and seldom frames, the embedded simulator."""
    _small_job(kit, {"push": episodes}, fps=2, size=(64, 48))


def push_and_drop_job(kit: Session) -> None:
    """Set up a job that takes a minute, whose pictures can be recognised."""
    _small_job(kit, {"push": 2, "drop": 2}, fps=5, size=(320, 240))


def _small_job(kit: Session, episodes: dict[str, int], fps: int, size: tuple[int, int]) -> None:
    for task in kit.extension._collector.job.tasks:
        kit.check(f"tasks.{task.name}", task.name in episodes)
    for name, count in episodes.items():
        kit.type(f"tasks.{name}.episodes", count)
        kit.type(f"tasks.{name}.fps", str(fps))
    for side in range(2):
        kit.type(f"resolution.{side}", size[side])
    kit.choose("backend", "mujoco")
    kit.type("option.workers", 1)
