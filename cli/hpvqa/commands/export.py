"""``hpvqa export``: a data set in the form of another program."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click
from click.core import ParameterSource

from hpvqa.commands.common import camera_option, json_option, task_option
from hpvqa.commands.field_option import field_option
from hpvqa.commands.model_options import FrameSize
from hpvqa.commands.param_types import FileOrName, NamesType, NameType
from hpvqa.dataset.export.base import Export, Media, Option
from hpvqa.dataset.export.registry import EPISODE_FORMATS, FORMATS, check_format, find_format
from hpvqa.errors import UsageError, printable
from hpvqa.tasks.base import FORMS, Form
from hpvqa.vlm.frames.sampling import FRAME_OPTIONS, FrameSampling
from hpvqa.vlm.prompt import load_prompt, prompt_names

_FLAGS: dict[str, tuple[Option, str]] = {
    "media": ("media", "--media"),
    "no_language": ("language", "--no-language"),
    **{"frames" if field == "count" else field: ("frames", flag) for field, flag in FRAME_OPTIONS.items()},
}
"""Options that only some formats have: what they choose, and how they are written."""


_KNOWN = {**FORMATS, **EPISODE_FORMATS}
_LIST = "\n".join(f"  {name:<14}{text}" for name, text in _KNOWN.items())


@click.command(
    epilog=f"""\b
Formats:
{_LIST}

\b
Examples:
  hpvqa export messages dataset --out messages
  hpvqa export swift dataset --task drop --sampler dense --out drops
  hpvqa export llamafactory dataset --media clips --out llamafactory
  hpvqa export lerobot dataset --task push --out pushes
  hpvqa export lmms-eval dataset --out lmms
  hpvqa export inspect dataset --questions value --out inspect
  hpvqa export evalscope dataset --out evalscope
  hpvqa export vlmevalkit dataset --out vlmevalkit
  hpvqa export rerun data/drop/000/episode-000000 --out drop.rrd
"""
)
@click.argument("format", type=NameType("format", check_format, _KNOWN, _KNOWN))
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder of the export, a new one; of rerun a file."
)
@task_option
@camera_option()
@click.option(
    "--questions",
    metavar="FORM,...",
    type=NamesType("form of question", FORMS),
    help="Only these of the data set's questions, compare or value.  [default: all]",
)
@click.option(
    "--media",
    type=click.Choice(get_args(Media)),
    help="frames: the very pictures that hpvqa eval shows a model; clips: whole videos, of which the other program "
    "chooses frames.  [default: frames]",
)
@field_option(FrameSampling, "sampler")
@field_option(FrameSampling, "fps", default="")
@field_option(FrameSampling, "count", "--frames")
@click.option("--resolution", type=FrameSize(), help="Width and height of the frames, or native.  [default: 224x224]")
@field_option(FrameSampling, "fit")
@click.option(
    "--prompt",
    type=FileOrName(prompt_names),
    default="paper",
    show_default=True,
    help="The words around the question.",
)
@click.option(
    "--no-language",
    is_flag=True,
    help="lerobot: leave the questions out, for LeRobot 0.4, which does not read them.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    format: str,  # noqa: A002 - the argument's name in the help
    dataset: Path,
    out: Path,
    task: str | None,
    cameras: tuple[str, ...] | None,
    questions: tuple[Form, ...] | None,
    prompt: str,
    as_json: bool,
    **given: Any,
) -> None:
    """Write the data set in the folder DATASET in the form of another program, FORMAT, into a new folder.

    All splits are written, and the eval split alone for programs that only evaluate. The README.md of the new folder
    says how that program is told to read it. It holds no path of this machine, and can be moved. The format rerun is of
    a single episode, whose folder stands in place of DATASET.
    """
    import json
    import time

    from hpvqa.dataset.load import open_dataset
    from hpvqa.evaluate.exporting import Wanted, export
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting

    if format in EPISODE_FORMATS:
        _export_episode(ctx, format, dataset, out, cameras or (), as_json)
        return
    _check_options(format, find_format(format), given)
    wanted = Wanted(
        format=format,
        prompt=load_prompt(prompt),
        sampling=_sampling(given),
        media=given["media"] or "frames",
        language=not given["no_language"],
        task=task,
        cameras=cameras or (),
        questions=questions,
    )
    with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
        done = export(open_dataset(dataset), out, wanted, reporter)
    if as_json:
        found = {"out": str(out), **done.record.model_dump(mode="json"), "notes": done.notes}
        click.echo(json.dumps(found, indent=2))
        return
    for note in done.notes:
        click.echo(printable(f"Note: {note}."))
    counts = " and ".join(f"{count} of the {split} split" for split, count in done.record.rows.items())
    click.echo(printable(f"{out} holds the questions, {counts}; its README.md says how to use it"))


def _export_episode(
    ctx: click.Context, name: str, episode: Path, out: Path, cameras: tuple[str, ...], as_json: bool
) -> None:
    """Write a single episode."""
    import importlib
    import json

    from hpvqa.files import check_target

    for option in ctx.params.keys() - {"format", "dataset", "out", "cameras", "as_json"}:
        if ctx.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            flag = next(param.opts[0] for param in ctx.command.params if param.name == option)
            raise UsageError(f"{flag} is for data sets, and the format {name} is of one episode; leave it out")
    check_target(out)
    if out.exists():
        raise UsageError(f"{out} exists already; choose another --out")
    record = importlib.import_module(f"hpvqa.dataset.export.{name}").export_episode(episode, out, cameras)
    if as_json:
        click.echo(json.dumps({"out": str(out), "format": name, "episode": record.model_dump(mode="json")}, indent=2))
        return
    click.echo(printable(f"{out} holds {record.spec.task} episode {record.spec.index}; look at it with: {name} {out}"))


def _check_options(name: str, form: Export, given: dict[str, Any]) -> None:
    """Raise if an option was given that the format, or whole clips, leave no choice of."""
    for option, (choice, flag) in _FLAGS.items():
        # A flag that was not given is False.
        if given[option] in (None, False):
            continue
        if choice not in form.options:
            raise UsageError(f"{flag} changes nothing in the format {name}; leave it out")
        if choice == "frames" and given["media"] == "clips" and option != "fps":
            raise UsageError(f"{flag} chooses frames, and whole clips are exported; leave out --media clips")


def _sampling(given: dict[str, Any]) -> FrameSampling:
    names = {"count": "frames"}
    chosen = {field: given[names.get(field, field)] for field in FrameSampling.model_fields}
    found = {field: value for field, value in chosen.items() if value is not None}
    if found.get("resolution") == "native":
        found["resolution"] = None
    return FrameSampling(**found)
