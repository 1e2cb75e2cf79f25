"""The names of the model that comes with the package, wherever a model is named. Weights of a stand-in will do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hpvqa.dataset.build import build as build_dataset
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.errors import UsageError
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.views import pooled
from hpvqa.files import write_json
from hpvqa.main import main
from hpvqa.recipe import Recipe
from hpvqa.record.episode import find_episodes
from hpvqa.vlm import embedded
from hpvqa.vlm.adapter import check_adapter, read_adapter
from hpvqa.vlm.checkpoint import locate
from hpvqa.vlm.choice import ModelChoice, choose_look, open_answerer
from hpvqa.vlm.families import find_family, resolve_model
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.options import TransformersOptions
from hpvqa.vlm.prompt import PromptRecord, load_prompt
from hpvqa.vlm.seen import Seen
from hpvqa.vlm.tiny.save import save_checkpoint
from hpvqa.vlm.training_record import RECORD_FILE, TrainingRecord
from research.pretrain.model import FAMILY, build, family_of
from tests.adapters import make_adapter
from tests.factories import HEIGHT, WIDTH, make_data, quiet
from tests.pretrain_data import TINY
from tests.shared import PUSHES

pytestmark = [pytest.mark.models, pytest.mark.simulation]

NAMES = ("embedded", "embedded-base")


def record(fps: float) -> TrainingRecord:
    return TrainingRecord(
        model="embedded-base",
        family=FAMILY,
        dataset="dataset",
        fingerprint="0",
        task=None,
        cameras=(),
        clips=Seen(sizes=((40, 40),), cameras={}),
        prompt=PromptRecord.of(load_prompt("paper")),
        frames=FrameSampling(fps=fps, resolution=(40, 40)),
        recipe={},
        versions={},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("embedded")
    save_checkpoint(*build(TINY.model, 0), here / "base")
    make_adapter(here / "base", here / "adapter")
    for name, fps in (("base", 3.0), ("adapter", 4.0)):
        write_json(here / name / RECORD_FILE, record(fps).model_dump(mode="json"))
    config = here / "adapter" / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "base_model_name_or_path": "embedded-base"}))
    return here


@pytest.fixture
def shipped(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(embedded, "HERE", made)
    return made


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("data")
    build_dataset(make_data(folder / "data", push=16), folder / "dataset", quiet(), recipe=Recipe())
    return open_dataset(folder / "dataset")


def hpvqa(*args: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    return int(stop.value.code or 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_a_folder(name: str, shipped: Path) -> None:
    assert resolve_model(name) == str(shipped / "base")
    assert locate(name) == shipped / "base"
    assert find_family(name) == family_of(TINY.model)


def test_only_one_name_has_the_adapter(shipped: Path, tmp_path: Path) -> None:
    assert TransformersOptions(model="embedded").adapter == shipped / "adapter"
    assert TransformersOptions(model="embedded-base").adapter is None
    assert TransformersOptions(model="embedded", adapter=tmp_path).adapter == tmp_path


def test_each_is_shown_what_it_was_trained_with(shipped: Path) -> None:
    looks = [choose_look(ModelChoice(backend="transformers", model=name)) for name in NAMES]
    assert [look.frames.fps for look in looks] == [4.0, 3.0]
    # Also where it is what runs by default.
    assert choose_look(ModelChoice(backend="transformers")).frames.fps == 4.0
    with pytest.raises(UsageError, match=r"embedded was trained with something else: --fps was 4"):
        choose_look(ModelChoice(backend="transformers", model="embedded", fps=1.0))


def test_what_is_written_down_holds_no_place_on_this_machine(shipped: Path, dataset: Dataset) -> None:
    for name, adapter in zip(NAMES, ("embedded", None), strict=True):
        choice = ModelChoice(backend="transformers", model=name, device="cpu")
        answerer = open_answerer(choice, dataset, seed=0, environ={})
        assert answerer.name == name
        assert answerer.details["adapter"] == adapter
        assert str(shipped) not in json.dumps(answerer.details)


@pytest.mark.parametrize("name", NAMES)
def test_it_answers_from_the_command_line(
    name: str,
    shipped: Path,
    dataset: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert hpvqa("eval", "--dataset", dataset.root, "--backend", "transformers", "--model", name) == 0
    (out,) = (tmp_path / "runs").iterdir()
    assert out.name.startswith(f"{name}-dataset-")
    settings = json.loads((out / "run.json").read_text())
    assert settings["model"] == name
    assert (settings["frames"]["resolution"], settings["frames"]["fit"]) == ([40, 40], "pad")
    assert settings["sizes"] == [[WIDTH, HEIGHT]]
    said = "The model was trained on clips of another shape (40x40) than these (48x32), which are padded"
    assert said in " ".join(capsys.readouterr().err.split())


def test_an_adapter_knows_its_base_by_name(shipped: Path, made: Path, tmp_path: Path) -> None:
    for name in (*NAMES, str(shipped / "base")):
        check_adapter(read_adapter(shipped / "adapter"), name)
    other = shutil.copytree(made / "base", tmp_path / "base")
    with pytest.raises(UsageError, match="was trained on embedded-base, not on"):
        check_adapter(read_adapter(shipped / "adapter"), str(other))


def test_it_can_be_fine_tuned(shipped: Path, dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "lora"
    steps = ["--max-steps", 2, "--resolution", "40x40", "--fps", 10, "--workers", 0, "--cache-size", 0, "--no-eval"]
    assert hpvqa("finetune", "--dataset", dataset.root, "--model", "embedded-base", "--out", out, *steps) == 0
    assert json.loads((out / "adapter_config.json").read_text())["base_model_name_or_path"] == "embedded-base"
    assert not [
        path.name
        for path in out.iterdir()
        if path.suffix in {".json", ".md"} and str(shipped) in path.read_text(encoding="utf-8")
    ]
    args = ["eval", "--dataset", dataset.root, "--backend", "transformers", "--model", "embedded-base"]
    assert hpvqa(*args, "--adapter", out, "--out", tmp_path / "run") == 0


def test_frames_of_a_wrong_size_are_refused_in_words(
    shipped: Path, dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["eval", "--dataset", dataset.root, "--backend", "transformers", "--model", "embedded-base"]
    args += ["--resolution", "50x50", "--allow-mismatch", "--out", tmp_path / "run"]
    assert hpvqa(*args) == 2
    assert "multiples of 20, not 50x50" in capsys.readouterr().err


def test_an_installation_without_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "HERE", tmp_path)
    for name in NAMES:
        with pytest.raises(UsageError, match="This installation lacks the embedded model"):
            locate(name)


def test_what_is_shipped_reads_fresh_pushes(filmed: Path, tmp_path: Path) -> None:
    # The real model, on episodes that nobody has seen: the way from the simulator to the answer is whole.
    assert hpvqa("build", filmed, "--out", tmp_path / "dataset") == 0
    found = {}
    for name in NAMES:
        args = ["eval", "--dataset", tmp_path / "dataset", "--split", "all", "--backend", "transformers"]
        assert hpvqa(*args, "--model", name, "--device", "cpu", "--out", tmp_path / name) == 0
        lines = (tmp_path / name / "predictions.jsonl").read_text().splitlines()
        found[name] = [Prediction.model_validate_json(line) for line in lines]
        assert len(found[name]) == 7 * PUSHES
    assert [row.is_correct for row in pooled(found["embedded"])] == [True] * PUSHES
    # It was never told what heavier means.
    assert sum(row.is_correct for row in found["embedded-base"]) < 0.75 * 7 * PUSHES


@pytest.mark.long
def test_what_is_shipped_reads_fresh_drops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rig = Path(__file__).parents[1] / "benchmarks" / "results" / "front-wide.yaml"
    how = ("--episodes", 6, "--seed", 20261125, "--fps", 15, "--resolution", "160x160", "--rig", rig, "--workers", 1)
    assert hpvqa("collect", "drop", *how, "--out", tmp_path / "data") == 0
    right = 0
    for folder in find_episodes(tmp_path / "data"):
        capsys.readouterr()
        assert hpvqa("ask", folder, "--reveal", "--json", "--device", "cpu") == 0
        asked = json.loads(capsys.readouterr().out)
        right += asked["answers"][0]["choice"] == asked["truth"]["answer"]
    # On average it is right about 94 of 100.
    assert right >= 5
