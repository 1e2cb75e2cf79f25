"""Tiny checkpoints: real architectures that load, run and can learn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from hpvqa.commands.tiny import command
from hpvqa.errors import RunError, UsageError
from hpvqa.vlm.families import find_family
from hpvqa.vlm.processing import load_processor
from hpvqa.vlm.tiny import KINDS, Kind, Words, build_tiny
from tests.needs import long_but
from tests.test_saving import no_file_longer_than
from tests.tiny_models import TinyModel, brightening, frames_of, load_model, logprobs_of, noise

pytestmark = pytest.mark.models

ARCHITECTURE = {
    "qwen3_5": "Qwen3_5ForConditionalGeneration",
    "qwen3_vl": "Qwen3VLForConditionalGeneration",
    "internvl": "InternVLForConditionalGeneration",
    "qwen2_5_vl": "Qwen2_5_VLForConditionalGeneration",
    "llava_onevision": "LlavaOnevisionForConditionalGeneration",
    "pooled": "PooledForConditionalGeneration",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_is_the_real_architecture_in_small(kind: Kind, tiny_model: TinyModel) -> None:
    model = load_model(tiny_model(kind))
    assert type(model).__name__ == ARCHITECTURE[kind]
    assert 200_000 < sum(parameter.numel() for parameter in model.parameters()) < 600_000
    assert ARCHITECTURE[kind] in find_family(str(tiny_model(kind))).architectures


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_about_a_video(kind: Kind, tiny_model: TinyModel) -> None:
    logprobs = logprobs_of(tiny_model(kind), [noise(4), noise(4, seed=1)])
    assert logprobs.shape == (2, 2)
    assert np.isfinite(logprobs).all()
    assert (np.exp(logprobs).sum(1) < 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_images_and_videos_are_normalised_alike(kind: Kind, tiny_model: TinyModel) -> None:
    processor = load_processor(str(tiny_model(kind)))
    image, video = processor.image_processor, processor.video_processor
    assert list(image.image_mean) == list(video.image_mean)
    assert list(image.image_std) == list(video.image_std)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("words", "lengths", "collide"), [("whole", 1, False), ("split", 4, False), ("collide", 2, True)]
)
def test_words_are_tokens_as_asked_for(
    kind: Kind, words: Words, lengths: int, collide: bool, tiny_model: TinyModel, tmp_path: Path
) -> None:
    if words == "collide" and kind == "qwen3_5":
        with pytest.raises(UsageError, match="cannot collide"):
            build_tiny(kind, tmp_path / "model", words=words)
        return
    tokenizer = load_processor(str(tiny_model(kind, words))).tokenizer
    for before in ("", "</think>\n\n"):
        start = len(tokenizer(before)["input_ids"])
        left, right = (tokenizer(before + word)["input_ids"][start:] for word in ("left", "right"))
        assert len(left) == lengths
        assert (left[0] == right[0]) is collide
        assert [tokenizer.decode(ids) for ids in (left, right)] == ["left", "right"]


@pytest.mark.parametrize("words", ["whole", "split", "collide"])
def test_any_text_survives_the_tokenizer(words: Words, tiny_model: TinyModel) -> None:
    tokenizer = load_processor(str(tiny_model("internvl", words))).tokenizer
    text = "<|im_start|>user\nWhich façade is 'heavier' — the left one?\t左<think>"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    import torch

    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.manual_seed(len(name) + seed * 7)
        state = torch.random.get_rng_state()
        build_tiny("internvl", tmp_path / name, seed=seed)
        assert torch.equal(state, torch.random.get_rng_state())
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_frames_may_have_another_size(tmp_path: Path) -> None:
    build_tiny("internvl", tmp_path / "model", side=96)
    assert find_family(str(tmp_path / "model")).resolution == (96, 96)
    assert np.isfinite(logprobs_of(tmp_path / "model", [noise(2, side=96)])).all()


@pytest.mark.parametrize("side", [0, 48, -32])
def test_a_size_that_does_not_fit_is_refused(tmp_path: Path, side: int) -> None:
    with pytest.raises(UsageError, match=f"multiple of 32 pixels wide and high, not {side}"):
        build_tiny("qwen3_vl", tmp_path / "model", side=side)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    for out in (tmp_path / "full", tmp_path / "full" / "mine.txt"):
        with pytest.raises(UsageError, match=r"exists already|is a file"):
            build_tiny("internvl", out)
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "mine.txt"]


@pytest.mark.parametrize("limit", [10_000, 300_000], ids=["tokenizer", "weights"])
def test_a_full_disk_leaves_nothing_behind(limit: int, tmp_path: Path) -> None:
    with (
        no_file_longer_than(limit),
        pytest.raises(RunError, match=r"model cannot be written: .*File too large"),
    ):
        build_tiny("internvl", tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("existing", [False, True])
def test_the_command_writes_a_whole_folder_and_says_so(tmp_path: Path, existing: bool) -> None:
    out = tmp_path / "models" / "tiny"
    if existing:
        out.mkdir(parents=True)
    result = CliRunner().invoke(command, ["internvl", str(out), "--seed", "3", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"folder": str(out), "kind": "internvl", "parameters": 278_400}
    assert result.stderr == ""
    assert [path.name for path in out.parent.iterdir()] == ["tiny"]
    assert {"config.json", "model.safetensors", "chat_template.jinja"} <= {path.name for path in out.iterdir()}


@pytest.mark.parametrize("kind", long_but(["qwen3_vl", "internvl", "pooled"]))
def test_after_a_short_training_it_sees_its_video(kind: Kind, tiny_model: TinyModel) -> None:
    rng = np.random.default_rng(99)
    clips, answers = zip(*(brightening(rng) for _ in range(24)), strict=True)
    folder = tiny_model(kind, trained=True)
    logprobs = logprobs_of(folder, clips)
    assert np.mean((logprobs[:, 0] > logprobs[:, 1]) == (np.array(answers) == "left")) > 0.95
    assert (np.exp(logprobs).sum(1) > 0.8).all()
    reversed_clips = [replace(clip, images=clip.images[::-1].copy()) for clip in clips]
    halved = [frames_of(clip.images[::2], clip.indices[::2]) for clip in clips]
    for changed in (reversed_clips, halved):
        assert np.abs(logprobs_of(folder, changed) - logprobs).max(axis=1).min() > 0.01
