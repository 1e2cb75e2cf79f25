"""Defaults of options: from hpvqa.yaml, from variables, and which of them counts."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from hpvqa import main
from hpvqa.main import cli

SAMPLE = ["sample", "push", "--json"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main.main(list(args))
    out = capsys.readouterr()
    return int(stop.value.code or 0), out.out, out.err


def seed_of(capsys: pytest.CaptureFixture[str], *args: str) -> int:
    code, out, err = run(capsys, *SAMPLE, *args)
    assert code == 0, err
    return int(json.loads(out)["seed"])


def test_options_count_before_variables_before_the_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seed_of(capsys) == 42
    Path("hpvqa.yaml").write_text("sample: {seed: 5}\neval: {backend: vllm}\n")
    assert seed_of(capsys) == 5
    monkeypatch.setenv("HPVQA_SAMPLE_SEED", "6")
    assert seed_of(capsys) == 6
    assert seed_of(capsys, "--seed", "7") == 7


def test_flags_and_names_with_underscores(capsys: pytest.CaptureFixture[str]) -> None:
    Path("hpvqa.yaml").write_text("sample:\n  json: true\n  index: 1\n")
    code, out, _ = run(capsys, "sample", "push")
    assert code == 0
    assert json.loads(out)["index"] == 1
    Path("hpvqa.yaml").write_text("sample: {json: false}\ncollect: {object_colors: shared}\n")
    assert "Push two cubes" in run(capsys, "sample", "push")[1]
    Path("hpvqa.yaml").write_text("collect: {object_colors: neither}\n")
    code, _, err = run(capsys, "collect", "push", "--out", "data")
    assert code == 2
    assert "neither" in err


def test_flags_with_a_value_and_options_that_repeat(capsys: pytest.CaptureFixture[str]) -> None:
    Path("hpvqa.yaml").write_text("collect: {no-video: true, episodes: 1, workers: 1, out: data}\n")
    assert run(capsys, "collect", "push")[0] == 0
    (episode,) = Path("data").rglob("episode.json")
    assert [path.name for path in episode.parent.glob("*.mp4")] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("evil: {backend: vllm}", "names the command 'evil', which there is not; did you mean 'eval'?"),
        ("sample: {sed: 5}", "sets 'sed' for sample, which has no such option; did you mean 'seed'?"),
        ("sample: {json: maybe}", "it is true or false"),
        ("sample: 3", "must hold a mapping of options for each command"),
        ("- sample", "must hold a mapping of options for each command"),
        ("sample: [", "cannot be read"),
        ("sample: {seed: many}", "many"),
    ],
)
def test_a_wrong_file_is_explained(capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    Path("hpvqa.yaml").write_text(text)
    code, _, err = run(capsys, *SAMPLE)
    assert code == 2
    assert message in " ".join(err.split())


def test_what_is_said_of_other_commands_does_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    Path("hpvqa.yaml").write_text("collect: {nonsense: 1}\n")
    assert seed_of(capsys) == 42


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_option_has_a_variable_named_after_it(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    variables = [option.envvar for option in command.params if isinstance(option, click.Option)]
    assert all(isinstance(variable, str) and variable.startswith(f"HPVQA_{name.upper()}_") for variable in variables)
    assert len(set(variables)) == len(variables)
