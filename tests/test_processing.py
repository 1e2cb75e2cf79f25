"""Frames as a model gets them: not sampled, not resized, with their times."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpvqa.errors import UsageError
from hpvqa.vlm.chat import render
from hpvqa.vlm.families import find_family, get_family
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.processing import PaddingSide, encode, filled_up, load_processor
from hpvqa.vlm.tiny.kinds import KINDS, Kind
from tests.engine_checks import FIXED, TIMED
from tests.needs import long_but
from tests.tiny_models import TinyModel, frames_of, load_model, make_query, noise


def encoded(
    folder: Path, videos: Sequence[Sequence[Frames]], padding_side: PaddingSide = "left"
) -> tuple[Any, dict[str, Any]]:
    processor, family = load_processor(str(folder)), find_family(str(folder))
    texts = [render(processor, make_query(*group), family) for group in videos]
    return processor, encode(processor, family, texts, videos, padding_side)


def text_of(processor: Any, batch: dict[str, Any], row: int = 0) -> str:
    return str(processor.tokenizer.decode(batch["input_ids"][row][batch["attention_mask"][row].bool()]))


def pixels(batch: dict[str, Any]) -> Any:
    return batch["pixel_values"] if "pixel_values" in batch else batch["pixel_values_videos"]


def scores(folder: Path, batch: dict[str, Any]) -> Any:
    import torch

    with torch.inference_mode():
        return load_model(folder).eval()(**batch).logits[:, -1].log_softmax(-1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_every_frame_is_seen_once(kind: Kind, count: int, tiny_model: TinyModel) -> None:
    folder = tiny_model(kind)
    processor, batch = encoded(folder, [[noise(count)]])
    text = text_of(processor, batch)
    if kind == "internvl":
        assert pixels(batch).shape == (count, 3, 64, 64)
        assert re.findall(r"Frame(\d+): ", text) == [str(number + 1) for number in range(count)]
    elif kind == "pooled":
        assert pixels(batch).shape == (count, 3, 64, 64)
        assert text.count("<|video_pad|>") == count * 12  # 6 x 6 patches, pooled by three
    elif kind == "llava_onevision":
        assert pixels(batch).shape == (1, count, 3, 64, 64)
        # Four tokens a frame, and one at the end.
        assert text.count("<video>") == 4 * count + 1
    else:
        assert batch["video_grid_thw"].tolist() == [[(count + 1) // 2, 4, 4]]
        assert text.count(" seconds>") == ((count + 1) // 2 if kind in TIMED else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_arrive_unchanged(kind: Kind, tiny_model: TinyModel) -> None:
    frames = frames_of(np.full((2, 64, 64, 3), (0, 51, 255), dtype=np.uint8))
    _, batch = encoded(tiny_model(kind), [[frames]])
    assert np.unique(pixels(batch).numpy().round(5)).tolist() == pytest.approx([-1, -0.6, 1], abs=1e-5)
    _, noisy = encoded(tiny_model(kind), [[noise(2)]])
    seen = np.sort((pixels(noisy).numpy().ravel() * 127.5 + 127.5).round().astype(np.uint8))
    assert np.array_equal(seen, np.sort(noise(2).images.ravel()))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in FIXED])
@pytest.mark.parametrize(("width", "height"), [(224, 224), (64, 64), (96, 32)])
def test_any_multiple_of_32_goes_through_without_resizing(
    kind: Kind, width: int, height: int, tiny_model: TinyModel
) -> None:
    frames = frames_of(np.zeros((70, height, width, 3), dtype=np.uint8))
    _, batch = encoded(tiny_model(kind), [[frames]])
    assert batch["video_grid_thw"].tolist() == [[35, height // 16, width // 16]]


@pytest.mark.parametrize(
    ("kind", "shape", "message"),
    [
        ("qwen3_vl", (60, 64), "Qwen3-VL takes frames whose width and height are multiples of 32, not 64x60"),
        ("qwen3_5", (64, 65), "Qwen3.5 takes frames whose width and height are multiples of 32, not 65x64"),
        ("internvl", (96, 64), "InternVL3.5 takes frames of 64x64, not 64x96"),
        ("pooled", (96, 64), "SigLIP-Qwen2.5 takes frames of 64x64, not 64x96"),
        ("llava_onevision", (32, 32), "LLaVA-OneVision takes frames of 64x64, not 32x32"),
    ],
)
def test_frames_of_another_size_are_refused(
    kind: Kind, shape: tuple[int, int], message: str, tiny_model: TinyModel
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        encoded(tiny_model(kind), [[frames_of(np.zeros((2, *shape, 3), dtype=np.uint8))]])


@pytest.mark.parametrize("kind", TIMED)
@pytest.mark.parametrize(
    ("indices", "times"),
    [((0, 15, 30, 45), (0.2, 1.2)), ((0, 3, 50, 61), (0.1, 1.9)), ((60,), (2.0,)), ((0, 30, 60), (0.5, 2.0))],
)
def test_the_prompt_tells_when_frames_were_seen(
    kind: Kind, indices: tuple[int, ...], times: tuple[float, ...], tiny_model: TinyModel
) -> None:
    frames = frames_of(noise(len(indices)).images, indices)
    processor, batch = encoded(tiny_model(kind), [[frames]])
    told = re.findall(r"<([\d.]+) seconds>", text_of(processor, batch))
    assert tuple(float(time) for time in told) == pytest.approx(times, abs=0.051)
    assert frames.indices == indices


@pytest.mark.parametrize(("step", "seconds"), [(15, 1.0), (3, 0.2)])
def test_positions_follow_the_rate_of_the_frames(step: int, seconds: float, tiny_model: TinyModel) -> None:
    """However few there are: the last one does not end its clip."""
    for count in (3, 8):
        shown = frames_of(noise(count).images, range(0, count * step, step))
        _, batch = encoded(tiny_model("qwen2_5_vl"), [[shown]])
        assert batch["second_per_grid_ts"].tolist() == pytest.approx([seconds])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in TIMED])
def test_uneven_frames_are_refused_where_a_prompt_tells_no_times(kind: Kind, tiny_model: TinyModel) -> None:
    folder = tiny_model(kind)
    with pytest.raises(UsageError, match="unevenly spaced frames would mislead it; use the sampler uniform or dense"):
        encoded(folder, [[noise(4)], [frames_of(noise(4).images, (0, 3, 50, 61))]])


def test_a_still_is_filled_up_with_itself_where_frames_come_in_pairs() -> None:
    still = frames_of(noise(1).images, (60,))
    filled = filled_up(get_family("qwen3.5"), still)
    assert filled.indices == (60, 60)
    assert np.array_equal(filled.images, np.concatenate([still.images] * 2))
    assert filled_up(get_family("internvl3.5"), still) is still


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "counts",
    long_but([((4,), (4,)), ((4,), (1,), (7,)), ((4, 4), (4,)), ((2, 2), (6,))], ((4,), (1,), (7,)), ((2, 2), (6,))),
    ids=lambda counts: str(counts),
)
def test_a_batch_says_what_its_queries_say_alone(
    kind: Kind, counts: tuple[tuple[int, ...], ...], tiny_model: TinyModel
) -> None:
    folder = tiny_model(kind)
    videos = [[noise(count, seed=row * 10 + i) for i, count in enumerate(group)] for row, group in enumerate(counts)]
    if kind == "llava_onevision" and len({count for group in counts for count in group}) > 1:
        with pytest.raises(UsageError, match="videos of equally many frames at once; set --batch-size 1"):
            encoded(folder, videos)
        return
    processor, batch = encoded(folder, videos)
    together = scores(folder, batch)
    for row, group in enumerate(videos):
        _, single = encoded(folder, [group])
        assert text_of(processor, batch, row) == text_of(processor, single)
        np.testing.assert_allclose(together[row], scores(folder, single)[0], atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_is_on_the_side_that_was_asked_for(kind: Kind, side: PaddingSide, tiny_model: TinyModel) -> None:
    _, batch = encoded(tiny_model(kind), [[noise(2)], [noise(2), noise(2)]], side)
    mask = batch["attention_mask"][0].tolist()
    assert 0 < sum(mask) < len(mask)
    assert mask == sorted(mask, reverse=side == "right")


@pytest.mark.parametrize("kind", [kind for kind in FIXED if kind != "pooled"])
def test_videos_of_unequal_length_in_one_query_are_refused_where_they_are_stacked(
    kind: Kind, tiny_model: TinyModel
) -> None:
    with pytest.raises(UsageError, match="several videos in one query only if they have equally many frames"):
        encoded(tiny_model(kind), [[noise(2), noise(4)]])


@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_not_touched(kind: Kind, tiny_model: TinyModel) -> None:
    frames = noise(3)
    before = replace(frames, images=frames.images.copy())
    encoded(tiny_model(kind), [[frames]])
    assert np.array_equal(frames.images, before.images)
    assert frames.indices == before.indices


def without(tiny: Path, folder: Path, *names: str) -> str:
    shutil.copytree(tiny, folder)
    for name in names:
        (folder / name).unlink()
    return str(folder)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("processor_config.json",), "so it cannot be shown videos"),
        (("tokenizer.json",), r"a tokenizer without words: its folder lacks tokenizer\.json|cannot be shown videos"),
        (("tokenizer.json", "tokenizer_config.json"), "a tokenizer without words|cannot be shown videos"),
    ],
)
def test_a_model_without_a_processor_is_a_clear_error(
    kind: Kind, names: tuple[str, ...], message: str, tiny_model: TinyModel, tmp_path: Path
) -> None:
    folder = without(tiny_model(kind), tmp_path / "model", *names)
    with pytest.raises(UsageError, match=message) as caught:
        load_processor(folder)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_model_has_no_processor(tiny_model: TinyModel, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no config\.json"):
        load_processor(without(tiny_model("qwen3_vl"), tmp_path / "model", "config.json"))
    with pytest.raises(UsageError, match="hf download nobody/has-this"):
        load_processor("nobody/has-this")


def test_code_of_a_model_is_not_run(tiny_model: TinyModel, tmp_path: Path) -> None:
    folder = Path(without(tiny_model("qwen3_vl"), tmp_path / "model"))
    config = (folder / "processor_config.json").read_text()
    (folder / "processor_config.json").write_text(
        config.replace("{", '{"auto_map": {"AutoProcessor": "evil.Evil"},', 1)
    )
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Evil: pass\n")
    load_processor(str(folder))
    assert not (tmp_path / "ran").exists()
