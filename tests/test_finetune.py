"""Fine-tuning from end to end on tiny models: it learns, resumes, refuses, and leaves an adapter that says how."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, get_args

import pytest
from transformers import InternVLForConditionalGeneration

from hpvqa.dataset.load import Dataset
from hpvqa.errors import UsageError
from hpvqa.finetune.dry_run import plan
from hpvqa.finetune.model import choose_targets, with_lora
from hpvqa.finetune.rows import training_rows
from hpvqa.finetune.run import finetune, prepare
from hpvqa.finetune.settings import LoraSettings, load_finetune_recipe
from hpvqa.main import main
from hpvqa.vlm.families import find_family
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.tiny.kinds import Kind
from hpvqa.vlm.training_record import read_training_record, views_of
from tests.engine_checks import TIMED
from tests.factories import FPS, FRAMES, HEIGHT, WIDTH, copy, quiet
from tests.finetune_jobs import job, make_plain, metrics, trained
from tests.needs import long_but
from tests.tiny_models import TinyModel, load_model

KINDS = get_args(Kind)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_plain(tmp_path_factory.mktemp("finetune"))


def hpvqa(*args: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    return int(stop.value.code or 0)


@pytest.mark.parametrize("kind", long_but(KINDS, "internvl"))
def test_every_family_is_trained(kind: Kind, dataset: Dataset, tmp_path: Path, tiny_model: TinyModel) -> None:
    out = tmp_path / "out"
    done = trained(dataset, tiny_model(kind), out)
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "adapter_config.json", "adapter_model.safetensors", "hpvqa.json", "metrics.jsonl", "README.md", "loss.png",
        "accuracy.png",
    }  # fmt: skip
    record = read_training_record(out)
    assert record is not None
    assert record.frames.resolution == (64, 64)
    assert record.views == views_of(("push", row.camera) for row in dataset.rows("train"))
    assert record.prompt.sha256 == load_prompt("paper").sha256
    assert 0 < done.trainable < done.total
    losses = [line["loss"] for line in metrics(out) if "loss" in line]
    assert losses[-1] < losses[0]
    assert hpvqa("eval", "--dataset", dataset.root, "--backend", "transformers", "--model", tiny_model(kind),
                 "--adapter", out, "--out", tmp_path / "run") == 0  # fmt: skip
    settings = json.loads((tmp_path / "run" / "run.json").read_text())
    assert settings["frames"] == record.frames.model_dump(mode="json")


def test_what_a_model_returns_beside_its_logits_does_no_harm(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As InternVL does in transformers 5.24: a group of outputs, some of which are not there."""
    usual = InternVLForConditionalGeneration.forward

    @wraps(usual)
    def forward(self: Any, *args: Any, **inputs: Any) -> Any:
        found = usual(self, *args, **inputs)
        found["more"] = {"hidden_states": None}
        return found

    monkeypatch.setattr(InternVLForConditionalGeneration, "forward", forward)
    trained(dataset, tiny_model("internvl"), tmp_path / "out", **{"training.max_steps": 2, "training.checks": 1})
    assert any("eval_accuracy" in line for line in metrics(tmp_path / "out"))


@pytest.mark.long
def test_it_learns_what_the_clips_show(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tiny_model("internvl", trained=True)
    changes = {"training.epochs": 14, "lora.dropout": 0.0}
    done = trained(dataset, model, tmp_path / "out", **changes)
    assert done.best["eval_accuracy"] == 1.0
    args = ["eval", "--dataset", dataset.root, "--backend", "transformers", "--model", model, "--fps", FPS, "--json"]
    correct = []
    for name, more in (("base", []), ("tuned", ["--adapter", tmp_path / "out"])):
        assert hpvqa(*args, *more, "--out", tmp_path / name) == 0
        correct.append(json.loads(capsys.readouterr().out)["cells"][0]["correct"])
    assert correct[0] < correct[1] == 8


def test_flipped_rows_are_trained_on_too(dataset: Dataset, tmp_path: Path, tiny_model: TinyModel) -> None:
    changes = {"training.mirror": True, "training.max_steps": 2}
    model = tiny_model("qwen3_vl")
    rows = len(training_rows(dataset, load_prompt("paper"), validation=0.1, seed=42).train)
    planned = plan(job(dataset, model, tmp_path / "none", **{**changes, "training.max_steps": None}))
    assert planned.steps == 2 * math.ceil(2 * rows / 4)
    trained(dataset, model, tmp_path / "out", **changes)
    assert "and each once more, flipped" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.long
def test_a_training_that_was_killed_reaches_the_same_loss_curve(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_model("qwen3_vl")
    changes = {"training.epochs": 4, "training.checks": 4}
    trained(dataset, model, tmp_path / "whole", **changes)
    whole = metrics(tmp_path / "whole")

    from hpvqa.finetune import run as running

    class Killed(BaseException):
        pass

    def kill(reporter: object, step: int, measured: dict[str, float]) -> None:
        if step == 8:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(running, "_report", kill)
        with pytest.raises(Killed):
            trained(dataset, model, tmp_path / "cut", **changes)
    with pytest.raises(UsageError, match="go on with --resume"):
        trained(dataset, model, tmp_path / "cut", **changes)
    with pytest.raises(UsageError, match=r"other settings: recipe\.training\.epochs was 4\.0 and is 2\.0 now"):
        finetune(job(dataset, model, tmp_path / "cut"), quiet(), resume=True, command="")
    finetune(job(dataset, model, tmp_path / "cut", **changes), quiet(), resume=True, command="")
    again = metrics(tmp_path / "cut")
    assert [line["step"] for line in again] == [line["step"] for line in whole]
    for a, b in zip(again, whole, strict=True):
        assert a == pytest.approx(b, rel=1e-5)
    # Nothing is left to do, and nothing is written once more.
    finetune(job(dataset, model, tmp_path / "cut", **changes), quiet(), resume=True, command="")
    assert metrics(tmp_path / "cut") == again


def test_a_download_that_was_interrupted_is_told(dataset: Dataset, tmp_path: Path, tiny_model: TinyModel) -> None:
    model = shutil.copytree(tiny_model("qwen3_vl"), tmp_path / "model")
    weights = model / "model.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)
    with pytest.raises(UsageError, match="only part of one; download"):
        trained(dataset, model, tmp_path / "out")
    weights.unlink()
    with pytest.raises(UsageError, match=r"no weights .*download"):
        trained(dataset, model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.long
def test_several_processes_train_one_adapter(dataset: Dataset, tmp_path: Path, tiny_model: TinyModel) -> None:
    out = tmp_path / "out"
    command: list[object] = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2]
    command += ["-m", "hpvqa", "finetune", "--dataset", dataset.root, "--model", tiny_model("qwen3_vl"), "--out", out]
    command += ["--set", "frames.resolution=[64, 64]", "--max-steps", 2, "--device", "cpu", "--workers", 0, "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HPVQA_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    # Only one of them talks, writes, and answers the evaluation split.
    assert json.loads(done.stdout)["cells"][0]["n"] == 8
    assert [line["step"] for line in metrics(out) if "loss" in line] == [1, 2]
    assert len((out / "eval" / "predictions.jsonl").read_text().splitlines()) == 8
    # A step takes a batch of each: two of them are 16 of the 20 rows.
    assert metrics(out)[-1]["epoch"] == pytest.approx(2 / 3, abs=0.01)


def test_an_adapter_is_evaluated_as_it_was_trained(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tiny_model("qwen3_vl")
    trained(dataset, model, tmp_path / "out")
    args = ["eval", "--dataset", dataset.root, "--backend", "transformers", "--model", model]
    args += ["--adapter", tmp_path / "out", "--out", tmp_path / "run", "--limit", 1]
    assert hpvqa(*args, "--fps", 5) == 2
    assert "was trained with something else: --fps was 10 in training and is 5 now" in capsys.readouterr().err
    other = tmp_path / "prompt.yaml"
    other.write_text("{name: mine, version: 1, system: '', user: 'Well: {question}'}")
    assert hpvqa(*args, "--prompt", other) == 2
    assert "the prompt was paper version 1 and is mine version 1" in capsys.readouterr().err
    assert hpvqa(*args, "--fps", 5, "--allow-mismatch") == 0
    assert "Not as in training: --fps was 10" in capsys.readouterr().err


def test_an_adapter_knows_what_its_clips_look_like(dataset: Dataset, tmp_path: Path, tiny_model: TinyModel) -> None:
    found = prepare(job(dataset, tiny_model("qwen3_vl"), tmp_path / "out"))
    clips = found.record.clips
    assert clips is not None
    assert clips.sizes == ((WIDTH, HEIGHT),)
    assert {task: {camera.name for camera in known} for task, known in clips.cameras.items()} == {
        task: set(cameras) for task, cameras in found.record.views.items()
    }
    assert found.record.frames.fit == "pad"


def test_views_that_were_not_trained_on_are_named(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tiny_model("qwen3_vl")
    seen, other = sorted({row.camera for row in dataset.rows("train")})
    short = job(dataset, model, tmp_path / "out", **{"training.max_steps": 1})
    finetune(replace(short, cameras=(seen,)), quiet(), command="")
    args = ["eval", "--dataset", dataset.root, "--backend", "transformers", "--model", model]
    args += ["--adapter", tmp_path / "out"]
    for camera, warned in ((other, True), (seen, False)):
        capsys.readouterr()
        assert hpvqa(*args, "--camera", camera, "--out", tmp_path / camera) == 0
        assert (f"The model was not trained on push by {other}" in capsys.readouterr().err) is warned


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_trains_the_language_model_alone(kind: Kind, tiny_model: TinyModel) -> None:
    folder = tiny_model(kind)
    model, family = load_model(folder), find_family(str(folder))
    for settings in (LoraSettings(), load_finetune_recipe("lora").lora):
        targets = choose_targets(model, family, settings)
        assert targets.layers
        assert not [name for name in targets.layers if "vis" in name]
    listed = choose_targets(model, family, load_finetune_recipe("paper-lora").lora)
    assert set(listed.layers) >= set(targets.layers)
    assert bool([name for name in listed.layers if "vis" in name]) == (kind not in TIMED)
    assert listed.unmatched == ()
    # Every family says which layers bring pictures in, and these are no others.
    bridge, both = (choose_targets(model, family, LoraSettings(part=part)) for part in ("projector", "both"))
    assert len(bridge.layers) >= 2
    assert not set(bridge.layers) & set(targets.layers)
    assert set(both.layers) == set(bridge.layers) | set(targets.layers)


def test_linear_attention_is_an_option(tiny_model: TinyModel) -> None:
    folder = tiny_model("qwen3_5")
    model, family = load_model(folder), find_family(str(folder))
    plain = choose_targets(model, family, LoraSettings())
    more = choose_targets(model, family, LoraSettings(extra_targets=True))
    assert {name.rpartition(".")[2] for name in set(more.layers) - set(plain.layers)} == {
        "in_proj_qkv", "in_proj_z", "out_proj"
    }  # fmt: skip
    with pytest.raises(UsageError, match="has no extra layers"):
        choose_targets(model, find_family(str(tiny_model("internvl"))), LoraSettings(extra_targets=True))


def test_targets_that_match_nothing_are_named(tiny_model: TinyModel) -> None:
    folder = tiny_model("qwen3_vl")
    model, family = load_model(folder), find_family(str(folder))
    assert choose_targets(model, family, LoraSettings(targets=("q_proj", "k_porj"))).unmatched == ("k_porj",)
    with pytest.raises(UsageError, match=r"match no layer of the model; its layers end in .*q_proj"):
        choose_targets(model, family, LoraSettings(targets="nothing"))
    with pytest.raises(UsageError, match="match more than single layers"):
        with_lora(model, family, LoraSettings(targets=".*"), 0, print)


@pytest.mark.parametrize("kind", long_but(KINDS, "qwen3_vl"))
def test_a_dry_run_needs_no_weights(kind: Kind, dataset: Dataset, tmp_path: Path, tiny_model: TinyModel) -> None:
    whole = tiny_model(kind)
    bare = copy(whole, tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    found = plan(job(dataset, bare, tmp_path / "out"))
    done = trained(dataset, whole, tmp_path / "trained")
    assert (found.trainable, found.total) == (done.trainable, done.total)
    assert found.frames == FRAMES
    assert found.memory_gb > 2
    assert not (tmp_path / "out").exists()


def test_the_command(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("HPVQA_CACHE", str(tmp_path / "cache"))
    args = ["finetune", "--dataset", dataset.root, "--model", tiny_model("qwen3_vl"), "--out", tmp_path / "out"]
    args += ["--set", "frames.resolution=[64, 64]", "--fps", FPS, "--workers", 1, "--device", "cpu"]
    assert hpvqa(*args, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 20
    assert hpvqa(*args, "--max-steps", 2, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["cells"][0]["n"] == 8
    assert (tmp_path / "out" / "eval" / "predictions.jsonl").is_file()
    assert list((tmp_path / "cache" / "frames").glob("*.frames"))
    assert hpvqa("merge", tmp_path / "out", "--out", tmp_path / "merged") == 0
    assert capsys.readouterr() == (
        f"The merged model is in {tmp_path / 'merged'}; 14 of 14 trained weights changed\n",
        "",
    )
    assert hpvqa("eval", "--dataset", dataset.root, "--backend", "transformers", "--model", tmp_path / "merged",
                 "--out", tmp_path / "run", "--json") == 0  # fmt: skip
    capsys.readouterr()
    merged, adapted = (
        [json.loads(line)["logprobs"]["left"] for line in (folder / "predictions.jsonl").read_text().splitlines()]
        for folder in (tmp_path / "run", tmp_path / "out" / "eval")
    )
    assert merged == pytest.approx(adapted, abs=1e-4)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--recipe", "lor"], "did you mean 'lora'"),
        (["--set", "lora.rnak=3"], "did you mean 'lora.rank'"),
        (["--set", "lora.rank"], "--set looks like lora.rank=32"),
        (["--set", "training.epochs=-1"], "greater than 0"),
        (["--camera", "back_top_narow"], "did you mean 'back_top_narrow'"),
        (["--task", "drop"], "has no rows of drop"),
        (["--resolution", "100x100"], "multiples of 32, not 100x100"),
        (["--model", "nowhere"], "There is no model folder nowhere"),
        (["--set", "lora.rank=" + 3000 * "["], "cannot be read: it is nested too deeply"),
        (
            ["--out", "/proc/x/y"],
            "/proc/x/y cannot be written (/proc: No such file or directory); choose another place",
        ),
        (["--dataset", "nowhere"], "There is no data set nowhere"),
    ],
)
def test_wrong_calls(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, capsys: pytest.CaptureFixture[str], args: list[str],
    message: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("HPVQA_CACHE", str(tmp_path / "cache"))
    base = ["--dataset", dataset.root, "--model", tiny_model("qwen3_vl"), "--out", tmp_path / "out"]
    assert hpvqa("finetune", *base, *args) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
