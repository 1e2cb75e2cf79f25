"""An adapter goes onto the model that it was trained on, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from hpvqa.errors import UsageError
from hpvqa.vlm.adapter import CONFIG, WEIGHTS, check_adapter, check_served, read_adapter
from hpvqa.vlm.checkpoint import check_checkpoint, fingerprint, locate, read_shapes, weight_files
from hpvqa.vlm.families import find_family
from hpvqa.vlm.tiny import build_tiny
from tests.adapters import make_adapter
from tests.tiny_models import TinyModel


@pytest.fixture(scope="module")
def model(tiny_model: TinyModel) -> Path:
    return tiny_model("qwen3_vl")


@pytest.fixture(scope="module")
def made(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_adapter(model, tmp_path_factory.mktemp("adapters") / "lora")


@pytest.fixture
def adapter(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "lora"))


def change(adapter: Path, **settings: Any) -> None:
    path = adapter / CONFIG
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


def test_an_adapter_says_what_it_is(model: Path, adapter: Path) -> None:
    found = read_adapter(adapter)
    assert found.base == str(model)
    assert found.rank == 4
    assert found.shapes == {name: tensor.shape for name, tensor in load_file(adapter / WEIGHTS).items()}
    assert found.sha256 == hashlib.sha256((adapter / WEIGHTS).read_bytes()).hexdigest()
    check_adapter(found, str(model))
    check_served(found, find_family(str(model)))


def test_a_moved_folder_is_the_same_model(model: Path, adapter: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(model, tmp_path / "elsewhere" / model.name)
    check_adapter(read_adapter(adapter), str(moved))


@pytest.mark.parametrize(
    "base",
    [
        "some/{name}",
        "/home/someone/.cache/huggingface/hub/models--some--{name}/snapshots/0123456789abcdef",
        "models/{name}",
        "",
        None,
    ],
)
def test_a_copy_from_the_hub_is_the_same_model(model: Path, adapter: Path, base: str | None) -> None:
    change(adapter, base_model_name_or_path=base and base.format(name=model.name))
    check_adapter(read_adapter(adapter), str(model))


def test_hub_ids_are_compared_with_their_owners(adapter: Path) -> None:
    change(adapter, base_model_name_or_path="someone/Qwen3-VL-8B-Instruct")
    with pytest.raises(UsageError, match="trained on someone/Qwen3-VL-8B-Instruct, not on qwen3-vl"):
        check_adapter(read_adapter(adapter), "qwen3-vl")


def test_another_model_is_refused(model: Path, adapter: Path, tmp_path: Path) -> None:
    other = shutil.copytree(model, tmp_path / "other")
    with pytest.raises(UsageError, match=rf"was trained on {model}, not on {other}; run it with that model"):
        check_adapter(read_adapter(adapter), str(other))


def test_a_model_of_the_same_name_and_other_layers_is_refused(adapter: Path, tmp_path: Path) -> None:
    tensors = load_file(adapter / WEIGHTS)
    model = Path(read_adapter(adapter).base)
    name = next(name for name in tensors if name.endswith("q_proj.lora_B.weight"))
    save_file({**tensors, name: np.zeros((tensors[name].shape[0] + 1, 4), np.float32)}, adapter / WEIGHTS)
    with pytest.raises(UsageError, match=r"does not fit .*q_proj is of another size"):
        check_adapter(read_adapter(adapter), str(model))
    deep = name.replace("layers.0", "layers.70").replace("layers.1", "layers.70")
    save_file({**tensors, deep: tensors[name]}, adapter / WEIGHTS)
    with pytest.raises(UsageError, match=r"layers\.70\.self_attn\.q_proj is not there"):
        check_adapter(read_adapter(adapter), str(model))


def test_a_model_of_another_architecture_and_the_same_name_is_refused(
    adapter: Path, model: Path, tmp_path: Path
) -> None:
    other = tmp_path / model.name
    build_tiny("qwen3_5", other)
    with pytest.raises(UsageError, match="does not fit"):
        check_adapter(read_adapter(adapter), str(other))


def test_every_family_takes_its_own_adapters(tiny_model: TinyModel, tmp_path: Path) -> None:
    for kind in ("internvl", "qwen3_5"):
        model = tiny_model(kind)  # type: ignore[arg-type]
        found = read_adapter(make_adapter(model, tmp_path / kind))
        check_adapter(found, str(model))
        check_served(found, find_family(str(model)))


@pytest.mark.parametrize("kind", ["internvl", "qwen3_vl"])
def test_layers_that_vllm_leaves_out_are_refused_with_the_way_out(
    kind: Any, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model(kind)
    # As a bare list of names does it: they match in the vision tower, too.
    targets = ["q_proj", "v_proj"] if kind == "internvl" else ["q_proj", "qkv"]
    found = read_adapter(make_adapter(model, tmp_path / "lora", targets=targets))
    check_adapter(found, str(model))
    with pytest.raises(UsageError, match=r"silently leave out \d+ of the \d+ tensors .* such as .*vis.*hpvqa merge"):
        check_served(found, find_family(str(model)))


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "bias"),
    ],
)
def test_adapters_that_vllm_does_not_know_are_refused(
    model: Path, adapter: Path, settings: dict[str, Any], name: str
) -> None:
    change(adapter, **settings)
    with pytest.raises(UsageError, match=f"no adapters with {name}.*hpvqa merge"):
        check_served(read_adapter(adapter), find_family(str(model)))


def test_what_is_no_adapter_is_refused(adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no adapter_config"):
        read_adapter(tmp_path / "nothing")
    change(adapter, peft_type="IA3")
    with pytest.raises(UsageError, match="type IA3; only LoRA"):
        read_adapter(adapter)
    (adapter / CONFIG).write_text("[]")
    with pytest.raises(UsageError, match="damaged"):
        read_adapter(adapter)


def test_a_base_whose_name_is_too_long_is_another_model(model: Path, adapter: Path) -> None:
    change(adapter, base_model_name_or_path="x" * 300)
    with pytest.raises(UsageError, match="was trained on xxx"):
        check_adapter(read_adapter(adapter), str(model))


@pytest.mark.parametrize("base", ["a\0b", 7, ["model"], {"name": "model"}])
def test_what_can_be_no_name_of_a_model_is_refused(adapter: Path, base: object) -> None:
    change(adapter, base_model_name_or_path=base)
    with pytest.raises(UsageError, match="base_model_name_or_path is no name"):
        read_adapter(adapter)


def test_weights_that_may_run_code_are_refused(adapter: Path) -> None:
    (adapter / WEIGHTS).rename(adapter / "adapter_model.bin")
    with pytest.raises(UsageError, match=r"adapter_model\.bin may run code"):
        read_adapter(adapter)
    (adapter / "adapter_model.bin").unlink()
    with pytest.raises(UsageError, match=r"no adapter_model\.safetensors"):
        read_adapter(adapter)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0", struct.pack("<Q", 2**60), struct.pack("<Q", 4) + b"none", struct.pack("<Q", 2) + b"[]"],
)
def test_damaged_weights_are_refused(adapter: Path, content: bytes) -> None:
    (adapter / WEIGHTS).write_bytes(content)
    with pytest.raises(UsageError, match="no safetensors file"):
        read_adapter(adapter)


def test_weights_that_were_cut_short_are_refused(adapter: Path) -> None:
    whole = (adapter / WEIGHTS).read_bytes()
    (adapter / WEIGHTS).write_bytes(whole[:-1])
    with pytest.raises(UsageError, match="only part of one"):
        read_adapter(adapter)
    save_file({}, adapter / WEIGHTS)
    with pytest.raises(UsageError, match="holds nothing"):
        read_adapter(adapter)


def test_headers_hold_names_and_shapes(tmp_path: Path) -> None:
    tensors = {"a": np.zeros((2, 3), np.float16), "b.c": np.zeros((), np.float32)}
    save_file(tensors, tmp_path / "file", metadata={"format": "pt"})
    assert read_shapes(tmp_path / "file") == {"a": (2, 3), "b.c": ()}
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_shapes(tmp_path / "none")


def test_a_model_folder_must_be_whole(model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    check_checkpoint(folder)
    index = {"weight_map": {"x": "model-00001-of-00002.safetensors", "y": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    shutil.copy(folder / "model.safetensors", folder / "model-00001-of-00002.safetensors")
    with pytest.raises(UsageError, match=r"lacks 1 of 2 weight files, first model-00002-of-00002\.safetensors"):
        check_checkpoint(folder)
    (folder / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(UsageError, match="is damaged"):
        weight_files(folder)
    (folder / "model.safetensors.index.json").unlink()
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UsageError, match="no weights in the safetensors format"):
        check_checkpoint(folder)


@pytest.mark.parametrize(
    ("files", "what"),
    [(["processor_config.json"], "processor"), (["tokenizer.json", "tokenizer_config.json"], "tokenizer")],
)
def test_a_model_folder_without_processor_is_refused(model: Path, tmp_path: Path, files: list[str], what: str) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    for name in files:
        (folder / name).unlink()
    with pytest.raises(UsageError, match=f"holds no {what}"):
        check_checkpoint(folder)


def test_a_fingerprint_follows_weights_and_settings_but_not_the_place(model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    first = fingerprint(folder)
    assert first == fingerprint(model)
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    second = fingerprint(folder)
    (folder / "chat_template.jinja").write_text("another")
    assert len({first, second, fingerprint(folder)}) == 3


def test_a_downloaded_model_is_known_by_its_commit(model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(model, tmp_path / "models--some--model" / "snapshots" / "0123abcd")
    assert fingerprint(Path(folder)) == "0123abcd"
    assert locate(str(folder)) == Path(folder)
    with pytest.raises(UsageError, match="was not downloaded"):
        locate("nobody/nothing")
