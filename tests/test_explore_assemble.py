"""A model of a real SigLIP and a real Qwen2.5, in small: what comes out computes what its parts compute."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from transformers import (
    Qwen2Config,
    Qwen2ForCausalLM,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
)

from hpvqa.commands.explore_assemble import command
from hpvqa.errors import HpvqaError, RunError, UsageError
from hpvqa.vlm.backends.transformers import TransformersAnswerer
from hpvqa.vlm.options import TransformersOptions
from hpvqa.vlm.pooled import assemble as module
from hpvqa.vlm.pooled.assemble import assemble, configuration, plan
from hpvqa.vlm.tiny.tokenizer import build_tokenizer
from tests.hub_server import Hub, Repo
from tests.test_hub import hub  # noqa: F401 - a fixture
from tests.tiny_models import load_model, make_query, noise

WIDTH = 32
LAYER = {"hidden_size": WIDTH, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2}


def save_vision(folder: Path, **changes: int) -> Path:
    vision = {**LAYER, "image_size": 64, "patch_size": 10, **changes}
    torch.manual_seed(1)
    SiglipModel(SiglipConfig(vision_config=vision, text_config={**LAYER, "vocab_size": 100})).save_pretrained(folder)
    SiglipImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


def save_language(folder: Path, *, tied: bool = True) -> Path:
    tokenizer = build_tokenizer("pooled")
    sizes = {**LAYER, "num_key_value_heads": 1, "vocab_size": 448, "rope_theta": 1e6, "tie_word_embeddings": tied}
    torch.manual_seed(2)
    Qwen2ForCausalLM(Qwen2Config(**sizes, eos_token_id=tokenizer.eos_token_id)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("parts")
    return save_vision(folder / "siglip"), save_language(folder / "qwen")


def put_together(parts: tuple[Path, Path], out: Path, seed: int = 0) -> Path:
    assemble(*parts, out, seed=seed, dtype="float32")
    return out


def test_the_real_one_has_three_and_a_half_billion_parameters_and_shows_a_picture_in_243_tokens() -> None:
    result = CliRunner().invoke(command, ["--dry-run", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "out": None,
        "dtype": "bfloat16",
        "parameters": {"vision_tower": 397_745_440, "projector": 6_557_696, "language_model": 3_085_938_688},
        "visual_tokens": 729,
        "tokens_per_image": 243,
        "resolution": [384, 384],
        "bytes": 6_980_483_648,
        "total": 3_490_241_824,
    }


@pytest.mark.parametrize("tied", [True, False])
def test_what_comes_out_computes_what_its_parts_compute(parts: tuple[Path, Path], tied: bool, tmp_path: Path) -> None:
    language = parts[1] if tied else save_language(tmp_path / "untied", tied=False)
    folder = put_together((parts[0], language), tmp_path / "model")
    model = load_model(folder).eval()
    pictures = torch.rand(2, 3, 64, 64) * 2 - 1
    ids = torch.arange(5, 25)[None]
    with torch.inference_mode():
        tower = SiglipModel.from_pretrained(parts[0]).vision_model
        seen = tower(pictures, output_hidden_states=True).hidden_states[-2]
        assert seen.shape == (2, 36, WIDTH)
        # Three side by side, row by row.
        largest = torch.stack([seen[:, 3 * place : 3 * place + 3].amax(1) for place in range(12)], 1)
        expected = model.model.multi_modal_projector(largest)
        torch.testing.assert_close(model.model.get_image_features(pictures), expected)
        spoken = Qwen2ForCausalLM.from_pretrained(language)(ids).logits
        torch.testing.assert_close(model(input_ids=ids).logits, spoken)
    assert (model.lm_head.weight is model.get_input_embeddings().weight) is tied


def test_it_is_a_model_like_any_other(parts: tuple[Path, Path], tmp_path: Path) -> None:
    folder = put_together(parts, tmp_path / "model")
    answerer = TransformersAnswerer(TransformersOptions(model=str(folder), device="cpu"))
    assert (answerer.family.name, answerer.family.resolution) == ("pooled", (64, 64))
    answerer.load([].append)
    (answer,) = answerer.answer([make_query(noise(2), noise(1))])
    assert answer.logprobs is not None
    assert np.isfinite(list(answer.logprobs.values())).all()


def test_only_the_projector_depends_on_the_seed(parts: tuple[Path, Path], tmp_path: Path) -> None:
    first, same, other = (
        load_file(put_together(parts, tmp_path / name, seed) / "model.safetensors")
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert all(torch.equal(first[name], same[name]) for name in first)
    differ = {name for name in first if not torch.equal(first[name], other[name])}
    assert differ == {name for name in first if "projector" in name}
    assert all(torch.isfinite(first[name]).all() for name in differ)


def test_weights_are_fetched_from_the_hub(
    parts: tuple[Path, Path],
    hub: Hub,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    for name, folder in zip(("google/siglip", "Qwen/qwen"), parts, strict=True):
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        hub.repos[f"models/{name}"] = Repo({**files, "pytorch_model.bin": b"not wanted"})
    args = ["--vision", "google/siglip", "--language", "Qwen/qwen", "--out", str(tmp_path / "model")]
    dry = CliRunner().invoke(command, [*args, "--dry-run"], catch_exceptions=False)
    assert "36 tokens, pooled to 12" in dry.stdout
    assert not [line for line in hub.asked if "safetensors" in line]
    done = CliRunner().invoke(command, [*args, "--dtype", "float32"], catch_exceptions=False)
    assert done.exit_code == 0
    assert not [line for line in hub.asked if line.endswith(".bin")]
    direct = put_together(parts, tmp_path / "direct")
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == (direct / "model.safetensors").read_bytes()
    hub.fail("siglip", 503, times=50)
    with pytest.raises(RunError, match=r"The Hub failed \(503\)"):
        CliRunner().invoke(command, ["--vision", "google/siglip-2", "--dry-run"], catch_exceptions=False)


def without_tensor(vision: Path, language: Path) -> None:
    tensors = load_file(vision / "model.safetensors")
    del tensors["vision_model.encoder.layers.0.mlp.fc1.weight"]
    save_file(tensors, vision / "model.safetensors")


def wider(vision: Path, language: Path) -> None:
    config = json.loads((language / "config.json").read_text())
    (language / "config.json").write_text(json.dumps({**config, "intermediate_size": 96}))


def other_rows(vision: Path, language: Path) -> None:
    config = json.loads((vision / "config.json").read_text())
    config["vision_config"]["patch_size"] = 16
    (vision / "config.json").write_text(json.dumps(config))


def cut_short(vision: Path, language: Path) -> None:
    weights = language / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def lacking(name: str, *, of_vision: bool) -> Callable[[Path, Path], None]:
    return lambda vision, language: ((vision if of_vision else language) / name).unlink()


def swapped(vision: Path, language: Path) -> None:
    shutil.copy(language / "config.json", vision / "config.json")


def foreign_tokenizer(vision: Path, language: Path) -> None:
    build_tokenizer("internvl").save_pretrained(language)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without_tensor, r"siglip lacks 1 weights, such as vision_model\.encoder\.layers\.0\.mlp\.fc1\.weight; downl"),
        (wider, r"qwen has 9 weights of other shapes than its config\.json says, .*\(\[32, 64\], not \[32, 96\]\); d"),
        (other_rows, "cannot be put together: .*rows of 4 visual tokens cannot be pooled by 3"),
        (cut_short, "is no safetensors file, or only part of one"),
        (lacking("model.safetensors", of_vision=True), "siglip holds no weights in the safetensors format"),
        (lacking("config.json", of_vision=True), r"siglip holds no model: it has no config\.json"),
        (lacking("preprocessor_config.json", of_vision=True), r"siglip has no usable preprocessor_config\.json"),
        (
            lacking("tokenizer.json", of_vision=False),
            r"qwen has a tokenizer without words: its folder lacks tokenizer\.json",
        ),
        (swapped, "siglip is not a SigLIP, but of the kind qwen2; name another model"),
        (foreign_tokenizer, "lacks <|image_pad|>, which stands for pictures; take a Qwen2.5".replace("|", r"\|")),
    ],
)
def test_parts_that_do_not_fit_are_told_in_a_sentence(
    damage: Callable[[Path, Path], None], message: str, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    vision, language = (Path(shutil.copytree(part, tmp_path / part.name)) for part in parts)
    damage(vision, language)
    with pytest.raises(UsageError, match=message) as caught:
        put_together((vision, language), tmp_path / "model")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model").exists()


def test_too_little_room_is_told_before_anything_is_read(
    parts: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    5 kB\n")
    monkeypatch.setattr(module, "MEMINFO", tmp_path / "meminfo")
    with pytest.raises(UsageError, match=r"takes 0\.0 GB of memory, and 0\.0 GB are free"):
        put_together(parts, tmp_path / "model")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda folder: SimpleNamespace(free=6e9))
    result = CliRunner().invoke(command, ["--out", str(tmp_path / "model")])
    assert isinstance(result.exception, HpvqaError)
    assert "needs 7.0 GB, and its disk has 6.0 GB free" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["meminfo"]


def test_a_plan_counts_what_is_written(parts: tuple[Path, Path], tmp_path: Path) -> None:
    planned = plan(configuration(*parts), "float32")
    tensors = load_file(put_together(parts, tmp_path / "model") / "model.safetensors")
    assert planned.total == sum(tensor.numel() for tensor in tensors.values())
