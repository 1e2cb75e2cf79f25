"""The ``hpvqa`` command: a thin group whose subcommands are imported only when they run."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import NoReturn, TextIO

import click

from hpvqa import __version__
from hpvqa.errors import INTERRUPTED, HpvqaError, UsageError, nearest, printable

COMMANDS: dict[str, str] = {
    "demo": "See everything work in a few minutes: episodes, data set, first answers.",
    "sample": "Print the spec of an episode without running it.",
    "collect": "Make robot episodes, in parallel and resumable.",
    "list": "List the episodes of a folder with their answers.",
    "show": "Draw a contact sheet and a plot of an episode.",
    "studio": "Show episodes and answers in the browser, clips in step.",
    "build": "Turn episodes into a question answering data set.",
    "verify": "Check every file of a data set or data folder.",
    "eval": "Answer a data set and score the answers.",
    "report": "Show how good the answers of runs are, and how sure that is.",
    "suite": "Score a model on a fixed suite of episodes and scenes.",
    "explore": "Draw partly hidden scenes, and have agents play them.",
    "serve": "Run a model behind a server that answers questions about videos.",
    "ask": "Ask a model about an episode, the newest one or each as it lands.",
    "export": "Write a data set in the form of another program.",
    "push": "Send a data set, an adapter or a report to the Hugging Face hub.",
    "pull": "Fetch one from there, whole and checked.",
    "finetune": "Train a LoRA adapter of a model on a data set.",
    "merge": "Put an adapter into its model, as one folder.",
    "tiny": "Make a tiny random model of a real architecture.",
    "panel": "Say how to open the panel for collecting in Isaac Sim.",
    "assets": "Fetch the robot's meshes ahead of time.",
    "doctor": "Say what is installed, and how to get the rest.",
    "schema": "Print the JSON schema of a file format.",
}
"""Name and one-line help of every subcommand; each is the object ``command`` of its module in ``hpvqa.commands``."""


class LazyGroup(click.Group):
    """A group that knows its subcommands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which a new user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one subcommand."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"hpvqa.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand, or name the nearest one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"There is no command {args[0]!r}; {nearest(args[0], COMMANDS)}", ctx)
        _refuse_empty(args)
        found = super().resolve_command(ctx, args)
        if not ctx.resilient_parsing:
            _tell_of_plugins()
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""Start with `hpvqa demo`. Tab completion: eval "$(_HPVQA_COMPLETE=bash_source hpvqa)", zsh_source for zsh;
    for fish: _HPVQA_COMPLETE=fish_source hpvqa | source

    Other defaults of options are taken from hpvqa.yaml in the working directory (eval: {backend: vllm}) and from
    variables such as HPVQA_EVAL_BACKEND=vllm; variables count before the file, options before both.""",
)
@click.version_option(__version__, prog_name="hpvqa")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Robot episodes that show physical properties which cannot be seen before.

    A robot pushes, drops, weighs and presses things in simulation; vision-language models are asked which one is
    heavier, more elastic or stiffer, and scored honestly.
    """
    if ctx.invoked_subcommand in COMMANDS:
        from hpvqa.commands.defaults import take_defaults

        take_defaults(ctx, COMMANDS)


def _refuse_empty(args: Sequence[str]) -> None:
    """Nothing is called by an empty name: an unset variable of a script must become neither a default nor a folder.

    Raises:
        UsageError: An argument is empty.
    """
    for before, word in pairwise(args):
        if not word:
            raise UsageError(f"What follows {before} is empty; give it a value, or leave it out")
        if word.startswith("--") and word.endswith("=") and word.count("=") == 1:
            raise UsageError(f"Nothing follows {word}; give it a value, or leave it out")


def _tell_of_plugins() -> None:
    """Say which tasks of other packages are left out."""
    from hpvqa.tasks import TASKS

    for plugin in TASKS.plugins:
        if plugin.trouble:
            click.echo(printable(f"Warning: {plugin.trouble}"), err=True)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 if all went well, 2 for a wrong call, 1 for a failure while running."""
    for stream in (sys.stdout, sys.stderr):
        # What a terminal's encoding lacks is shown as an escape; it must not end a command that has done its work.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(args=None if args is None else list(args), prog_name="hpvqa", standalone_mode=False)
        sys.stdout.flush()
    except HpvqaError as error:
        fail(str(error), error.exit_code)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        _end(printable(shown.getvalue()), error.exit_code)
    except click.Abort:
        fail("Interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does; there is nobody left to tell.
        _forget(sys.stdout)
        sys.exit(1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        fail(f"{error.strerror or error}{where}", 1)
    sys.exit(code if isinstance(code, int) else 0)


def fail(message: str, exit_code: int) -> NoReturn:
    """Print one error sentence and exit."""
    _end(f"Error: {printable(message)}\n", exit_code)


def _end(text: str, exit_code: int) -> NoReturn:
    try:
        click.echo(text, err=True, nl=False)
    except OSError:
        # With nowhere to say it, on a full disk for one, the exit code is all that is left.
        _forget(sys.stderr)
    sys.exit(exit_code)


def _forget(stream: TextIO) -> None:
    """Let what a stream still holds go nowhere: Python would try to write it at the end, and fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
