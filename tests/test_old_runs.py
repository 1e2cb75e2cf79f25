"""Runs that earlier versions began: their ``run.json``, as it was written then, is read, and the run goes on."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hpvqa.dataset.build import build
from hpvqa.main import main
from hpvqa.recipe import Recipe
from tests.factories import make_data, quiet
from tests.servers import StandIn
from tests.tiny_models import TinyModel

needs_client = pytest.mark.skipif(importlib.util.find_spec("httpx2") is None, reason="needs the HTTP client")
needs_models = pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="needs transformers and peft")

COMMON: dict[str, Any] = {
    "split": "eval", "task": None, "camera": None, "episodes": None, "limit": 1, "schema_version": 4, "details": {},
    "sizes": [[48, 32]], "seed": 42, "choices": ["left", "right"], "frames": None, "privileged": False,
    "resampling": "none", "views": {},
}  # fmt: skip
"""As version 0.1.0 wrote it, but for what depends on the machine, the clips and the weights."""
BASELINE = {"backend": "baseline", "model": "random", "task": "drop", "seed": 3}
FRAME_ORACLE = {
    "backend": "baseline", "model": "frame-oracle", "privileged": True,
    "frames": {"sampler": "dense", "fps": 8.0, "count": 2, "resolution": [224, 224], "fit": "pad"},
}  # fmt: skip
FRAMES = {"sampler": "uniform", "fps": 10.0, "count": None, "resolution": [64, 64], "fit": "pad"}
EMBEDDED = {
    "backend": "transformers", "model": "embedded", "camera": ["front_wide"],
    "details": {
        "family": "qwen3-vl", "adapter": "embedded", "dtype": "float32", "device": "cpu", "scoring": "logprobs",
        "max_new_tokens": None,
    },
}  # fmt: skip
GENERATING = {
    "backend": "transformers", "frames": FRAMES,
    "details": {
        "family": "qwen3-vl", "adapter": None, "adapter_sha256": None, "dtype": "float32", "device": "cpu",
        "scoring": "generate", "max_new_tokens": 5,
    },
}  # fmt: skip
SERVER = {
    "backend": "openai", "model": "glm", "frames": FRAMES,
    "details": {
        "transport": "images", "served_model": "glm", "server": "other", "server_version": None, "family": None,
        "scoring": "logprobs", "scored": "first tokens", "max_new_tokens": None,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old_runs")
    build(make_data(folder / "data", push=8, drop=8), folder / "dataset", quiet(), recipe=Recipe())
    return folder / "dataset"


def hpvqa(*args: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    return int(stop.value.code or 0)


def goes_on(args: Sequence[object], old: dict[str, Any], out: Path) -> None:
    """One row is answered, ``run.json`` becomes an old one, and the rest is answered."""
    assert hpvqa("eval", *args, "--limit", "1", "--out", out) == 0
    now = json.loads((out / "run.json").read_text())
    machine = ("dataset", "fingerprint", "prompt", "versions", "command")
    measured = {
        name: now["details"][name] for name in ("fingerprint", "adapter_sha256", "url") if name in now["details"]
    }
    before = {**COMMON, **{name: now[name] for name in machine}, **old}
    before["details"] = {**measured, **before["details"]}
    # Shipped weights may be trained anew, in another way and on other views.
    before |= {name: now[name] for name in ("frames", "views") if old["model"] == "embedded"}
    (out / "run.json").write_text(json.dumps(before))
    answers = (out / "predictions.jsonl").read_text()
    assert hpvqa("eval", *args, "--out", out) == 0
    after = (out / "predictions.jsonl").read_text()
    assert after.startswith(answers)
    assert len(after.splitlines()) > len(answers.splitlines()) == 1
    assert json.loads((out / "run.json").read_text()) == before | {"limit": None, "questions": None}
    assert hpvqa("report", out) == 0


def test_a_baseline(dataset: Path, tmp_path: Path) -> None:
    args = ["--dataset", dataset, "--model", "random", "--task", "drop", "--seed", "3"]
    goes_on(args, BASELINE, tmp_path / "run")


@pytest.mark.slow
def test_a_baseline_that_is_told_of_frames(dataset: Path, tmp_path: Path) -> None:
    args = ["--dataset", dataset, "--model", "frame-oracle", "--sampler", "dense", "--frames", "2"]
    goes_on(args, FRAME_ORACLE, tmp_path / "run")


@needs_models
@pytest.mark.slow
def test_the_embedded_model(dataset: Path, tmp_path: Path) -> None:
    args = ["--dataset", dataset, "--device", "cpu", "--dtype", "float32", "--camera", "front_wide"]
    goes_on(args, EMBEDDED, tmp_path / "run")


@needs_models
def test_a_model_that_writes(dataset: Path, tmp_path: Path, tiny_model: TinyModel) -> None:
    model = str(tiny_model("qwen3_vl"))
    args = ["--dataset", dataset, "--model", model, "--device", "cpu", "--dtype", "float32", "--fps", "10"]
    args += ["--resolution", "64x64", "--scoring", "generate", "--max-new-tokens", "5"]
    goes_on(args, GENERATING | {"model": model}, tmp_path / "run")


@needs_client
@pytest.mark.slow
def test_a_server(dataset: Path, tmp_path: Path) -> None:
    with StandIn() as server:
        args = ["--dataset", dataset, "--server", server.url, "--fps", "10", "--resolution", "64x64"]
        goes_on([*args, "--transport", "images", "--concurrency", "2"], SERVER, tmp_path / "run")
