"""What goes wrong in a training is one sentence, and costs no more than it must."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hpvqa.dataset.load import Dataset
from hpvqa.errors import RunError, UsageError
from hpvqa.finetune.arguments import total_steps
from hpvqa.finetune.course import Report
from hpvqa.finetune.dry_run import plan
from hpvqa.finetune.plots import draw_training
from hpvqa.finetune.rows import training_rows
from hpvqa.finetune.run import finetune
from hpvqa.finetune.settings import TrainingSettings
from hpvqa.main import main
from hpvqa.vlm.adapter import WEIGHTS
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import load_prompt
from tests.factories import quiet
from tests.finetune_jobs import job, make_plain, metrics, trained
from tests.needs import long_but
from tests.test_saving import no_file_longer_than
from tests.tiny_models import TinyModel


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_plain(tmp_path_factory.mktemp("finetune"))


@pytest.mark.parametrize("limit", long_but([3000, 200_000]), ids=["safetensors", "torch"])
def test_a_full_disk_leaves_the_last_checkpoint_whole(
    limit: int, dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, out = tiny_model("qwen3_vl"), tmp_path / "out"
    changes = {"training.epochs": 1, "training.checks": 5}
    trained(dataset, model, tmp_path / "whole", **changes)

    from hpvqa.finetune import run as running
    from hpvqa.finetune.checkpoints import last_checkpoint

    report = running._report
    with ExitStack() as stack, monkeypatch.context() as patched:

        def fill(reporter: Any, step: int, measured: dict[str, float]) -> None:
            if step == 3 and not measured:
                stack.enter_context(no_file_longer_than(limit))
            report(reporter, step, measured)

        patched.setattr(running, "_report", fill)
        with pytest.raises(RunError, match=r"could not be saved in \S+out \(File too large\); .*go on with --resume"):
            trained(dataset, model, out, **changes)
    found = last_checkpoint(out)
    assert found is not None
    assert found.name == "checkpoint-2"
    assert {path.name for path in (out / "checkpoints").iterdir()} == {"checkpoint-1", "checkpoint-2"}
    finetune(job(dataset, model, out, **changes), quiet(), resume=True, command="")
    assert (out / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()


@pytest.fixture(scope="module")
def saved(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory, tiny_model: TinyModel) -> Path:
    """A training of two steps with a checkpoint at each."""
    out = tmp_path_factory.mktemp("saved") / "out"
    trained(dataset, tiny_model("qwen3_vl"), out, **TWO)
    return out


TWO = {"training.max_steps": 2, "training.epochs": 1, "training.checks": 2, "training.batch_size": 2}


def go_on(dataset: Dataset, model: Path, out: Path) -> None:
    finetune(job(dataset, model, out, **TWO), quiet(), resume=True, command="hpvqa finetune")


def test_the_best_checkpoint_is_found_where_a_training_was_moved_to(
    dataset: Dataset, saved: Path, tmp_path: Path, tiny_model: TinyModel
) -> None:
    moved = Path(shutil.copytree(saved, tmp_path / "moved"))
    first, last = (moved / "checkpoints" / f"checkpoint-{step}" for step in (1, 2))
    state = json.loads((last / "trainer_state.json").read_bytes())
    for gone in ("where/it/was/checkpoint-1", str(tmp_path / "out" / "checkpoint-1")):
        (last / "trainer_state.json").write_text(json.dumps({**state, "best_model_checkpoint": gone}))
        go_on(dataset, tiny_model("qwen3_vl"), moved)
        assert (moved / WEIGHTS).read_bytes() == (first / WEIGHTS).read_bytes() != (last / WEIGHTS).read_bytes()
    shutil.rmtree(first)
    with pytest.raises(RunError, match="checkpoint-1, the best of this training so far, is gone or damaged; train"):
        go_on(dataset, tiny_model("qwen3_vl"), moved)


def test_how_often_is_the_recipes_and_not_that_of_a_checkpoint(
    dataset: Dataset, saved: Path, tmp_path: Path, tiny_model: TinyModel
) -> None:
    out = Path(shutil.copytree(saved, tmp_path / "out"))
    shutil.rmtree(out / "checkpoints" / "checkpoint-2")
    path = out / "checkpoints" / "checkpoint-1" / "trainer_state.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "logging_steps": "often", "eval_steps": 0}))
    go_on(dataset, tiny_model("qwen3_vl"), out)
    assert (out / WEIGHTS).read_bytes() == (saved / WEIGHTS).read_bytes()
    assert metrics(out) == metrics(saved)


def test_a_training_that_had_ended_takes_no_more_steps(
    dataset: Dataset, saved: Path, tmp_path: Path, tiny_model: TinyModel
) -> None:
    """Also where it was killed between its last checkpoint and its adapter."""
    out = Path(shutil.copytree(saved, tmp_path / "out"))
    (out / WEIGHTS).unlink()
    go_on(dataset, tiny_model("qwen3_vl"), out)
    for name in (WEIGHTS, "metrics.jsonl"):
        assert (out / name).read_bytes() == (saved / name).read_bytes(), name
    assert {path.name for path in (out / "checkpoints").iterdir()} == {"checkpoint-1", "checkpoint-2"}


@pytest.mark.long
def test_patience_goes_on_where_it_was(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"training.checks": 6, "training.max_steps": 6, "training.patience": 2, "training.learning_rate": 1e-30}
    model, out = tiny_model("qwen3_vl"), tmp_path / "out"
    trained(dataset, model, tmp_path / "whole", **changes)
    whole = metrics(tmp_path / "whole")
    assert whole[-1]["step"] == 3

    def stop(reporter: Any, step: int, measured: dict[str, float]) -> None:
        if step == 3:
            raise RunError("stopped")

    with monkeypatch.context() as patched:
        patched.setattr("hpvqa.finetune.run._report", stop)
        with pytest.raises(RunError, match="stopped"):
            trained(dataset, model, out, **changes)
    finetune(job(dataset, model, out, **changes), quiet(), resume=True, command="")
    assert metrics(out) == whole
    assert (out / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()


class Bomb:
    """What a pickle runs when it is read."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {BOMB}",)


BOMB = Path(tempfile.gettempdir()) / f"hpvqa-pickle-{os.getpid()}"


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin"])
def test_no_pickle_of_a_checkpoint_is_run(
    name: str, dataset: Dataset, saved: Path, tmp_path: Path, tiny_model: TinyModel
) -> None:
    import torch

    out = Path(shutil.copytree(saved, tmp_path / "out"))
    last = out / "checkpoints" / "checkpoint-1"
    shutil.rmtree(out / "checkpoints" / "checkpoint-2")
    torch.save(Bomb(), last / name)
    if name == "training_args.bin":
        # Nobody reads it.
        go_on(dataset, tiny_model("qwen3_vl"), out)
        assert (out / WEIGHTS).read_bytes() == (saved / WEIGHTS).read_bytes()
    else:
        words = r"checkpoint-1 cannot be gone on from \(UnpicklingError: .*\); if it is damaged, delete it"
        with pytest.raises(RunError, match=words):
            go_on(dataset, tiny_model("qwen3_vl"), out)
    assert not BOMB.exists()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch waits for processes that prepare batches to end by themselves, five seconds for each."""
    monkeypatch.setattr("torch.utils.data._utils.MP_STATUS_CHECK_INTERVAL", 0.2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("step", ["training", "check"])
def test_a_clip_that_does_not_decode_is_one_sentence(
    workers: int, step: str, dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = training_rows(dataset, load_prompt("paper"), validation=0.1, seed=42)
    bad = {item.query.clip for item in (rows.train if step == "training" else rows.validation)}

    def damaged(clip: Clip, sampling: FrameSampling) -> Frames:
        if clip.path in bad:
            raise RunError(f"{clip.path.name} does not decode")
        return read_clip(clip, sampling)

    monkeypatch.setattr("hpvqa.finetune.run.read_clip", damaged)
    short = job(dataset, tiny_model("qwen3_vl"), tmp_path / "out", **{"training.max_steps": 1})
    with pytest.raises(RunError, match=r"\A\S+\.mp4 does not decode\Z"):
        finetune(replace(short, workers=workers), quiet(), command="")


@pytest.mark.usefixtures("impatient")
def test_a_process_that_prepares_batches_and_is_killed_is_one_sentence(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpvqa.finetune.run.read_clip", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    ahead = replace(job(dataset, tiny_model("qwen3_vl"), tmp_path / "out"), workers=1)
    with pytest.raises(RunError, match="killed by SIGKILL, as happens when there is too little memory"):
        finetune(ahead, quiet(), command="")


def test_a_gpu_that_is_not_there_is_told_before_any_work(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UsageError, match="torch sees no GPU; leave out --device cuda"):
        finetune(replace(job(dataset, tiny_model("qwen3_vl"), tmp_path / "out"), device="cuda"), quiet(), command="")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("limits", "steps"),
    [({}, 10), ({"min_steps": 4}, 10), ({"min_steps": 25}, 25), ({"min_steps": 25, "max_steps": 7}, 7)],
)
def test_few_rows_are_seen_more_often_where_there_is_a_least_number_of_steps(
    limits: dict[str, int], steps: int
) -> None:
    assert total_steps(20, TrainingSettings(batch_size=4, epochs=2, **limits)) == steps


@pytest.mark.parametrize("damage", [b"\xff\xfe\n", b"[" * 100_000 + b"\n", b'{"step": 1, "lo'])
def test_a_training_goes_on_although_its_metrics_are_damaged(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    lines = [b'{"step": 1, "loss": 0.1}\n', b'{"step": 2, "loss": 1e-07}\n', b'{"step": 3, "loss": 2}\n']
    path.write_bytes(lines[0] + damage + b"\n" + lines[1] + lines[2])
    report = Report(path, lambda step, measured: None)
    state = SimpleNamespace(is_world_process_zero=True, global_step=2, max_steps=4)
    report.on_train_begin(None, state, None)
    assert path.read_bytes() == lines[0] + lines[1]
    report.on_log(None, state, None, logs={"loss": 0.5, "grad_norm": float("nan")})
    assert path.read_bytes() == lines[0] + lines[1] + b'{"step": 2, "loss": 0.5}\n'
    draw_training(path, tmp_path)
    assert (tmp_path / "loss.png").is_file()


@pytest.mark.parametrize(("most", "steps", "epochs"), [(50, 4, "2"), (3, 3, "1.6")])
def test_the_number_of_steps_is_what_was_said(
    most: int, steps: int, epochs: str, dataset: Dataset, tmp_path: Path, tiny_model: TinyModel
) -> None:
    # Twenty rows are five batches: an epoch is a step of three and one of two.
    changes = {"training.epochs": 2, "training.accumulation": 3, "training.max_steps": most, "training.checks": 1}
    model = tiny_model("qwen3_vl")
    assert plan(job(dataset, model, tmp_path / "none", **changes)).steps == steps
    trained(dataset, model, tmp_path / "out", **changes)
    assert metrics(tmp_path / "out")[-1]["step"] == steps
    assert f"; {steps} steps, {epochs} epochs; seed" in (tmp_path / "out" / "README.md").read_text()


def test_ctrl_c_before_the_first_step_is_gone_on_from(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "out"
    args = ["finetune", "--dataset", dataset.root, "--model", tiny_model("qwen3_vl"), "--out", out, "--resume"]
    args += ["--resolution", "64x64", "--max-steps", 1, "--device", "cpu", "--workers", 0, "--no-eval"]
    monkeypatch.setenv("HPVQA_CACHE", str(tmp_path / "cache"))

    def run() -> tuple[object, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(arg) for arg in args])
        return stop.value.code, capsys.readouterr().err

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for place, words in (
        ("hpvqa.finetune.run.load_processor", "Interrupted before the training began."),
        ("transformers.Trainer.train", "before the first checkpoint; the same command with --resume begins again."),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(place, interrupt)
            code, said = run()
        assert code == 130
        assert said.endswith(f"{words}\n")
    assert not (out / WEIGHTS).exists()
    code, said = run()
    assert code == 0
    assert "holds no checkpoint to go on from, so the training begins" in said
    assert (out / WEIGHTS).stat().st_mode & 0o777 == (out / "hpvqa.json").stat().st_mode & 0o777
    assert not list(out.glob("*.partial"))
