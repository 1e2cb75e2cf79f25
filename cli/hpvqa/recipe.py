"""One description of what to collect and build, behind command options, YAML recipes and the JSON schema alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, Discriminator, Field, Tag, create_model

from hpvqa.errors import UsageError
from hpvqa.plain import Model, validated
from hpvqa.resources import read_named, recipes_dir
from hpvqa.scene.layers import LAYERS, Layer
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.rigs import Rig, find_rig
from hpvqa.scene.shift import UNSHIFTED, Shift
from hpvqa.tasks import TASKS
from hpvqa.tasks.base import Ranges, Task

PHYSICS_RATE = 1200
"""Physics steps a second in the embedded simulator; a video's frame rate divides it."""

T = TypeVar("T", bound=Ranges)


def check_fps(fps: int) -> int:
    """Return a frame rate that videos can have.

    Raises:
        ValueError: It does not divide the physics rate.
    """
    if fps < 1 or PHYSICS_RATE % fps:
        below = next((f for f in range(min(fps, PHYSICS_RATE), 0, -1) if PHYSICS_RATE % f == 0), 1)
        above = next((f for f in range(max(fps, 1), PHYSICS_RATE + 1) if PHYSICS_RATE % f == 0), PHYSICS_RATE)
        near = " and ".join(str(rate) for rate in sorted({below, above}))
        raise ValueError(f"a frame rate must divide {PHYSICS_RATE}, and {fps} does not; the nearest: {near}")
    return fps


def check_resolution(resolution: tuple[int, int]) -> tuple[int, int]:
    """Return a (width, height) that H.264 can hold.

    Raises:
        ValueError: A side is odd, or out of range.
    """
    for side in resolution:
        if side % 2 or not 32 <= side <= 4096:
            raise ValueError(
                f"H.264 needs an even width and height between 32 and 4096, {resolution[0]}x{resolution[1]} is not"
            )
    return resolution


Fps = Annotated[int, AfterValidator(check_fps)]
Resolution = Annotated[tuple[int, int], AfterValidator(check_resolution)]
RigChoice = Annotated[
    Annotated[str, Tag("[name]")] | Annotated[Rig, Tag("[cameras]")],
    Discriminator(lambda value: "[name]" if isinstance(value, str) else "[cameras]"),
]
"""A rig by name or file, or written out in the recipe itself. Errors leave out what is in brackets."""


class TaskRecipe(Model, Generic[T]):
    """What to make of one task."""

    episodes: int = Field(default=40, ge=1, description="How many episodes.")
    eval_episodes: int | None = Field(
        default=None, ge=0, description="How many of them are for evaluation; by default a quarter, and an even number."
    )
    fps: Fps | None = Field(default=None, description="Frame rate of the clips; it divides 1200. Default: the task's.")
    ranges: T = Field(description="Ranges of the hidden property.")


def _task_recipe(task: Task) -> Any:
    kind = task.ranges
    generic = TaskRecipe[kind]  # type: ignore[valid-type]
    return create_model(
        f"{kind.__name__.removesuffix('Ranges')}Recipe",
        __base__=generic,
        ranges=(kind, Field(default=kind(), description="Ranges of the hidden property.")),
    )


_FIELDS: dict[str, Any] = {
    name: (_task_recipe(task) | None, Field(default=None, description=f"{task.title}.")) for name, task in TASKS.items()
}
TasksRecipe: type[Model] = create_model("TasksRecipe", __base__=Model, **_FIELDS)


class Recipe(Model):
    """Everything that decides what a collection holds."""

    seed: int = Field(default=42, ge=0, lt=2**63, description="Random seed of the whole collection.")
    backend: Literal["mujoco", "isaac"] = Field(default="mujoco", description="The simulator.")
    physics: Literal["isaacsim", "ovphysx"] = Field(
        default="isaacsim",
        description="Where the simulator isaac computes: in Isaac Sim, or in Isaac Lab 3 without it, on any machine.",
    )
    num_envs: int = Field(
        default=16, ge=1, le=256, description="Episodes side by side in Isaac Lab; they share the GPU's memory."
    )
    rig: RigChoice = Field(
        default="paper", description="Camera rig: the name of a shipped one, a YAML file, or the rig itself."
    )
    resolution: Resolution = Field(default=(640, 480), description="Width and height of the clips [pixels].")
    video: bool = Field(default=True, description="Whether to record clips; physics alone is far faster.")
    depth: bool = Field(
        default=False, description="Whether to record depth beside clips, without loss: millimetres, 16 bits."
    )
    segmentation: bool = Field(
        default=False, description="Whether to record beside clips which thing each pixel shows, without loss."
    )
    randomization: Randomization = Field(default=Randomization(), description="Ranges of the nuisance variables.")
    tasks: TasksRecipe = Field(default=TasksRecipe(), description="What to make of each task.")
    shift: Shift = Field(default=UNSHIFTED, description="What a collection for testing only changes.")

    def task(self, name: str) -> TaskRecipe[Ranges] | None:
        """What the recipe says of one task; None if it does not name it."""
        found: TaskRecipe[Ranges] | None = getattr(self.tasks, name)
        return found

    def named_tasks(self) -> dict[str, TaskRecipe[Ranges]]:
        """The tasks that the recipe names, in the order of the registry."""
        found = {name: self.task(name) for name in TASKS}
        return {name: task for name, task in found.items() if task is not None}

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What is recorded beside clips.

        Raises:
            UsageError: There are no clips, or the simulator draws colours alone.
        """
        found = tuple(layer for layer in LAYERS if getattr(self, layer))
        if found and not self.video:
            raise UsageError("Without video nothing is drawn: leave out --no-video, or depth and segmentation")
        if found and self.backend == "isaac" and self.physics == "isaacsim":
            raise UsageError(
                f"Isaac Sim records colours alone: leave out {' and '.join(found)}, or take the simulator mujoco, or "
                "Isaac Lab 3 (--physics ovphysx)"
            )
        return found

    @property
    def left_out(self) -> dict[str, str]:
        """The tasks for which its shift makes no sense, and why, in words."""
        found = {name: task.unfit(self.shift) for name, task in TASKS.items()}
        return {name: why for name, why in found.items() if why is not None}

    def ranges(self, name: str) -> Ranges:
        """Ranges of one task's hidden property.

        Raises:
            UsageError: The recipe's shift makes no sense for the task.
        """
        if name in self.left_out:
            raise UsageError(f"The shift {self.shift.name} is not for {name}: {self.left_out[name]}; name other tasks")
        task, named = TASKS[name], self.task(name)
        # A form writes down every value, also those that are as always.
        if named is not None and named.ranges != task.ranges():
            return named.ranges
        return task.beyond if self.shift.values == "beyond" and task.beyond is not None else task.ranges()

    def fps(self, name: str) -> int:
        """The frame rate of one task's clips."""
        task = self.task(name)
        return TASKS[name].default_fps if task is None or task.fps is None else task.fps

    def camera_rig(self) -> Rig:
        """The camera rig; a task that it does not name is filmed by the cameras of the task that it borrows them from.

        Raises:
            UsageError: There is no such rig, or its file does not describe one.
        """
        rig = find_rig(self.rig)
        borrowed = {
            name: rig.tasks[task.views]
            for name, task in TASKS.items()
            if name not in rig.tasks and task.views in rig.tasks
        }
        return rig.model_copy(update={"tasks": {**rig.tasks, **borrowed}})


def recipe_names() -> list[str]:
    """Names of the recipes that come with the package; those that end in ``lora`` are recipes of fine-tuning."""
    return sorted(path.stem for path in recipes_dir().glob("*.yaml") if not path.stem.endswith("lora"))


def validate_recipe(data: Mapping[str, Any], source: str, names: Mapping[str, str] | None = None) -> Recipe:
    """Turn plain data into a recipe.

    Args:
        data: Keys and values as in a YAML recipe.
        source: What to call the data in an error.
        names: What the user calls a value that is not from the source, by its dotted path.

    Raises:
        UsageError: A key is unknown (the message names the nearest one), or a value is not possible.
    """
    return validated(Recipe, data, source, names)


def load_recipe(name: str) -> Recipe:
    """Read a recipe by the name of a shipped one, or from a YAML file.

    Raises:
        UsageError: There is no such recipe, or it is not valid.
    """
    data, source = read_named("recipe", "recipe", name, recipes_dir(), recipe_names())
    if not isinstance(data, dict):
        raise UsageError(f"{source} should hold keys and values")
    return validate_recipe(data, source)
