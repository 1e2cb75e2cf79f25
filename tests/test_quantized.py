"""Adapters of a model whose own weights are held in 4 bits."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from hpvqa.dataset.load import Dataset
from hpvqa.errors import MissingDependencyError, UsageError
from hpvqa.evaluate.select import select
from hpvqa.finetune.dry_run import plan
from hpvqa.finetune.quantized import check_quantized, loading
from hpvqa.finetune.run import load_with_lora, prepare
from hpvqa.finetune.settings import LoraSettings
from hpvqa.vlm.backends.transformers import TransformersAnswerer
from hpvqa.vlm.options import TransformersOptions
from hpvqa.vlm.prompt import load_prompt
from tests.finetune_jobs import job, make_plain, metrics, trained
from tests.tiny_models import TinyModel, make_query, noise

pytestmark = pytest.mark.models
FOUR = {"lora.quantize": "nf4"}
INSTALLED = importlib.util.find_spec("bitsandbytes") is not None


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_plain(tmp_path_factory.mktemp("quantized"))


def test_a_dry_run_counts_four_bits(dataset: Dataset, tmp_path: Path, tiny_model: TinyModel) -> None:
    whole, small = (plan(job(dataset, tiny_model("qwen3_vl"), tmp_path / "out", **given)) for given in ({}, FOUR))
    assert small.total == whole.total
    assert (whole.weights_format, small.weights_format) == ("bfloat16", "4 bits (nf4)")
    assert 0.25 * whole.weights_gb < small.weights_gb < whole.weights_gb
    assert whole.weights_gb == pytest.approx(2 * (whole.total - whole.trainable) / 1e9)
    assert len(select(dataset, "train", load_prompt("paper"))) > 0


@pytest.mark.skipif(INSTALLED, reason="bitsandbytes is installed")
def test_what_is_missing_is_named() -> None:
    with pytest.raises(MissingDependencyError, match=r"--quantize nf4 needs bitsandbytes; run: .*\[quantize\]"):
        check_quantized(LoraSettings(quantize="nf4"), cpu=True)


def test_gpus_do_not_matter_where_it_is_trained_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    check_quantized(LoraSettings(quantize="nf4"), cpu=True)
    with pytest.raises(UsageError, match="One process cannot share out a model in 4 bits"):
        check_quantized(LoraSettings(quantize="nf4"), cpu=False)
    if INSTALLED:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        for cpu, place in ((True, "cpu"), (False, 0)):
            assert loading(LoraSettings(quantize="nf4"), bf16=False, cpu=cpu)["device_map"] == {"": place}


@pytest.mark.skipif(not INSTALLED, reason="bitsandbytes is not installed")
def test_it_is_trained_and_its_adapter_is_like_any_other(
    dataset: Dataset, tmp_path: Path, tiny_model: TinyModel
) -> None:
    model = tiny_model("qwen3_vl")
    found = job(dataset, model, tmp_path / "out", **FOUR)
    loaded = load_with_lora(found, prepare(found).family, False, [].append)
    kinds = {name: type(layer).__name__ for name, layer in loaded.named_modules() if "Linear" in type(layer).__name__}
    four = {name for name, kind in kinds.items() if kind == "Linear4bit"}
    assert any("language_model" in name for name in four)
    assert not any("visual" in name or "lm_head" in name for name in four)
    plain = plan(job(dataset, model, tmp_path / "none"))
    done = trained(dataset, model, tmp_path / "out", **FOUR)
    assert (done.trainable, done.total) == (plain.trainable, plain.total)
    losses = [line["loss"] for line in metrics(tmp_path / "out") if "loss" in line]
    assert losses[-1] < losses[0]
    answerer = TransformersAnswerer(TransformersOptions(model=str(model), adapter=tmp_path / "out", device="cpu"))
    answerer.load([].append)
    (answer,) = answerer.answer([make_query(noise())])
    assert answer.error is None
