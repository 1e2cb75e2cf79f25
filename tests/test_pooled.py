"""The pooled model class: pictures and videos in one prompt, generation with a cache, no code of a model's folder."""

from __future__ import annotations

import importlib.metadata
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoConfig, AutoProcessor

from hpvqa.vlm import pooled
from hpvqa.vlm.families import find_family
from hpvqa.vlm.pooled.configuration import PooledConfig
from hpvqa.vlm.processing import encode, load_processor
from tests.tiny_models import TinyModel, load_model, noise

SHOWN = "<|vision_start|><|{}_pad|><|vision_end|>"
TOKENS = 12
"""Of a picture of the tiny model: 6 x 6 patches, pooled by three."""


@pytest.fixture
def folder(tiny_model: TinyModel) -> Path:
    return tiny_model("pooled")


def prompt(processor: Any) -> dict[str, Any]:
    """Two prompts: a video of three frames between two pictures, and a video of one frame; padded on the left."""
    picture, video = SHOWN.format("image"), SHOWN.format("video")
    pictures = [Image.fromarray(noise(1, seed=seed).images[0]) for seed in (1, 2)]
    found = processor(
        text=[f"{picture}Before.{video}After.{picture}Which?", f"{video}Which?"],
        images=pictures,
        videos=[noise(3, seed=3).images, noise(1, seed=4).images],
        padding=True,
        padding_side="left",
        return_tensors="pt",
    )
    return dict(found)


def test_pictures_and_videos_of_any_length_go_into_one_prompt(folder: Path) -> None:
    processor, model = load_processor(str(folder)), load_model(folder).eval()
    inputs = prompt(processor)
    counts = [
        (row == token).sum().item()
        for row in inputs["input_ids"]
        for token in (processor.image_token_id, processor.video_token_id)
    ]
    assert counts == [2 * TOKENS, 3 * TOKENS, 0, TOKENS]
    with torch.inference_mode():
        logits = model(**inputs).logits[:, -1]
        alone = processor(text=SHOWN.format("video") + "Which?", videos=[noise(1, seed=4).images], return_tensors="pt")
        torch.testing.assert_close(model(**alone).logits[0, -1], logits[1], atol=1e-4, rtol=1e-4)
        # Each stands where its place is: the pictures exchanged are another prompt.
        other = {**inputs, "pixel_values": inputs["pixel_values"].flip(0)}
        assert (model(**other).logits[0, -1] - logits[0]).abs().max() > 1e-3


def test_generation_with_a_cache_says_what_it_says_without(folder: Path) -> None:
    model = load_model(folder).eval()
    inputs = prompt(load_processor(str(folder)))
    with torch.inference_mode():
        cached, plain = (
            model.generate(**inputs, max_new_tokens=8, do_sample=False, use_cache=way, output_logits=True,
                           return_dict_in_generate=True)
            for way in (True, False)
        )  # fmt: skip
    assert cached.sequences.tolist() == plain.sequences.tolist()
    torch.testing.assert_close(torch.stack(cached.logits), torch.stack(plain.logits), atol=1e-4, rtol=1e-4)


def test_videos_of_unequal_length_go_into_one_query(folder: Path) -> None:
    processor = load_processor(str(folder))
    videos = [noise(2, seed=5), noise(5, seed=6)]
    batch = encode(processor, find_family(str(folder)), [SHOWN.format("video") * 2 + "Which?"], [videos])
    assert batch["pixel_values_videos"].shape == (7, 3, 64, 64)
    seen = (batch["pixel_values_videos"].permute(0, 2, 3, 1).numpy() * 127.5 + 127.5).round()
    assert np.array_equal(seen, np.concatenate([video.images for video in videos]))


def test_pictures_and_their_places_must_match(folder: Path) -> None:
    model = load_model(folder)
    with pytest.raises(ValueError, match="1 pictures of 12 tokens each do not fit into 11 places"):
        model(input_ids=torch.full((1, TOKENS - 1), 416), pixel_values=torch.zeros(1, 3, 64, 64))
    with pytest.raises(ValueError, match="need input_ids"):
        model(inputs_embeds=torch.zeros(1, 3, 64), pixel_values=torch.zeros(1, 3, 64, 64))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pool": 2}, "rows of 27 visual tokens cannot be pooled by 2"),
        ({"pool": 0}, "rows of 27 visual tokens cannot be pooled by 0"),
        ({"vision_config": {"image_size": [64, 32], "patch_size": 10}}, "square pictures"),
    ],
)
def test_sizes_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PooledConfig(**changes)


def test_it_comes_from_this_package_whatever_a_folder_says(folder: Path, tmp_path: Path) -> None:
    pooled.register()
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    assert type(config) is PooledConfig
    assert "auto_map" not in json.loads((folder / "config.json").read_text())
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    assert type(processor).__module__ == "hpvqa.vlm.pooled.processing"
    model = load_model(folder)
    assert type(model).__module__ == "hpvqa.vlm.pooled.modeling"
    model.save_pretrained(tmp_path)
    again = load_model(tmp_path).state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in model.state_dict().items())


def test_vllm_finds_its_plug_in() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    [(name, value)] = project["entry-points"]["vllm.general_plugins"].items()
    entry = importlib.metadata.EntryPoint(name, value, "vllm.general_plugins")
    assert entry.load() is pooled.vllm_plugin
