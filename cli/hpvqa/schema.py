"""JSON schemas of the file formats, shipped for programs that have none of our packages (such as Kit's interpreter)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hpvqa.errors import UsageError, nearest
from hpvqa.recipe import Recipe
from hpvqa.record.episode import EpisodeRecord
from hpvqa.resources import schemas_dir
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.suite.card import Card

SCHEMAS: dict[str, type[BaseModel]] = {
    "episode-spec": EpisodeSpec,
    "episode": EpisodeRecord,
    "recipe": Recipe,
    "suite-card": Card,
}


def json_schema(name: str) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a file format.

    Raises:
        UsageError: There is no such format; the message names the nearest one.
    """
    if name not in SCHEMAS:
        raise UsageError(f"There is no schema {name!r}; {nearest(name, SCHEMAS)}")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **SCHEMAS[name].model_json_schema()}


def schema_file(name: str, folder: Path) -> Path:
    """Where the schema of a format is, in a folder of schemas."""
    return folder / f"{name}.schema.json"


def write_schemas(folder: Path | None = None) -> None:
    """Write all schemas, by default to where they are shipped from."""
    folder = folder or schemas_dir()
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        text = json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n"
        schema_file(name, folder).write_text(text, encoding="utf-8")
