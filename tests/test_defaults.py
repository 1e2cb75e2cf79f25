"""Defaults of options: from hpvqa.yaml, from variables, and which of them counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from scripts.pages import every_command

from hpvqa import main
from hpvqa.commands.defaults import variable
from hpvqa.commands.param_types import NameType

pytestmark = pytest.mark.slow

Parsed = Callable[..., tuple[int, dict[str, object], str]]
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
        ("evil: {backend: vllm}", "names the command 'evil', which does not exist; did you mean 'eval'?"),
        ("sample: {sed: 5}", "sets 'sed' for sample, which has no such option; did you mean 'seed'?"),
        ("sample: {json: maybe}", "it must be true or false"),
        ("sample: 3", "must hold a mapping of options for each command"),
        ("- sample", "must hold a mapping of options for each command"),
        ("sample: [", "cannot be read"),
        ("sample: {seed: many}", "many"),
        ("explore: 3", "must hold a mapping of options for each command"),
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


COMMANDS = dict(every_command())
OPTIONS = [
    (name, option)
    for name, command in COMMANDS.items()
    for option in command.params
    if isinstance(option, click.Option)
]
FLAGS = [(name, option) for name, option in OPTIONS if option.is_flag]


def ids(value: object) -> str:
    return value.opts[0] if isinstance(value, click.Option) else str(value)


def section(name: str, options: str) -> str:
    """A file that says so of a command."""
    text = f"{{{options}}}"
    for word in reversed(name.split()):
        text = f"{{{word}: {text}}}"
    return text


def needed(command: click.Command) -> list[str]:
    """Words that a command cannot do without."""
    words: list[str] = []
    for parameter in command.params:
        if parameter.required:
            value = parameter.type.choices[0] if isinstance(parameter.type, click.Choice) else "push"
            value = "0.5" if isinstance(parameter.type, click.types.FloatParamType) else value
            value = next(iter(parameter.type.known)) if isinstance(parameter.type, NameType) else value
            words += [value] if isinstance(parameter, click.Argument) else [parameter.opts[0], value]
    return words


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Parsed:
    """Calls a command that does nothing but tell what it was given: exit code, parameters, standard error."""

    def call(name: str, *args: str) -> tuple[int, dict[str, object], str]:
        seen: dict[str, object] = {}
        monkeypatch.setattr(COMMANDS[name], "callback", lambda *_, **given: seen.update(given))
        code, _, err = run(capsys, *name.split(), *needed(COMMANDS[name]), *args)
        return code, seen, err

    return call


def test_every_option_has_a_variable_of_its_own() -> None:
    variables = [variable(name, option) for name, option in OPTIONS]
    assert len(set(variables)) == len(variables)
    assert {"HPVQA_EVAL_BACKEND", "HPVQA_COLLECT_NO_VIDEO", "HPVQA_COLLECT_NUM_ENVS"} <= set(variables)
    # Click reads variables of flags differently in every version.
    assert [option.opts for _, option in OPTIONS if option.envvar is not None] == []


@pytest.mark.parametrize(("name", "flag"), FLAGS, ids=ids)
def test_a_flags_variable_says_yes_or_no(
    name: str, flag: click.Option, parsed: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    off, on = parsed(name)[1][str(flag.name)], parsed(name, flag.opts[0])[1][str(flag.name)]
    assert on != off
    for text in ("1", "true", "True", "YES", "on"):
        monkeypatch.setenv(variable(name, flag), text)
        assert parsed(name)[:2][1][str(flag.name)] == on, text
    Path("hpvqa.yaml").write_text(section(name, f"{flag.opts[0].lstrip('-')}: true"))
    for text in ("0", "false", "FALSE", "no", "off"):
        monkeypatch.setenv(variable(name, flag), text)
        assert parsed(name)[1][str(flag.name)] == off, text
    monkeypatch.setenv(variable(name, flag), "")
    assert parsed(name)[1][str(flag.name)] == on, "an empty variable is none, so the file counts"
    for text in ("maybe", "2", "-1", "truee"):
        monkeypatch.setenv(variable(name, flag), text)
        assert parsed(name) == (
            2, {}, f"Error: The variable {variable(name, flag)} is {text!r}; it must be true or false\n",
        )  # fmt: skip


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=ids)
def test_a_file_cannot_set_what_no_command_line_could(name: str, option: click.Option, parsed: Parsed) -> None:
    key = option.opts[-1].lstrip("-")
    wrong = ["{a: 1}", "[[1]]", "2026-01-01", '"a\\0b"', "!!binary aGk="]
    if not option.multiple:
        wrong += ["[x]", "[1, 2]", "[]"]
    if not option.is_flag:
        wrong += ["true"]
    if isinstance(option.type, click.types.IntParamType | click.types.FloatParamType):
        wrong += [".inf", "-.inf", ".nan", "1.0e+400", "1_0.5.3", "x"]
    if isinstance(option.type, click.types.IntParamType):
        wrong += ["1.5", "1" * 400]
    for value in wrong:
        Path("hpvqa.yaml").write_text(section(name, f"{key}: {value}"))
        code, seen, err = parsed(name)
        assert (code, seen) == (2, {}), value
        assert err.count("\n") == 1, value
        assert err.startswith(f"Error: hpvqa.yaml sets {key!r} for {name} to "), value


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e999", "x", "1" * 5000])
@pytest.mark.parametrize(
    ("name", "option"), [(n, o) for n, o in OPTIONS if isinstance(o.type, click.types.FloatParamType)], ids=ids
)
def test_numbers_of_the_command_line_are_finite(name: str, option: click.Option, value: str, parsed: Parsed) -> None:
    code, seen, err = parsed(name, f"{option.opts[0]}={value}")
    assert (code, seen) == (2, {})
    assert f"Invalid value for '{option.opts[0]}'" in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("explore: {rum: {limit: 3}}", "names the command 'explore rum', which does not exist; did you mean 'run'?"),
        ("explore: {limit: 3}", "under explore, must hold a mapping of options for each command"),
        ("explore: {run: {limt: 3}}", "sets 'limt' for explore run, which has no such option; did you mean 'limit'?"),
        ("evil: {}", "names the command 'evil', which does not exist"),
    ],
)
def test_a_wrong_file_is_explained_for_commands_of_two_words(text: str, message: str, parsed: Parsed) -> None:
    Path("hpvqa.yaml").write_text(text)
    code, _, err = parsed("explore run")
    assert code == 2
    assert message in " ".join(err.split())


def test_commands_of_two_words_take_their_own_defaults(parsed: Parsed, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("hpvqa.yaml").write_text("explore: {run: {limit: 3, seed: 4}, draw: {nonsense: 1}}\neval: {seed: 5}\n")
    monkeypatch.setenv("HPVQA_EXPLORE_RUN_SEED", "6")
    given = parsed("explore run", "--split", "known")[1]
    assert (given["limit"], given["seed"], given["split"]) == (3, 6, "known")
    monkeypatch.setenv("HPVQA_EXPLORE_RUM_SEED", "6")
    code, _, err = parsed("explore run")
    assert (code, "HPVQA_EXPLORE_RUM_SEED is of no command of hpvqa explore" in err) == (2, True)


def test_a_misspelt_variable_is_not_ignored(parsed: Parsed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPVQA_EVAL_BACKND", "vllm")
    assert parsed("sample")[0] == 0
    code, _, err = parsed("eval")
    assert (code, err) == (
        2,
        "Error: The variable HPVQA_EVAL_BACKND sets no option of hpvqa eval; did you mean 'HPVQA_EVAL_BACKEND'?\n",
    )


def test_a_wrong_variable_is_named(parsed: Parsed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPVQA_SAMPLE_SEED", "many")
    assert parsed("sample")[2] == ("Error: The variable HPVQA_SAMPLE_SEED is 'many': 'many' is not a valid integer.\n")


def test_variables_of_options_that_repeat(parsed: Parsed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPVQA_COLLECT_EPISODES", "3 4")
    monkeypatch.setenv("HPVQA_EVAL_CAMERA", "a,b c")
    assert parsed("collect")[1]["episodes"] == (3, 4)
    assert parsed("eval")[1]["cameras"] == ("a", "b", "c")


@pytest.mark.parametrize("name", ["eval", "ask", "finetune"])
def test_cameras_are_named_in_one_way(name: str, parsed: Parsed) -> None:
    for words in (["--camera", "a,b"], ["--camera", "a", "--camera", "b"], ["--camera", " b,, a,a", "--camera=b"]):
        cameras = parsed(name, *words)[1]["cameras"]
        assert isinstance(cameras, tuple)
        assert set(cameras) == {"a", "b"}
        assert len(cameras) == 2
    assert parsed(name)[1]["cameras"] is None
    assert parsed(name, "--camera", "all")[1]["cameras"] == ()
    code, _, err = parsed(name, "--camera", " , ")
    assert code == 2
    assert "Invalid value for '--camera': it names nothing" in err
