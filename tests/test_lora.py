"""An adapter goes onto its model whole, however its tensors are called, and a merge changes what it should."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from hpvqa.errors import RunError, UsageError
from hpvqa.finetune.merge import merge
from hpvqa.vlm.adapter import WEIGHTS, check_adapter, check_served, read_adapter
from hpvqa.vlm.families import find_family
from tests.adapters import make_adapter
from tests.test_saving import no_file_longer_than
from tests.tiny_models import TinyModel

Tensors = dict[str, NDArray[np.float32]]
OWN = "base_model.model.model.language_model."
TARGETS = ["q_proj", "down_proj"]


@pytest.fixture(scope="module")
def model(tiny_model: TinyModel) -> Path:
    return tiny_model("qwen3_vl")


@pytest.fixture(scope="module")
def made(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_adapter(model, tmp_path_factory.mktemp("lora") / "adapter", targets=TARGETS)


@pytest.fixture
def adapter(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "adapter"))


@pytest.fixture(scope="module")
def expected(model: Path, made: Path) -> Tensors:
    """The weights of the merged model, worked out by hand."""
    weights, lora = load_file(model / "model.safetensors"), load_file(made / WEIGHTS)
    config = json.loads((made / "adapter_config.json").read_text())
    scale = config["lora_alpha"] / config["r"]
    for name in [name for name in lora if name.endswith("lora_A.weight")]:
        layer = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        update = lora[name.replace("lora_A", "lora_B")] @ lora[name]
        assert np.abs(update).max() > 1e-3
        weights[f"{layer}.weight"] = weights[f"{layer}.weight"] + scale * update
    return weights


def rename(adapter: Path, to: Callable[[str], str]) -> None:
    tensors = load_file(adapter / WEIGHTS)
    save_file({to(name): tensor for name, tensor in tensors.items()}, adapter / WEIGHTS)


@pytest.mark.parametrize(
    "to",
    [
        lambda name: name,
        lambda name: name.replace(OWN, "base_model.model.model."),
        lambda name: name.replace(OWN, "base_model.model.language_model.model."),
        lambda name: name.removeprefix("base_model.model."),
        lambda name: name.replace(".weight", ".default.weight"),
        lambda name: name.replace(OWN, "base_model.model.model.") if ".layers.1." in name else name,
    ],
    ids=["own", "language model alone", "older class", "no prefix", "name of the adapter", "half and half"],
)
def test_a_merge_adds_every_update_and_changes_nothing_else(
    to: Callable[[str], str], model: Path, adapter: Path, expected: Tensors, tmp_path: Path
) -> None:
    rename(adapter, to)
    done = merge(adapter, tmp_path / "merged")
    assert (done.changed, done.weights) == (4, 4)
    found, before = load_file(tmp_path / "merged" / "model.safetensors"), load_file(model / "model.safetensors")
    assert found.keys() == before.keys()
    for name, tensor in found.items():
        np.testing.assert_allclose(tensor, expected[name], atol=1e-6, err_msg=name)
    assert sum((found[name] != before[name]).any() for name in found) == 4


def test_a_layer_that_the_model_lacks_is_named(model: Path, adapter: Path, tmp_path: Path) -> None:
    rename(adapter, lambda name: name.replace("down_proj", "sideways_proj"))
    with pytest.raises(UsageError, match=r"does not fit .*sideways_proj is not there"):
        merge(adapter, tmp_path / "merged")
    rename(adapter, lambda name: f"base_model.model.head.{name[-15:]}" if "sideways" in name else name)
    with pytest.raises(UsageError, match=r"no layer for its tensor base_model\.model\.head\."):
        merge(adapter, tmp_path / "merged")
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


def test_two_tensors_for_one_layer_are_refused(adapter: Path, tmp_path: Path) -> None:
    tensors = load_file(adapter / WEIGHTS)
    again = {name.replace(OWN, "base_model.model.model."): tensor for name, tensor in tensors.items()}
    save_file({**tensors, **again}, adapter / WEIGHTS)
    with pytest.raises(UsageError, match="several tensors for one layer"):
        merge(adapter, tmp_path / "merged")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused_by_name(
    value: float, model: Path, adapter: Path, tmp_path: Path
) -> None:
    tensors = load_file(adapter / WEIGHTS)
    name = sorted(tensors)[3]
    for dtype in (np.float32, np.float16, np.float64):
        broken = tensors[name].astype(dtype)
        broken[-1, -1] = value
        save_file({**tensors, name: broken}, adapter / WEIGHTS)
        with pytest.raises(UsageError, match=rf"{name} holds numbers that are not finite"):
            check_adapter(read_adapter(adapter), str(model))
    with pytest.raises(UsageError, match="not finite"):
        merge(adapter, tmp_path / "merged")


def test_the_largest_numbers_are_finite(model: Path, adapter: Path) -> None:
    tensors = load_file(adapter / WEIGHTS)
    for dtype in (np.float32, np.float16, np.float64):
        largest = {name: np.full(tensor.shape, np.finfo(dtype).max, dtype) for name, tensor in tensors.items()}
        save_file(largest, adapter / WEIGHTS)
        check_adapter(read_adapter(adapter), str(model))


def test_an_adapter_that_changes_nothing_is_not_merged(adapter: Path, tmp_path: Path) -> None:
    tensors = load_file(adapter / WEIGHTS)
    save_file({name: 0 * tensor if "lora_B" in name else tensor for name, tensor in tensors.items()}, adapter / WEIGHTS)
    with pytest.raises(UsageError, match="changes nothing"):
        merge(adapter, tmp_path / "merged")


@pytest.mark.parametrize("shape", [(), (4,)])
def test_tensors_without_two_sides_do_not_fit(shape: tuple[int, ...], model: Path, adapter: Path) -> None:
    tensors = load_file(adapter / WEIGHTS)
    name = sorted(tensors)[0]
    save_file({**tensors, name: np.zeros(shape, np.float32)}, adapter / WEIGHTS)
    found = read_adapter(adapter)
    assert found.rank == 4
    with pytest.raises(UsageError, match="of another size"):
        check_adapter(found, str(model))


def test_a_layer_without_two_sides_takes_no_adapter(model: Path, adapter: Path) -> None:
    tensors = load_file(adapter / WEIGHTS)
    norm = f"{OWN}layers.0.input_layernorm.lora_A.weight"
    save_file({**tensors, norm: np.zeros((4, 64), np.float32)}, adapter / WEIGHTS)
    with pytest.raises(UsageError, match="input_layernorm is of another size"):
        check_adapter(read_adapter(adapter), str(model))


@pytest.mark.parametrize(
    "to",
    [
        lambda name: name.replace(OWN, "base_model.model.model."),
        lambda name: name.replace(".weight", ".default.weight"),
    ],
)
def test_names_that_vllm_does_not_know_lead_to_a_merge(to: Callable[[str], str], model: Path, adapter: Path) -> None:
    rename(adapter, to)
    found = read_adapter(adapter)
    check_adapter(found, str(model))
    with pytest.raises(UsageError, match=r"silently leave out 8 of the 8 tensors .*hpvqa merge"):
        check_served(found, find_family(str(model)))


def test_a_full_disk_is_a_sentence_and_leaves_nothing(adapter: Path, tmp_path: Path) -> None:
    with (
        no_file_longer_than(100_000),
        pytest.raises(RunError, match=r"merged cannot be written: File too large\Z"),
    ):
        merge(adapter, tmp_path / "merged")
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]
