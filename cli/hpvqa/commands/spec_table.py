"""An episode's spec, drawn for a person to read."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from hpvqa.progress.console import PlainConsole
from hpvqa.scene.spec import Color, EpisodeSpec
from hpvqa.tasks import get_task
from hpvqa.tasks.base import Task

_WALLS = ("+x", "+y", "-x", "-y")
_ORDER = ("first", "second", "third", "fourth", "fifth", "sixth")
_PROPERTIES = (("mass", " kg"), ("restitution", ""), ("friction", ""))


def print_spec(spec: EpisodeSpec) -> None:
    """Print a spec, with its colours shown as colours where the terminal can."""
    task = get_task(spec.task)
    console = PlainConsole()
    attempt = f", attempt {spec.attempt}" if spec.attempt else ""
    console.print(Text.assemble((task.title, "bold"), f", episode {spec.index} (seed {spec.seed}{attempt})"))
    console.print(task.question)
    console.print(Text.assemble("Answer: ", (task.answer(spec), "bold"), "\n"))
    for table in (_things(spec, task), _room(spec), _cameras(spec)):
        console.print(table)
        console.print()


def _things(spec: EpisodeSpec, task: Task) -> Table:
    table = _table("", *spec.names)
    table.add_row("goes", *(_ORDER[spec.order.index(name)] if name in spec.order else "" for name in spec.names))
    table.add_row("shape", *(thing.noun for thing in spec.things))
    table.add_row("size", *(f"{' × '.join(f'{100 * side:g}' for side in thing.size)} cm" for thing in spec.things))
    table.add_row("start", *(f"({_vector(thing.position)}) m" for thing in spec.things))
    for name, unit in _PROPERTIES:
        style = "bold" if name == task.hidden else ""
        table.add_row(name, *(f"{getattr(thing, name):.3f}{unit}" for thing in spec.things), style=style)
    if task.hidden not in {name for name, _ in _PROPERTIES}:
        values = (task.words_for(value) for value in task.values(spec).values())
        table.add_row(task.hidden.replace("_", " "), *values, style="bold")
    table.add_row("colour", *(swatch(thing.color) for thing in spec.things))
    return table


def _room(spec: EpisodeSpec) -> Table:
    table = _table("table", "floor", *(f"{name} wall" for name in _WALLS))
    room = spec.room
    table.add_row(*map(swatch, (room.table, room.floor, *room.walls)))
    table.caption = f"lamp at ({_vector(spec.light.position)}) m"
    return table


def _cameras(spec: EpisodeSpec) -> Table:
    table = _table(f"camera ({spec.rig})", "lens", "position (m)", "orientation (w, x, y, z)")
    for camera in spec.cameras:
        table.add_row(camera.name, f"{camera.focal_length:g} mm", _vector(camera.position), _vector(camera.quat_wxyz))
    return table


def swatch(color: Color) -> Text:
    """The hexadecimal name of an sRGB colour, and a patch of it."""
    name = "#" + "".join(f"{round(255 * part):02x}" for part in color)
    return Text.assemble(f"{name} ", ("  ", f"on {name}"))


def _vector(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.3f}" for value in values)


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", caption_justify="left")
