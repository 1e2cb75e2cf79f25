"""What a data folder holds: settings that all of its episodes share, and that a later run must agree with."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, JsonValue, SerializerFunctionWrapHandler, ValidationError, model_serializer

from hpvqa.errors import UsageError
from hpvqa.files import read_bytes, write_json
from hpvqa.plain import Model, explain
from hpvqa.recipe import Recipe
from hpvqa.scene.layers import LAYERS, Layer
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.sampling import sample_episode
from hpvqa.scene.shift import UNSHIFTED, Shift
from hpvqa.scene.spec import CameraSpec, EpisodeSpec
from hpvqa.scene.widths import too_small
from hpvqa.sim.render import FIRST, VERSION
from hpvqa.tasks import TASKS
from hpvqa.versions import versions_of

COLLECTION_VERSION: Final = 1
COLLECTION_FILE = "hpvqa.json"

PACKAGES = ("av", "mujoco-core", "numpy", "pyarrow", "scipy")
"""Packages whose version may change the bytes of an episode."""


class TaskSettings(Model):
    """What all episodes of one task share."""

    fps: int = Field(description="Frame rate of clips and trajectory.")
    ranges: dict[str, JsonValue] = Field(description="Ranges of the hidden property.")
    cameras: tuple[CameraSpec, ...] = Field(description="The rig's cameras for this task.")


class Collection(Model):
    """What a data folder holds: ``hpvqa.json``."""

    schema_version: Literal[1] = COLLECTION_VERSION
    backend: str = Field(description="The simulator.")
    physics: str = Field(default="isaacsim", description="Where the simulator isaac computes.")
    seed: int = Field(description="Seed of every random number.")
    video: bool = Field(description="Whether clips are recorded.")
    resolution: tuple[int, int] | None = Field(description="Width and height of the clips [pixels]; null without.")
    depth: bool = Field(default=False, description="Whether depth is recorded beside clips; left out if not.")
    segmentation: bool = Field(default=False, description="The same of segmentations.")
    rig: str = Field(description="Name of the camera rig.")
    randomization: Randomization = Field(description="Ranges of the nuisance variables.")
    shift: Shift = Field(default=UNSHIFTED, description="What it changes, for testing only.")
    tasks: dict[str, TaskSettings]
    versions: dict[str, str] = Field(description="What was installed when the collection began.")

    @model_serializer(mode="wrap")
    def _as_ever(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A layer that is not recorded is not written: there were none for long."""
        data: dict[str, Any] = write(self)
        return {name: value for name, value in data.items() if name not in LAYERS or value}

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What is recorded beside clips."""
        return tuple(layer for layer in LAYERS if getattr(self, layer))

    @classmethod
    def of(cls, recipe: Recipe, tasks: Sequence[str], versions: dict[str, str]) -> Collection:
        """The settings that a recipe means for these tasks.

        Raises:
            UsageError: There is no such rig, it lacks cameras for a task, the shift makes no sense for one or changes
                nothing, or nothing draws the layers.
        """
        rig = recipe.camera_rig()
        usual = Recipe()
        if recipe.shift == Shift(name=recipe.shift.name) != UNSHIFTED and (
            (rig.name, recipe.randomization) == (usual.rig, usual.randomization)
        ):
            raise UsageError(
                f"The shift {recipe.shift.name} would change nothing: rig {rig.name} and its randomization are as "
                f"always; leave away --rig and --set, or take a recipe that is no shift"
            )
        settings = {}
        for name in tasks:
            ranges = recipe.ranges(name).model_dump(mode="json")
            settings[name] = TaskSettings(fps=recipe.fps(name), ranges=ranges, cameras=rig.cameras(name))
        return cls(
            backend=recipe.backend,
            physics=recipe.physics if recipe.backend == "isaac" else "isaacsim",
            seed=recipe.seed,
            video=recipe.video,
            resolution=recipe.resolution if recipe.video else None,
            **{layer: layer in recipe.layers for layer in LAYERS},
            rig=rig.name,
            randomization=recipe.randomization,
            shift=recipe.shift,
            tasks=settings,
            versions=versions,
        )

    def spec(self, task: str, index: int, attempt: int = 0) -> EpisodeSpec:
        """The plan of one episode of this collection."""
        settings, script = self.tasks[task], TASKS[task]
        return sample_episode(
            script,
            script.ranges.model_validate(settings.ranges),
            self.randomization,
            self.rig,
            settings.cameras,
            seed=self.seed,
            index=index,
            attempt=attempt,
            shift=self.shift,
        )

    def warnings(self) -> list[str]:
        """What is wrong with the pictures that would be recorded, in sentences."""
        size = self.resolution
        found = [] if size is None else [too_small(self.spec(task, 0), *size) for task in self.tasks]
        return [sentence for sentence in found if sentence is not None]


def installed_versions(backend: str, tasks: Sequence[str]) -> dict[str, str]:
    """Versions of whatever may change the bytes of an episode: packages, those that bring tasks, and what draws.

    Args:
        backend: The simulator.
        tasks: Names of the tasks of the episodes.
    """
    found = versions_of([*PACKAGES, *(plugin.package for plugin in TASKS.plugins if plugin.name in tasks)])
    return {**found, "renderer": VERSION} if backend == "mujoco" else found


def read_collection(data: Path) -> Collection | None:
    """What a data folder holds; None if it has no ``hpvqa.json``.

    Raises:
        UsageError: The file is damaged.
    """
    path = data / COLLECTION_FILE
    try:
        return Collection.model_validate_json(read_bytes(path))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise UsageError(f"{path} is not what this version writes ({explain(error)}); use another folder") from None


def agree(data: Path, wanted: Collection, *, replace: bool, warn: Callable[[str], None]) -> None:
    """Write down what a data folder holds, or check that it agrees; tasks may be added.

    Args:
        data: The folder.
        wanted: The settings of this run.
        replace: Whether other settings may be replaced, since no episode was made with them.
        warn: Told of versions that differ.

    Raises:
        UsageError: The folder holds episodes with other settings; the message names the differences.
    """
    found = read_collection(data)
    merged = wanted
    if found is not None and not replace:
        check_agrees(data, found, wanted)
        # Folders of earlier versions do not name their renderer.
        made_with = {"renderer": FIRST, **found.versions}
        for name in sorted(made_with.keys() & wanted.versions.keys()):
            there, here = made_with[name], wanted.versions[name]
            if there != here:
                warn(f"{name} is {there} in the episodes of {data} and {here} here; new ones may differ in bytes")
        # A task that is added may come from a package of its own.
        versions = found.versions
        if wanted.tasks.keys() - found.tasks.keys():
            versions = versions | {name: made_with.get(name, here) for name, here in wanted.versions.items()}
        merged = found.model_copy(update={"tasks": {**found.tasks, **wanted.tasks}, "versions": versions})
    if merged != found:
        write_json(data / COLLECTION_FILE, merged.model_dump(mode="json"))


def check_agrees(data: Path, found: Collection, wanted: Collection) -> None:
    """Make sure that a folder's episodes and those of a run have the same settings, for the tasks of both.

    Raises:
        UsageError: They have not; the message names the differences.
    """
    different = differences(found, wanted)
    if different:
        raise UsageError(
            f"{data} was collected with other settings: {'; '.join(different)}. "
            "What is left out is taken from the folder: leave it out, or choose another --out"
        )


def differences(found: Collection, wanted: Collection) -> list[str]:
    """What differs between the settings of a folder and those of a run, for the tasks of both; versions may."""
    shared = wanted.tasks.keys() & found.tasks.keys()
    return _differences(_settings(found, shared), _settings(wanted, shared))


def _settings(collection: Collection, tasks: set[str]) -> dict[str, JsonValue]:
    chosen = collection.model_copy(update={"tasks": {name: collection.tasks[name] for name in sorted(tasks)}})
    layers = {layer: layer in collection.layers for layer in LAYERS}
    return _flat(chosen.model_dump(mode="json", exclude={"versions"}) | layers)


def _flat(value: dict[str, JsonValue], prefix: str = "") -> dict[str, JsonValue]:
    flat: dict[str, JsonValue] = {}
    for key, part in value.items():
        flat |= _flat(part, f"{prefix}{key}.") if isinstance(part, dict) else {f"{prefix}{key}": part}
    return flat


def _differences(there: dict[str, JsonValue], here: dict[str, JsonValue]) -> list[str]:
    found = []
    for key in {**there, **here}:
        before, now = there.get(key), here.get(key)
        if before == now:
            continue
        if key.endswith(".cameras"):
            found.append(f"{key} differ")
        else:
            found.append(f"{key} is {_shown(key, before)} there and {_shown(key, now)} here")
    return found


def _shown(key: str, value: JsonValue) -> str:
    return "x".join(map(str, value)) if key == "resolution" and isinstance(value, list) else json.dumps(value)
