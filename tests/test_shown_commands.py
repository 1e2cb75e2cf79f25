"""What the documentation tells a reader to type: commands and options that there are, and modules and targets."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest

from hpvqa.errors import HpvqaError
from hpvqa.main import cli
from tests.needs import ROOT

PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
OURS = ("benchmarks", "research", "scripts", "tests")
_FENCED = re.compile(r"^ *```(?:bash|console)?\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`((?:hpvqa|make|python -m) [^`]+)`")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*=\S*")
_END = {"|", "&", "&&", ";", ">", "2>"}


def typed(page: Path) -> Iterator[tuple[list[str], bool]]:
    """The words of every command line up to a pipe or the like, and whether it is whole, not named in a sentence."""
    text = page.read_text(encoding="utf-8")
    lines = [(line, True) for block in _FENCED.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    lines += [(line, False) for line in _INLINE.findall(_FENCED.sub("", text))]
    for line, whole in lines:
        try:
            words = shlex.split(line.strip().removeprefix("$ "), comments=True)
        except ValueError:
            continue  # what a program printed
        while words and _VARIABLE.fullmatch(words[0]):
            words = words[1:]
        end = next((place for place, word in enumerate(words) if word in _END), len(words))
        if words[:end]:
            yield words[:end], whole


def trouble(words: list[str], *, whole: bool) -> str | None:
    """What is wrong with a call of ours."""
    try:
        cli.main(words, prog_name="hpvqa", standalone_mode=False)
    except (click.ClickException, HpvqaError) as error:
        # A sentence names `--fps` without a number, and COMMAND for any.
        named = isinstance(error, click.MissingParameter | click.BadOptionUsage) or any(map(str.isupper, words))
        why = error.format_message() if isinstance(error, click.ClickException) else str(error)
        return None if named and not whole else why
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_can_be_called_so(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(click.Command, "invoke", lambda self, ctx: None)
    wrong = {}
    for words, whole in typed(page):
        if "hpvqa" in (words[0], *(after for before, after in pairwise(words) if before == "-m")):
            ours = words[words.index("hpvqa") + 1 :]
            if ours and (why := trouble(ours, whole=whole)) is not None:
                wrong[shlex.join(words)] = why
    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_and_target_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    wrong = []
    for words, _ in typed(page):
        if words[0] == "make":
            wrong += [words for word in words[1:2] if word not in targets and "=" not in word]
        if words[:2] == ["python", "-m"] and words[2].partition(".")[0] in OURS:
            wrong += [words] * (importlib.util.find_spec(words[2]) is None)
    assert wrong == []
