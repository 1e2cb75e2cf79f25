"""What a version of the suite consists of: ``v1.yaml`` and its like, and the plans that follow from them."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any, Final

from pydantic import Field

from hpvqa.collect.settings import Collection
from hpvqa.errors import RunError
from hpvqa.explore.folder import Worlds
from hpvqa.explore.scene import Family
from hpvqa.files import read_yaml
from hpvqa.plain import Model, validated
from hpvqa.recipe import Recipe, validate_recipe
from hpvqa.suite.names import HERE, check_size, check_version

USUAL: Final = "usual"
"""The part without a shift."""


class Size(Model):
    """How much of a suite is run."""

    resolution: tuple[int, int] = Field(description="Width and height of the clips [pixels].")
    cameras: tuple[str, ...] = Field(description="Those of each rig that record, by name.")
    usual: dict[str, int] = Field(description="Episodes of each task without a shift.")
    training: int = Field(description="How many of these baselines may learn from; nobody is asked about them.")
    shifts: dict[str, dict[str, int]] = Field(description="Episodes of each task, by shift.")
    scenes: int = Field(description="Scenes of active reasoning.")


class Definition(Model):
    """A version of the suite."""

    version: str
    seed: int = Field(description="Seed of all episodes.")
    scenes_seed: int = Field(description="Seed of the scenes of active reasoning.")
    families: tuple[Family, ...] = Field(description="Families of these scenes.")
    shifts: dict[str, dict[str, Any]] = Field(description="What each shift changes, as a recipe says it.")
    sizes: dict[str, Size]
    digests: dict[str, str] = Field(description="SHA-256 of the plans of each size.")


class Part(Model):
    """Some episodes of a suite that are collected together and score apart."""

    name: str
    recipe: Recipe
    tasks: dict[str, int] = Field(description="How many episodes of each task.")

    @property
    def usual(self) -> bool:
        """Whether its episodes are of no shift."""
        return self.name == USUAL

    def collection(self, versions: dict[str, str]) -> Collection:
        """The settings of its episodes.

        Args:
            versions: What is installed.
        """
        return Collection.of(self.recipe, list(self.tasks), versions)


class Suite(Model):
    """A version of the suite in one size."""

    definition: Definition
    size_name: str

    @property
    def name(self) -> str:
        """What it is called on cards."""
        return f"{self.definition.version} {self.size_name}"

    @property
    def size(self) -> Size:
        """How much of it is run."""
        return self.definition.sizes[self.size_name]

    @property
    def worlds(self) -> Worlds:
        """The scenes of active reasoning."""
        definition = self.definition
        return Worlds(seed=definition.scenes_seed, families=definition.families, scenes=self.size.scenes)

    def parts(self) -> list[Part]:
        """Its parts with episodes, the one without a shift first."""
        shifts = {name: (self.definition.shifts[name], tasks) for name, tasks in self.size.shifts.items()}
        found = {USUAL: ({}, self.size.usual), **shifts}
        return [Part(name=name, recipe=self._recipe(*part), tasks=part[1]) for name, part in found.items()]

    def _recipe(self, changed: dict[str, Any], tasks: dict[str, int]) -> Recipe:
        size = self.size
        counts = {
            name: {"episodes": count, "eval_episodes": None if "shift" in changed else count - size.training}
            for name, count in tasks.items()
        }
        usual = {"seed": self.definition.seed, "resolution": size.resolution, "tasks": counts}
        recipe = validate_recipe({**usual, **changed}, f"The suite {self.definition.version}")
        rig = recipe.camera_rig()
        kept = {task: [camera for camera in rig.tasks[task] if camera.name in size.cameras] for task in tasks}
        return recipe.model_copy(update={"rig": rig.model_copy(update={"tasks": kept})})


def load(version: str, size: str) -> Suite:
    """A version of the suite in one size.

    Raises:
        UsageError: There is no such version or size; the message names the nearest one.
    """
    check_version(version)
    check_size(size)
    return Suite(definition=_read(version), size_name=size)


@cache
def _read(version: str) -> Definition:
    path = HERE / f"{version}.yaml"
    return validated(Definition, read_yaml(path), f"The suite {path}")


def digest(suite: Suite) -> str:
    """SHA-256 of all plans: what every episode is before anything is simulated, and which scenes are drawn."""
    lines = [suite.worlds.model_dump_json()]
    for part in suite.parts():
        collection = part.collection({})
        for task, count in part.tasks.items():
            for index in range(count):
                plan = collection.spec(task, index).model_dump(mode="json")
                lines.append(json.dumps([part.name, plan], sort_keys=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check(suite: Suite) -> str:
    """Check that this installation plans the same episodes as everybody's; returns the digest.

    Raises:
        RunError: It plans others.
    """
    found, expected = digest(suite), suite.definition.digests.get(suite.size_name)
    if found != expected:
        raise RunError(
            f"This version of hpvqa plans other episodes than the suite {suite.name}, so that no score on them would "
            "compare with others; install the version that the suite came with"
        )
    return found
