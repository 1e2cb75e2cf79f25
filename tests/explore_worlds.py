"""Scenes for tests of agents: one group of a small layout, drawn once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hpvqa.explore.draw import GROUP, draw_group
from hpvqa.explore.folder import WORLDS_FILE, Worlds
from hpvqa.explore.scene import Scene, scene_file, write_scene
from hpvqa.files import write_json


@cache
def group(seed: int = 0) -> tuple[Scene, ...]:
    """Four scenes with two boards: two twins with one first view, and two whose first view suffices."""
    return tuple(scene.sealed() for scene in next(draw_group("stack", 0, seed)))


def write_worlds(folder: Path, seed: int = 0) -> Path:
    """The same as a folder."""
    folder.mkdir(parents=True)
    for scene in group(seed):
        write_scene(scene_file(folder, scene.family, scene.index), scene)
    write_json(folder / WORLDS_FILE, Worlds(seed=seed, families=("stack",), scenes=GROUP).model_dump(mode="json"))
    return folder
