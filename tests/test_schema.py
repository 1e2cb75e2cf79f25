"""The shipped JSON schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hpvqa.main import main
from hpvqa.resources import schemas_dir
from hpvqa.schema import SCHEMAS, json_schema, schema_file, write_schemas


def output(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    with pytest.raises(SystemExit) as caught:
        main(["schema", *args])
    assert caught.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", SCHEMAS)
def test_shipped_schema_is_that_of_the_model(name: str) -> None:
    shipped = json.loads(schema_file(name, schemas_dir()).read_text(encoding="utf-8"))
    assert shipped == json_schema(name), "the models have changed: run `make schemas`"


def test_nothing_else_is_shipped(tmp_path: Path) -> None:
    write_schemas(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in schemas_dir().iterdir()}


@pytest.mark.parametrize("name", SCHEMAS)
def test_command_prints_a_schema(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(output(capsys, name)) == json_schema(name)


def test_command_lists_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys).split() == list(SCHEMAS)


def test_an_unknown_name_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["schema", "recipes"])
    assert caught.value.code == 2
    assert capsys.readouterr().err == "Error: There is no schema 'recipes'; did you mean 'recipe'?\n"


def test_every_field_of_a_recipe_is_described() -> None:
    # The panel inside Isaac Sim is built from this schema: the descriptions are its tooltips.
    schema = json_schema("recipe")
    models = [schema, *schema["$defs"].values()]
    bare = [
        f"{model['title']}.{name}"
        for model in models
        for name, field in model.get("properties", {}).items()
        if not field.get("description")
    ]
    assert bare == []
