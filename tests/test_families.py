"""Model families: data that fits the real architectures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from hpvqa.errors import UsageError
from hpvqa.vlm import families as module
from hpvqa.vlm.families import Family, families, find_config, find_family, get_family, resolve_model
from hpvqa.vlm.tiny.kinds import KINDS, Kind
from tests.tiny_models import TinyModel, load_model

LINEAR = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def model_folder(folder: Path, **config: object) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)


def test_names_and_hub_ids_are_unique() -> None:
    assert [family.name for family in families()] == ["qwen3.5", "internvl3.5", "qwen3-vl", "cosmos-reason2", "pooled"]
    assert len({family.hub_id for family in families()}) == len(families())


def test_a_family_without_weights_on_the_hub_says_how_to_make_some() -> None:
    with pytest.raises(
        UsageError, match="hub has no weights of pooled; put them together with `hpvqa explore assemble`"
    ):
        find_config(resolve_model("pooled"))


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_a_family_is_found_by_name_hub_id_and_architecture(family: Family, tmp_path: Path) -> None:
    hub_id = family.hub_id or family.name
    assert get_family(family.name) is find_family(family.name) is find_family(hub_id) is family
    assert resolve_model(family.name) == hub_id
    folder = model_folder(tmp_path / "model", architectures=list(family.architectures))
    assert find_family(folder).architectures == family.architectures


def test_what_is_no_family_stays_what_it_is() -> None:
    assert resolve_model("models/mine") == "models/mine"


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no model family 'qwen3\.6'; did you mean 'qwen3\.5'\?"):
        get_family("qwen3.6")


def test_an_unknown_architecture_says_what_is_known(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, architectures=["LlamaForCausalLM"])
    with pytest.raises(UsageError, match=r"\(LlamaForCausalLM\); known are: Qwen3_5For.*families\.yaml"):
        find_family(folder)


@pytest.mark.parametrize("text", ["", "[]", '{"architectures": 3}', '{"architectures": [1]}', "\xff"])
def test_a_damaged_configuration_is_a_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"config\.json is no model configuration"):
        find_family(str(tmp_path))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nobody/has-this", "download it with `hf download nobody/has-this`"),
        ("models/a/b", "no model folder models/a/b; give a folder, a hub id, or the name of a model family: qwen3.5"),
        ("qwen", "no model folder qwen"),
        ("", "no model folder"),
    ],
)
def test_a_model_that_is_not_there_is_a_clear_error(
    model: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=re.escape(message)):
        find_config(model or "./nothing")


def test_a_folder_without_a_model_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no model: it has no config\.json"):
        find_family(str(tmp_path))


@pytest.mark.parametrize(("size", "resolution"), [([64, 96], (96, 64)), (32, (32, 32))])
def test_a_fixed_frame_size_is_the_models_own(tmp_path: Path, size: object, resolution: tuple[int, int]) -> None:
    config = {"architectures": ["InternVLForConditionalGeneration"], "vision_config": {"image_size": size}}
    assert find_family(model_folder(tmp_path, **config)).resolution == resolution


def entry(**changes: object) -> dict[str, Any]:
    first: dict[str, Any] = yaml.safe_load(module.FILE.read_text())[0]
    return first | changes


@pytest.mark.parametrize(
    "changes", [{"lora_targets": "("}, {"architectures": []}, {"dtype": "int4"}, {"colour": "red"}, {"min_frames": 0}]
)
def test_a_wrong_entry_is_refused(changes: dict[str, object]) -> None:
    Family.model_validate(entry())
    with pytest.raises(ValidationError):
        Family.model_validate(entry(**changes))


@pytest.mark.parametrize("kind", KINDS)
def test_lora_reaches_the_language_model_and_nothing_else(kind: Kind, tiny_model: TinyModel) -> None:
    folder = tiny_model(kind)
    family = find_family(str(folder))
    linear = [name for name, layer in load_model(folder).named_modules() if type(layer).__name__ == "Linear"]
    reached = [name for name in linear if re.fullmatch(family.lora_targets, name)]
    assert {name.rpartition(".")[2] for name in reached} == LINEAR
    assert all(name.startswith("model.language_model.layers.") for name in reached)
    missed = set(linear) - set(reached)
    assert not {name for name in missed if "language_model" in name and name.rpartition(".")[2] in LINEAR}
    extra = [name for name in linear if family.extra_lora_targets and re.fullmatch(family.extra_lora_targets, name)]
    assert {name.rpartition(".")[2] for name in extra} == (
        {"in_proj_qkv", "in_proj_z", "out_proj"} if kind == "qwen3_5" else set()
    )
    served = {name: family.serves(f"base_model.model.{name}.lora_A.weight") for name in linear}
    assert all(served[name] for name in (*reached, *extra))
    assert not any(served[name] for name in linear if "language_model" not in name)


def test_only_lora_tensors_are_served() -> None:
    family = get_family("qwen3-vl")
    layer = "base_model.model.model.language_model.layers.0.mlp.up_proj"
    assert family.serves(f"{layer}.lora_B.weight")
    assert not family.serves(f"{layer}.weight")
    assert not family.serves("base_model.model.model.visual.blocks.0.attn.qkv.lora_A.weight")
    assert not family.serves("base_model.model.lm_head.lora_A.weight")
