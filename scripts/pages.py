"""Writes docs/commands.md from the commands, and docs/recipes.md from the models of recipes: `make docs-pages`."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from hpvqa.commands.defaults import variable
from hpvqa.finetune.settings import FinetuneRecipe
from hpvqa.main import COMMANDS
from hpvqa.recipe import Recipe
from hpvqa.scene.rigs import Rig
from hpvqa.vlm.prompt import Prompt

DOCS = Path(__file__).parents[1] / "docs"

COMMANDS_HEAD = """\
# Commands

Written by `make docs-pages` from the commands themselves; `hpvqa COMMAND --help` says the same. *The paper* and
*the public original* are those of [Citation](../README.md#citation).

Every command ends with exit code 0 if all went well, 2 if it was called wrongly, 1 if something failed while running,
and 130 after Ctrl-C; an error is one sentence that says what to do.

## Other defaults

Every option has a variable, and a place in a file `hpvqa.yaml` in the working directory. An option on the command line
counts before its variable, the variable before the file. All values are checked like those of options.

```
HPVQA_EVAL_BACKEND=vllm hpvqa eval
HPVQA_COLLECT_NO_VIDEO=1 hpvqa collect push
```

```yaml
# hpvqa.yaml: for each command, options without the dashes
eval:
  backend: vllm
  camera: [front_wide, back_wide]
collect:
  no-video: true
```

A command of two words has both in its variables, such as `HPVQA_EXPLORE_RUN_LIMIT=8`, and one in the other in the file:

```yaml
explore:
  run:
    limit: 8
```

The variable of a flag is on for 1, true, yes and on, and off for 0, false, no and off. An empty variable is none.

## Tab completion

Commands, options, and names of tasks, rigs, recipes, prompts and models are completed after one of these:

```
echo 'eval "$(_HPVQA_COMPLETE=bash_source hpvqa)"' >> ~/.bashrc
echo 'eval "$(_HPVQA_COMPLETE=zsh_source hpvqa)"' >> ~/.zshrc
_HPVQA_COMPLETE=fish_source hpvqa > ~/.config/fish/completions/hpvqa.fish
```
"""

RECIPES_HEAD = """\
# Recipes, rigs and prompts

Written by `make docs-pages` from the models that check these files. *The paper* is that of
[Citation](../README.md#citation).

A recipe is a YAML file; only what differs from the defaults needs to be in it. Options of a command override single
values of a recipe. Shipped files are in `recipes/` and are called by their names; a file of your own is called by its
path, which ends in `.yaml`. An unknown key is refused, and the error names the place that was probably meant.

```yaml
seed: 7
resolution: [224, 224]
tasks:
  push:
    episodes: 200
    ranges:
      light_mass: [0.2, 0.5]
```

`hpvqa schema recipe` prints the JSON schema, with which editors complete and check recipes as they are typed.
"""

SECTIONS: tuple[tuple[str, str, type[BaseModel]], ...] = (
    ("Recipes of episodes", "For `--recipe` of `hpvqa collect`, `sample` and `build`.", Recipe),
    ("Recipes of fine-tuning", "For `--recipe` of `hpvqa finetune`; they begin with `kind: finetune`.", FinetuneRecipe),
    ("Camera rigs", "For `--rig`, or written out under `rig:` in a recipe.", Rig),
    ("Prompts", "For `--prompt`, and `prompt:` in a recipe of fine-tuning.", Prompt),
)


def commands_page() -> str:
    """All commands with their arguments and options."""
    parts = [COMMANDS_HEAD]
    for name, command in every_command():
        arguments = [p for p in command.params if isinstance(p, click.Argument)]
        options = [p for p in command.params if isinstance(p, click.Option)]
        words = " ".join(_argument(argument) for argument in arguments)
        words = "COMMAND" if isinstance(command, click.Group) else f"[OPTIONS] {words}"
        parts.append(f"{'##' + '#' * name.count(' ')} hpvqa {name}\n\n```\n{f'hpvqa {name} {words}'.rstrip()}\n```\n")
        parts.append(_text(command.help or ""))
        rows = [f"| `{_cell(_option(option))}` | {_cell(_meaning(option))} |" for option in options]
        if rows:
            parts.append("\n".join(("| option | meaning |", "|---|---|", *rows)) + "\n")
            parts.append(f"Variables: `{variable(name, options[0])}` and so on.\n")
        parts.append(_text(command.epilog or ""))
    return "\n".join(parts)


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it, in the order of the help; after a group, the commands in it."""
    for name in COMMANDS:
        command: click.Command = importlib.import_module(f"hpvqa.commands.{name}").command
        yield name, command
        for word, part in command.commands.items() if isinstance(command, click.Group) else ():
            yield f"{name} {word}", part


def recipes_page() -> str:
    """All fields of the files that users write."""
    parts = [RECIPES_HEAD]
    for title, words, model in SECTIONS:
        schema = model.model_json_schema()
        rows = [
            f"| `{path}` | {default} | {_cell(allowed)} | {_cell(text)} |"
            for path, default, allowed, text in _fields(schema, schema.get("$defs", {}))
        ]
        table = "\n".join(("| field | default | allowed | meaning |", "|---|---|---|---|", *rows))
        parts.append(f"## {title}\n\n{words}\n\n{table}\n")
    return "\n".join(parts)


def _argument(argument: click.Argument) -> str:
    if argument.metavar:
        return argument.metavar
    name = str(argument.name).upper()
    return (name if argument.required else f"[{name}]") + ("..." if argument.nargs == -1 else "")


def _option(option: click.Option) -> str:
    flags = ", ".join(option.opts)
    if option.is_flag:
        return flags
    kind = option.metavar or ("NAME" if isinstance(option.type, click.Choice) else option.type.name.upper())
    return f"{flags} {kind}"


def _meaning(option: click.Option) -> str:
    words, bracket, default = " ".join((option.help or "").split()).partition("[default: ")
    notes = [words.strip()]
    if isinstance(option.type, click.Choice):
        notes.append(f"One of {', '.join(map(str, option.type.choices))}.")
    if isinstance(option.type, click.IntRange | click.FloatRange) and (limits := _limits(option.type)):
        notes.append(f"{limits}.")
    if option.required:
        notes.append("Required.")
    shown = option.show_default
    if bracket:
        notes.append(f"Default: {default.removesuffix(']')}.")
    elif shown:
        notes.append(f"Default: {shown if isinstance(shown, str) else option.default}.")
    return " ".join(notes)


def _limits(kind: click.IntRange | click.FloatRange) -> str:
    low = None if kind.min is None else f"{'more than' if kind.min_open else 'at least'} {kind.min:g}"
    high = None if kind.max is None else f"{'less than' if kind.max_open else 'at most'} {kind.max}"
    words = " and ".join(filter(None, (low, high)))
    return words[:1].upper() + words[1:]


def _text(text: str) -> str:
    """Help as click has it, whose paragraphs after a backspace keep their lines, as Markdown."""
    parts = []
    for paragraph in inspect.cleandoc(text).replace("\b\n", "\b").strip().split("\n\n"):
        lines = paragraph.removeprefix("\b").splitlines()
        plain = [line.strip() for line in lines if not line.startswith("  ")]
        code = [line[2:] for line in lines if line.startswith("  ")]
        parts.append("\n".join(plain))
        if code:
            parts.append("\n".join(("```", *code, "```")))
    return "\n\n".join(part for part in parts if part) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _fields(
    schema: Mapping[str, Any], models: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, str, str, str]]:
    """Path, default, what is allowed, and meaning of every field."""
    for name, field in schema.get("properties", {}).items():
        text = field.get("description", "")
        kinds = [_resolved(kind, models) for kind in _kinds(field)]
        inner = [kind for kind in kinds if "properties" in kind]
        if inner and not any(kind.get("type") == "string" for kind in kinds):
            yield f"{prefix}{name}", "", "", text
            yield from _fields(inner[0], models, f"{prefix}{name}.")
            continue
        required = name in schema.get("required", ())
        default = "required" if required else f"`{json.dumps(field.get('default'), ensure_ascii=False)}`"
        allowed = dict.fromkeys(_allowed(kind) for kind in kinds if kind.get("type") != "null")
        yield f"{prefix}{name}", default, " or ".join(allowed), text
        items = field.get("additionalProperties", {}).get("items") or field.get("items") or {}
        if "$ref" in items:
            yield from _fields(_resolved(items, models), models, f"{prefix}{name}.{'TASK.' * ('items' not in field)}")


def _kinds(field: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(field.get("anyOf") or field.get("oneOf") or field.get("allOf") or [field])


def _resolved(kind: Mapping[str, Any], models: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = models[kind["$ref"].rpartition("/")[2]] if "$ref" in kind else kind
    return found


def _allowed(kind: Mapping[str, Any]) -> str:
    if "properties" in kind:
        return "a mapping, see below"
    if "enum" in kind or "const" in kind:
        return ", ".join(f"`{value}`" for value in kind.get("enum", [kind.get("const")]))
    word = {
        "integer": "whole number", "number": "number", "boolean": "`true`, `false`", "string": "text",
        "array": "list", "object": "mapping",
    }[kind.get("type", "string")]  # fmt: skip
    limits = [
        f"{words} {_number(kind[key])}"
        for key, words in (
            ("minimum", "at least"), ("exclusiveMinimum", "more than"), ("maximum", "at most"),
            ("exclusiveMaximum", "less than"),
        )
        if key in kind
    ]  # fmt: skip
    if kind.get("type") == "array" and "prefixItems" in kind:
        word = f"{len(kind['prefixItems'])} numbers"
    return ", ".join((word, *limits))


def _number(value: float) -> str:
    """A limit: versions of pydantic differ in whether one of 0 is written as 0.0."""
    return str(value) if isinstance(value, int) else f"{value:g}"


PAGES = {"commands.md": commands_page, "recipes.md": recipes_page}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
