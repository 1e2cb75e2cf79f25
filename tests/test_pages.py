"""The pages of the docs that are made from the code."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from scripts.pages import DOCS, PAGES, commands_page, every_command, recipes_page

from hpvqa.finetune.settings import FinetuneRecipe
from hpvqa.recipe import Recipe


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_that_of_the_code(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "the code has changed: run `make docs-pages`"


def test_every_command_and_option_is_there() -> None:
    page = commands_page()
    parts = dict(zip(*[iter(re.split(r"^##+ (hpvqa .*)$", page, flags=re.MULTILINE)[1:])] * 2, strict=True))
    assert list(parts) == [f"hpvqa {name}" for name, _ in every_command()]
    assert {"hpvqa explore", "hpvqa explore draw", "hpvqa suite power"} <= parts.keys()
    for name, command in every_command():
        part = parts[f"hpvqa {name}"]
        for parameter in command.params:
            shown = str(parameter.metavar or parameter.name).upper()
            said = f"| `{parameter.opts[0]}" if isinstance(parameter, click.Option) else shown
            assert said in part if isinstance(parameter, click.Option) else said in part.upper(), (name, parameter)
    assert "| `--fps NUMBER` |" in page
    assert "--set KEY=VALUE" in page


def test_every_field_is_there_with_its_default_and_range() -> None:
    lines = recipes_page().splitlines()
    for path in (*Recipe.model_fields, *FinetuneRecipe.model_fields, "tasks.push.ranges.light_mass", "lora.rank"):
        assert any(line.startswith(f"| `{path}` |") for line in lines), path
    assert "| `num_envs` | `16` | whole number, at least 1, at most 256 |" in "\n".join(lines)
    bare = [line for line in lines if line.startswith("| `") and line.endswith("|  |")]
    assert bare == []


@pytest.mark.parametrize("page", sorted([*DOCS.glob("*.md"), *DOCS.parent.glob("*.md")]), ids=lambda page: page.name)
def test_nothing_is_left_to_be_filled_in(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r"^[A-Z]{4,}$|\bTODO\b|\bTBD\b|\bFIXME\b|\bXXX+\b", text, flags=re.MULTILINE) == []
