"""Evaluating models from the command line: every backend, every family, every condition, and what users get wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from hpvqa.dataset.build import build
from hpvqa.evaluate.conditions import CONDITIONS
from hpvqa.main import main
from hpvqa.recipe import Recipe
from hpvqa.vlm.strict import parse_choice
from hpvqa.vlm.tiny.kinds import Kind
from tests.factories import copy, make_data, quiet
from tests.needs import long_but
from tests.servers import StandIn
from tests.tiny_models import TinyModel

KINDS = get_args(Kind)
ALL = ",".join(CONDITIONS)
FRAMES = ("--fps", "10", "--resolution", "64x64")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four episodes of each task for evaluation, two views each, five frames."""
    folder = tmp_path_factory.mktemp("eval_models")
    build(make_data(folder / "data", push=8, drop=8), folder / "dataset", quiet(), recipe=Recipe())
    return folder / "dataset"


def hpvqa(*args: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    return int(stop.value.code or 0)


def rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("scoring", ["logprobs", "generate"])
@pytest.mark.parametrize("kind", long_but(KINDS, "qwen3_vl"))
def test_transformers_answers_every_condition(
    kind: Kind, scoring: str, dataset: Path, tmp_path: Path, tiny_model: TinyModel
) -> None:
    out = tmp_path / "run"
    args = ["eval", "--dataset", dataset, "--backend", "transformers", "--model", tiny_model(kind), *FRAMES]
    assert hpvqa(*args, "--condition", ALL, "--scoring", scoring, "--out", out) == 0
    found = rows(out)
    assert len(found) == 6 * 8 + 4
    for row in found:
        assert row["error"] is None
        assert row["prompt_tokens"] > 50
        if scoring == "logprobs":
            assert row["prediction"] in ("left", "right")
            assert 0 < row["p_choices"] <= 1
            assert 0 < row["p_left"] < 1
        else:
            assert row["logprobs"] is None
            assert 1 <= row["answer_tokens"] <= 16
            # Of a text that was cut off after the most tokens, only a first word counts.
            cut = row["answer_tokens"] == 16
            said = {
                parse_choice(row["text"], ("left", "right"), cut=way) for way in ((True, False) if cut else (False,))
            }
            assert row["prediction"] in said
            assert row["is_correct"] == (row["prediction"] == row["answer"])
    settings = json.loads((out / "run.json").read_text())
    frames = {"sampler": "uniform", "fps": 10.0, "count": None, "resolution": [64, 64], "fit": "pad"}
    assert settings["frames"] == frames
    assert settings["prompt"]["name"] == "paper"
    assert settings["details"]["scoring"] == scoring
    assert (settings["privileged"], settings["resampling"]) == (False, "none")


def test_the_frame_oracle_is_told_of_the_frames_that_a_sampler_chooses(dataset: Path, tmp_path: Path) -> None:
    args = ["eval", "--dataset", dataset, "--backend", "baseline", "--model", "frame-oracle"]
    assert hpvqa(*args, "--sampler", "dense", "--frames", "2", "--condition", "plain,swap", "--out", tmp_path) == 0
    settings = json.loads((tmp_path / "run.json").read_text())
    assert settings["frames"] == {"sampler": "dense", "fps": 8.0, "count": 2, "resolution": [224, 224], "fit": "pad"}
    assert settings["privileged"]
    found = rows(tmp_path)
    assert {row["condition"] for row in found} == {"plain", "swap"}
    assert all(row["error"] is None and 0 <= row["p_left"] <= 1 for row in found)


@pytest.mark.long
def test_bare_vllm_works_where_there_are_a_data_set_and_a_file_of_defaults(
    dataset: Path, tmp_path: Path, tiny_model: TinyModel
) -> None:
    copy(dataset, tmp_path / "dataset")
    (tmp_path / "hpvqa.yaml").write_text(
        f"eval:\n  model: {tiny_model('qwen3_vl')}\n  fps: 10\n  resolution: 64x64\n  condition: plain,swap\n"
    )
    # An engine leaves much behind in its process.
    command = [sys.executable, "-m", "hpvqa", "eval", "--backend", "vllm"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "By condition" in done.stdout
    (out,) = (tmp_path / "runs").iterdir()
    found = rows(out)
    assert [row["condition"] for row in found] == ["plain", "swap"] * 8
    assert json.loads((out / "run.json").read_text())["backend"] == "vllm"
    again = subprocess.run([*command, "--json"], cwd=tmp_path, capture_output=True, text=True)
    assert json.loads(again.stdout)["cells"][0]["n"] == 8
    assert rows(out) == found


@pytest.mark.parametrize("transport", ["clip", "images"])
@pytest.mark.slow
def test_a_server_answers(dataset: Path, tmp_path: Path, transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPVQA_API_KEY", "very-secret")
    with StandIn(key="very-secret") as server:
        args = ["eval", "--dataset", dataset, "--backend", "openai", "--server", server.url, *FRAMES]
        args += ["--transport", transport, "--condition", "plain,swap", "--out", tmp_path / "run"]
        assert hpvqa(*args) == 0
        assert len(server.requests) >= 16
    assert len(rows(tmp_path / "run")) == 16
    text = (tmp_path / "run" / "run.json").read_text()
    assert "very-secret" not in text
    settings = json.loads(text)
    assert settings["model"] == "glm"
    assert settings["resampling"] == ("none" if transport == "images" else "unknown")
    # Without the server, the finished run is still there to be looked at.
    assert hpvqa("report", tmp_path / "run", "--json") == 0


def test_a_server_that_fails_loses_nothing(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HPVQA_API_KEY", raising=False)
    out = tmp_path / "run"
    with StandIn() as server:
        url = server.url
        args = ["eval", "--dataset", dataset, "--backend", "openai", "--server", url, *FRAMES, "--out", out]
        assert hpvqa(*args, "--limit", 3) == 0
        before = rows(out)
    assert hpvqa(*args) == 1
    assert f"The server at {url} cannot be reached" in capsys.readouterr().err
    assert rows(out) == before


def test_an_out_of_memory_batch_is_halved(
    dataset: Path, tmp_path: Path, tiny_model: TinyModel, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from hpvqa.vlm.backends.transformers import TransformersAnswerer

    real = TransformersAnswerer._look

    def small(self: Any, batch: Any) -> Any:
        if len(batch) > 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return real(self, batch)

    monkeypatch.setattr(TransformersAnswerer, "_look", small)
    args = ["eval", "--dataset", dataset, "--backend", "transformers", "--model", tiny_model("internvl"), *FRAMES]
    assert hpvqa(*args, "--out", tmp_path / "run") == 0
    assert capsys.readouterr().err.count("8 queries at once do not fit") == 1
    assert len(rows(tmp_path / "run")) == 8


def without_processor(folder: Path) -> None:
    for name in ("processor_config.json", "preprocessor_config.json", "video_preprocessor_config.json"):
        (folder / name).unlink(missing_ok=True)


def test_a_model_without_processor(
    dataset: Path, tmp_path: Path, tiny_model: TinyModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model = copy(tiny_model("qwen3_vl"), tmp_path / "model")
    without_processor(model)
    args = ["eval", "--dataset", dataset, "--backend", "transformers", "--model", model, "--out", tmp_path / "run"]
    assert hpvqa(*args) == 2
    assert "holds no processor" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_data_set_that_does_not_match_its_manifest(
    dataset: Path, tmp_path: Path, tiny_model: TinyModel, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy(dataset, tmp_path / "dataset")
    path = root / "eval" / "metadata.jsonl"
    path.write_text(path.read_text().replace('"answer":"left"', '"answer":"right"', 1))
    args = ["eval", "--dataset", root, "--backend", "transformers", "--model", tiny_model("qwen3_vl")]
    assert hpvqa(*args, "--out", tmp_path / "run") == 1
    assert "differs from the manifest" in capsys.readouterr().err


def test_a_clip_that_does_not_decode(
    dataset: Path, tmp_path: Path, tiny_model: TinyModel, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy(dataset, tmp_path / "dataset")
    clip = next((root / "eval").rglob("*.mp4"))
    clip.write_bytes(clip.read_bytes()[:200])
    args = ["eval", "--dataset", root, "--backend", "transformers", "--model", tiny_model("qwen3_vl"), *FRAMES]
    assert hpvqa(*args, "--out", tmp_path / "run") == 1
    assert "1 row was not answered and not counted" in " ".join(capsys.readouterr().out.split())
    assert sum(row["error"] is not None for row in rows(tmp_path / "run")) == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--backend", "vlm"], "did you mean 'vllm'"),
        (["--backend", "transformers", "--model", "qwen3,5"], "There is no model folder qwen3,5"),
        (["--backend", "transformers", "--adapter", "nowhere"], "nowhere holds no adapter"),
        (["--backend", "transformers", "--prompt", "papr"], "did you mean 'paper'"),
        (["--backend", "transformers", "--resolution", "60x64"], "multiples of 32"),
        (["--backend", "transformers", "--fps", "500"], "500.0 is not in the range"),
        (["--backend", "transformers", "--condition", "blnk"], "did you mean 'blank'"),
        (["--backend", "transformers", "--episode", "3-1"], "Episodes look like 3,7,10-12"),
        (["--backend", "transformers", "--server", "http://x"], "--server is for --backend openai"),
        (
            ["--backend", "baseline", "--sampler", "motion"],
            "--sampler is for models, which are shown frames, not for the baseline pixels",
        ),
        (["--backend", "openai", "--server", "http://127.0.0.1:9/v1"], "cannot be reached"),
        (["--backend", "openai", "--server", "http://me:pw@127.0.0.1:9/v1"], "password"),
        (["--backend", "openai", "--transport", "file"], "needs --media"),
    ],
)
def test_wrong_calls(
    dataset: Path, tmp_path: Path, tiny_model: TinyModel, capsys: pytest.CaptureFixture[str], args: list[str],
    message: str,
) -> None:  # fmt: skip
    own = [] if "--model" in args or "transformers" not in args else ["--model", str(tiny_model("qwen3_vl"))]
    code = hpvqa("eval", "--dataset", dataset, *args, *own, "--out", tmp_path / "run")
    error = " ".join(capsys.readouterr().err.split())
    assert code in (1, 2)
    assert message in error
    assert "Traceback" not in error
    assert not (tmp_path / "run").exists()
