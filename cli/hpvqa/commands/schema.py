"""``hpvqa schema``: the JSON schema of a file format."""

from __future__ import annotations

import json

import click


def _names(ctx: click.Context, argument: click.Parameter, incomplete: str) -> list[str]:
    from hpvqa.schema import SCHEMAS

    return [name for name in SCHEMAS if name.startswith(incomplete)]


@click.command(
    epilog="""\b
Examples:
  hpvqa schema
  hpvqa schema recipe > recipe.schema.json

A YAML recipe whose first line is the following is completed and checked by editors that know YAML:

\b
  # yaml-language-server: $schema=recipe.schema.json
"""
)
@click.argument("name", required=False, shell_complete=_names)
def command(name: str | None) -> None:
    """Print the JSON schema of the file format NAME; without NAME, the names of all formats."""
    from hpvqa.schema import SCHEMAS, json_schema

    if name is None:
        click.echo("\n".join(SCHEMAS))
    else:
        click.echo(json.dumps(json_schema(name), indent=2, ensure_ascii=False))
