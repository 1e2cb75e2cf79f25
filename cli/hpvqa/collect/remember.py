"""A run that goes on in a data folder: settings that it does not name are those of the folder's episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hpvqa.collect.settings import Collection, read_collection
from hpvqa.collect.shard import Shard
from hpvqa.errors import UsageError
from hpvqa.recipe import Recipe, validate_recipe
from hpvqa.record.episode import find_episodes
from hpvqa.scene.layers import LAYERS
from hpvqa.scene.rigs import Rig, RigCamera, load_rig, rig_names

_KEPT = {"backend", "physics", "seed", "video", "resolution", *LAYERS, "randomization", "shift"}


def binding(data: Path, shard: Shard | None) -> Collection | None:
    """The settings that a run in a data folder must agree with; None if it may choose.

    Without episodes nothing binds a whole run; a shard is bound by what another one may just have begun with.

    Raises:
        UsageError: The folder's settings are damaged.
    """
    found = read_collection(data)
    return None if shard is None and next(find_episodes(data), None) is None else found


def remembered(recipe: Recipe, data: Path, found: Collection, tasks: Sequence[str]) -> Recipe:
    """A recipe whose settings that were not given are those of a data folder.

    Args:
        recipe: What was given; fields that were not set were not given.
        data: The data folder.
        found: Its settings.
        tasks: The tasks of this run, which are the only ones that the result names.

    Raises:
        UsageError: A resolution or a layer was given, and the folder holds no clips.
    """
    given = recipe.model_dump(exclude_unset=True)
    for what in ("resolution", *LAYERS):
        if not found.video and given.get(what) and "video" not in given:
            raise UsageError(
                f"The episodes of {data} have no clips and so no {what}; leave it out, or choose another --out"
            )
    settings = found.model_dump(exclude_none=True, include=_KEPT)
    settings["rig"] = _rig(found)
    settings["tasks"] = {name: {"fps": task.fps, "ranges": dict(task.ranges)} for name, task in found.tasks.items()}
    merged = {**_over(settings, given), "rig": given.get("rig", settings["rig"])}
    merged["tasks"] = {name: merged["tasks"].get(name) or {} for name in tasks}
    return validate_recipe(merged, "The command line")


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The values of both mappings, whose parts may be mappings; where both have one, that of ``above``."""
    merged = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], Mapping) and isinstance(above[key], Mapping):
            merged[key] = _over(below[key], above[key])
    return merged


def _rig(found: Collection) -> str | dict[str, Any]:
    """The rig of a data folder: its name if it comes with the package, else its cameras."""
    if found.rig in rig_names():
        shipped = load_rig(found.rig)
        if all(task in shipped.tasks and shipped.cameras(task) == of.cameras for task, of in found.tasks.items()):
            return found.rig
    cameras = {
        task: tuple(RigCamera(**camera.model_dump()) for camera in settings.cameras)
        for task, settings in found.tasks.items()
    }
    return Rig(name=found.rig, tasks=cameras).model_dump(exclude_unset=True)
