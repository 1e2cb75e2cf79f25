"""Options that several commands share; their help is the recipe's own description of the field."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from hpvqa.commands.param_types import TASK, FileOrName, NamesType, ResolutionType, Whole, limits
from hpvqa.errors import UsageError
from hpvqa.recipe import Recipe, load_recipe, recipe_names, validate_recipe
from hpvqa.scene.layers import LAYERS
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.rigs import rig_names
from hpvqa.tasks import TASKS

F = TypeVar("F", bound=Callable[..., Any])


task_argument = click.argument("task", type=TASK)


def _describe(field: str) -> str:
    description = Recipe.model_fields[field].description
    return description or ""


_CLIPS = "rgb"


def _layers(ctx: click.Context, option: click.Parameter, names: tuple[str, ...] | None) -> dict[str, bool] | None:
    """Whether each layer is recorded; None: not given."""
    if names is not None and _CLIPS not in names:
        raise UsageError(f"Clips are always recorded: give --record {','.join((_CLIPS, *names))}")
    return None if names is None else {layer: layer in names for layer in LAYERS}


_OPTIONS: dict[str, Callable[[F], F]] = {
    "seed": click.option("--seed", type=Whole(**limits(Recipe, "seed")), help=f"{_describe('seed')}  [default: 42]"),
    "backend": click.option(
        "--backend", type=click.Choice(["mujoco", "isaac"]), help=f"{_describe('backend')}  [default: mujoco]"
    ),
    "physics": click.option(
        "--physics",
        type=click.Choice(["isaacsim", "ovphysx"]),
        help=f"{_describe('physics')}  [default: isaacsim]",
    ),
    "num_envs": click.option(
        "--num-envs", type=Whole(**limits(Recipe, "num_envs")), help=f"{_describe('num_envs')}  [default: 16]"
    ),
    "rig": click.option(
        "--rig",
        type=FileOrName(rig_names),
        help="Camera rig: the name of a shipped one, or a YAML file.  [default: paper]",
    ),
    "resolution": click.option(
        "--resolution", type=ResolutionType(), help=f"{_describe('resolution')}  [default: 640x480]"
    ),
    "fps": click.option(
        "--fps", type=Whole(min=1), help="Frame rate of the clips; it divides 1200.  [default: the task's]"
    ),
    "video": click.option(
        "--no-video",
        "video",
        is_flag=True,
        callback=lambda ctx, option, value: False if value else None,
        help="Record no clips: physics only, far faster.",
    ),
    "record": click.option(
        "--record",
        type=NamesType("kind of recording", (_CLIPS, *LAYERS)),
        callback=_layers,
        help="What to record of each camera: rgb, depth, segmentation.  [default: rgb]",
    ),
    "object_colors": click.option(
        "--object-colors",
        type=click.Choice(["shared", "independent"]),
        help=f"{Randomization.model_fields['object_colors'].description}  [default: shared]",
    ),
}


def recipe_options(*names: str) -> Callable[[F], F]:
    """Add ``--recipe`` and options that override single fields of it; the command gets the result as ``recipe``.

    Args:
        names: Keys of the table above.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def wrapper(*args: Any, recipe_name: str | None, **options: Any) -> Any:
            given = {name: options.pop(name) for name in names}
            recipe = override(load_recipe(recipe_name) if recipe_name else Recipe(), given)
            return function(*args, recipe=recipe, **options)

        decorated: Any = wrapper
        for name in reversed(names):
            decorated = _OPTIONS[name](decorated)
        decorated = click.option(
            "--recipe",
            "recipe_name",
            type=FileOrName(recipe_names),
            help="Take all settings from a YAML recipe; options override it.",
        )(decorated)
        result: F = decorated
        return result

    return decorate


def override(recipe: Recipe, given: Mapping[str, Any]) -> Recipe:
    """A recipe with single fields replaced; None leaves a field as it is.

    Raises:
        UsageError: A value is not possible; the message names the option.
    """
    # Without what has its default: what was not given must stay so, for a data folder may know better.
    data = recipe.model_dump(exclude_unset=True)
    names = {}
    for option, value in given.items():
        if value is None:
            continue
        for (*parents, field), part in _fields(option, recipe, value):
            section = data
            for parent in parents:
                section[parent] = section.get(parent) or {}
                section = section[parent]
            section[field] = part
            names[".".join((*parents, field))] = "--" + option.replace("_", "-")
    return validate_recipe(data, "The recipe", names)


def _fields(option: str, recipe: Recipe, value: Any) -> list[tuple[tuple[str, ...], Any]]:
    """The fields of a recipe that an option sets, and to what."""
    if option == "fps":
        return [(("tasks", name, "fps"), value) for name in recipe.named_tasks() or TASKS]
    if option == "record":
        return [((layer,), on) for layer, on in value.items()]
    return [(("randomization", option) if option == "object_colors" else (option,), value)]
