"""Trainings that an experiment tracker records: what it holds is what our own file holds."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from hpvqa.dataset.load import Dataset
from hpvqa.errors import MissingDependencyError
from hpvqa.finetune.run import TrainingJob, finetune
from hpvqa.finetune.track import TRACKERS, Tracker, _callback, check_tracker, open_tracker
from tests.factories import quiet
from tests.finetune_jobs import job, make_plain, metrics
from tests.tiny_models import TinyModel

pytestmark = pytest.mark.models


def needs(name: Tracker) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_plain(tmp_path_factory.mktemp("track"))


def recorded(dataset: Dataset, model: Path, out: Path, track: Tracker) -> list[dict[str, float]]:
    plain = job(dataset, model, out, **{"training.max_steps": 4})
    finetune(TrainingJob(**{**plain.__dict__, "track": track}), quiet(), command="hpvqa finetune")
    lines = metrics(out)
    assert {name for line in lines for name in line} >= {"loss", "eval_loss", "eval_accuracy"}
    return lines


def series(lines: list[dict[str, float]], name: str) -> list[tuple[int, float]]:
    return [(int(line["step"]), line[name]) for line in lines if name in line]


def test_tensorboard_holds_what_was_measured(dataset: Dataset, tmp_path: Path, tiny_model: TinyModel) -> None:
    needs("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    lines = recorded(dataset, tiny_model("internvl"), tmp_path / "out", "tensorboard")
    found = EventAccumulator(str(tmp_path / "out" / "tensorboard")).Reload()
    for name in ("loss", "eval_loss", "eval_accuracy"):
        shown = [(event.step, event.value) for event in found.Scalars(name)]
        assert [(step, pytest.approx(value)) for step, value in shown] == series(lines, name)
    (text,) = found.Tensors("recipe/text_summary")
    assert b"recipe.lora.rank: 16" in text.tensor_proto.string_val[0]


def test_mlflow_holds_what_was_measured(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("mlflow")
    pytest.importorskip("sqlalchemy")
    import mlflow

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    lines = recorded(dataset, tiny_model("internvl"), tmp_path / "out", "mlflow")
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'out' / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("hpvqa").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["recipe.lora.rank"] == "16"
    for name in ("loss", "eval_loss"):
        found = [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)]
        assert found == series(lines, name)


def test_wandb_records_without_a_network(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    lines = recorded(dataset, tiny_model("internvl"), tmp_path / "out", "wandb")
    (file,) = (tmp_path / "out").glob("wandb/offline-run-*/run-*.wandb")
    data = file.read_bytes()
    for name in ("eval_loss", "eval_accuracy"):
        assert all(str(value).encode() in data for _, value in series(lines, name))


@pytest.mark.parametrize("track", TRACKERS[1:])
def test_a_tracker_that_is_not_installed_is_named(track: Tracker) -> None:
    if importlib.util.find_spec(track) is not None:
        check_tracker(track)
        return
    with pytest.raises(MissingDependencyError, match=rf"--track {track} needs {track}; run: .*\[{track}\]"):
        check_tracker(track)


def test_without_one_nothing_is_recorded(tmp_path: Path) -> None:
    check_tracker("none")
    assert open_tracker("none", tmp_path, {}, {}, [].append) is None
    assert list(tmp_path.iterdir()) == []


def test_a_tracker_that_fails_is_told_of_once_and_left_alone() -> None:
    class Broken:
        written = 0

        def write(self, step: int, measured: Mapping[str, float]) -> None:
            self.written += 1
            if step > 1:
                raise ConnectionError("The network is gone.\nTraceback")

        def close(self) -> None:
            raise AssertionError

    told: list[str] = []
    writer = Broken()
    callback = _callback(writer, "wandb", told.append)
    for step in (1, 2, 3):
        callback.on_log(None, SimpleNamespace(global_step=step), None, logs={"loss": 1.0, "total_flos": 9.0})
    callback.on_log(None, SimpleNamespace(global_step=4), None, logs={"train_runtime": 1.0})
    callback.on_train_end(None, None, None)
    assert writer.written == 2
    assert told == ["wandb records no more of this training (The network is gone); metrics.jsonl has all of it"]
