"""Tab completion in bash, zsh and fish."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete
from scripts.pages import every_command

from hpvqa.evaluate.conditions import CONDITIONS
from hpvqa.main import COMMANDS, cli
from hpvqa.vlm.embedded import NAMES
from hpvqa.vlm.families import families
from hpvqa.vlm.options import BACKENDS
from hpvqa.vlm.registry import BASELINES


def completed(*words: str) -> list[str]:
    *args, incomplete = words
    return [item.value for item in ShellComplete(cli, {}, "hpvqa", "_HPVQA_COMPLETE").get_completions(args, incomplete)]


def test_commands_are_completed() -> None:
    assert set(completed("")) == set(COMMANDS)
    assert completed("finet") == ["finetune"]


@pytest.mark.parametrize(("name", "command"), every_command())
def test_options_are_completed(name: str, command: click.Command) -> None:
    options = {flag for option in command.params if isinstance(option, click.Option) for flag in option.opts}
    assert options <= set(completed(*name.split(), "--"))


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["collect", "pu"], "push"),
        (["collect", "--rig", "paper-"], "paper-original"),
        (["collect", "--recipe", "pap"], "paper"),
        (["eval", "--model", "emb"], "embedded-base"),
        (["eval", "--model", "fra"], "frame-oracle"),
        (["ask", "--model", "qwen3.5"], "qwen3.5"),
        (["finetune", "--model", "qwen3-"], "qwen3-vl"),
        (["eval", "--backend", "v"], "vllm"),
        (["eval", "--sampler", "d"], "dense"),
        (["eval", "--task", "d"], "drop"),
        (["eval", "--prompt", "pap"], "paper"),
        (["tiny", "qwen3_v"], "qwen3_vl"),
        (["schema", "reci"], "recipe"),
        (["export", "lero"], "lerobot"),
    ],
)
def test_values_are_completed(words: list[str], value: str) -> None:
    assert value in completed(*words)


def test_all_that_can_answer_is_completed_and_named_in_the_help() -> None:
    assert {*BASELINES, *NAMES, *(family.name for family in families())} <= set(completed("eval", "--model", ""))
    assert set(completed("eval", "--backend", "")) == set(BACKENDS)
    command: click.Command = importlib.import_module("hpvqa.commands.eval").command
    helps = {option.name: option.help for option in command.params if isinstance(option, click.Option)}
    for option, names in (("model", BASELINES), ("backend", BACKENDS), ("conditions", CONDITIONS)):
        words = set(re.findall(r"[\w-]+", helps[option] or ""))
        assert set(names) <= words


def test_a_misspelt_command_is_no_error_while_it_is_typed() -> None:
    assert completed("colect", "--") is not None


@pytest.mark.parametrize(
    ("shell", "words", "now"), [("bash", "hpvqa colle", "1"), ("zsh", "hpvqa colle", "1"), ("fish", "hpvqa", "colle")]
)
@pytest.mark.slow
def test_the_documented_lines_work(shell: str, words: str, now: str) -> None:
    def called(step: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "_HPVQA_COMPLETE": f"{shell}_{step}", "COMP_WORDS": words, "COMP_CWORD": now}
        return subprocess.run([sys.executable, "-m", "hpvqa"], env=environ, capture_output=True, text=True)

    done = called("complete")
    assert (done.returncode, done.stderr) == (0, "")
    assert "collect" in done.stdout
    assert f"_HPVQA_COMPLETE={shell}_complete" in called("source").stdout
