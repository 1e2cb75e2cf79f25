"""From prompt texts and frames to the tensors that a model takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from hpvqa.errors import MissingDependencyError, UsageError
from hpvqa.install import pip_install
from hpvqa.vlm.families import Family, find_config
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.pooled import register
from hpvqa.vlm.prompt import CHOICES

PaddingSide = Literal["left", "right"]


def load_processor(model: str) -> Any:
    """The processor of a model; nothing is downloaded, and no code from the model's folder is run.

    Args:
        model: A folder, or the hub id of a downloaded model.

    Raises:
        UsageError: There is none; the message says how to get it.
        MissingDependencyError: transformers is not installed.
    """
    find_config(model)
    try:
        from transformers import AutoProcessor
    except ImportError:
        raise MissingDependencyError(f"Models need transformers; run: {pip_install('vlm')}") from None
    register()
    try:
        processor = AutoProcessor.from_pretrained(model, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        # transformers fails at each missing or damaged file in another way, and goes on with advice on hubs.
        reason = str(error).strip().partition("\n")[0].partition(". ")[0]
        raise UsageError(
            f"{model} has no usable processor, so it cannot be shown videos; copy the processor and tokenizer files of "
            f"the original model beside its weights ({reason})"
        ) from None
    if not hasattr(processor, "video_processor") or not hasattr(processor, "tokenizer"):
        raise UsageError(
            f"{model} has no video processor, so it cannot be shown videos; it must be copied from the original model"
        )
    check_words(model, processor.tokenizer)
    return processor


def check_words(model: str, tokenizer: Any) -> None:
    """Raise if a tokenizer knows no word: without its vocabulary, one is made all the same.

    Raises:
        UsageError: It knows none.
    """
    if any(tokenizer.decode(tokenizer(word)["input_ids"], skip_special_tokens=True) != word for word in CHOICES):
        raise UsageError(f"{model} has a tokenizer without words: its folder lacks tokenizer.json; download it again")


def check_frames(processor: Any, family: Family, frames: Frames) -> None:
    """Make sure that a model sees the frames as they are, and when they were.

    Raises:
        UsageError: The family cannot tell a model about uneven times, or would need frames of another size.
    """
    if not family.timestamps and frames.rate is None:
        raise UsageError(
            f"{family.title} does not receive the times of its frames, so unevenly spaced frames would mislead it; "
            "use the sampler uniform or dense"
        )
    height, width = frames.images.shape[1:3]
    if family.pixel_multiple is None:
        size = processor.video_processor.size
        if (width, height) != (size["width"], size["height"]):
            raise UsageError(
                f"{family.title} takes frames of {size['width']}x{size['height']}, not {width}x{height}; "
                "set that resolution"
            )
    elif width % family.pixel_multiple or height % family.pixel_multiple:
        raise UsageError(
            f"{family.title} takes frames whose width and height are multiples of {family.pixel_multiple}, "
            f"not {width}x{height}; set another resolution"
        )


def filled_up(family: Family, frames: Frames) -> Frames:
    """The same frames, the last one repeated as often as the family needs it."""
    missing = family.min_frames - len(frames.indices)
    if missing <= 0:
        return frames
    images = np.concatenate([frames.images, np.repeat(frames.images[-1:], missing, axis=0)])
    return Frames(images, frames.indices + frames.indices[-1:] * missing, frames.fps, frames.total)


def encode(
    processor: Any,
    family: Family,
    texts: Sequence[str],
    videos: Sequence[Sequence[Frames]],
    padding_side: PaddingSide = "left",
) -> dict[str, Any]:
    """The tensors of a batch.

    Frames are neither sampled nor resized again: a model sees what it is given.

    Args:
        processor: Processor of the model.
        family: Its family.
        texts: Prompts from :func:`hpvqa.vlm.chat.render`, with or without an answer behind them.
        videos: For each of them its videos.
        padding_side: left, so that all prompts end at the same place, to score or generate; right to train.

    Returns:
        What the model's ``forward`` takes, on the CPU.

    Raises:
        UsageError: See :func:`check_frames`.
    """
    for frames in (frames for group in videos for frames in group):
        check_frames(processor, family, frames)
    filled = [[filled_up(family, frames) for frames in group] for group in videos]
    shapes = {frames.images.shape for group in filled for frames in group}
    if not family.stacks_videos or len(shapes) <= 1:
        return _call(processor, family, texts, filled, padding_side)
    if any(len({frames.images.shape for frames in group}) > 1 for group in filled):
        raise UsageError(f"{family.title} takes several videos in one query only if they have equally many frames")
    if family.equal_lengths:
        raise UsageError(
            f"{family.title} takes only videos of equally many frames at once; set --batch-size 1, or choose --frames"
        )
    return _joined(processor, family, texts, filled, padding_side)


def placed(tensors: Mapping[str, Any], device: Any, dtype: Any) -> dict[str, Any]:
    """What :func:`encode` returns, where a model is, and with pictures in its number format.

    Args:
        tensors: By their names.
        device: The model's device, as torch calls it.
        dtype: Its number format. Times are numbers, too, but of few digits they would be others.
    """
    return {
        name: tensor.to(device, dtype) if name.startswith("pixel_values") else tensor.to(device)
        for name, tensor in tensors.items()
    }


def _call(
    processor: Any, family: Family, texts: Sequence[str], videos: Sequence[Sequence[Frames]], padding_side: PaddingSide
) -> dict[str, Any]:
    flat = [frames for group in videos for frames in group]
    batch = processor(
        text=list(texts),
        # A processor takes no empty list.
        videos=[frames.images for frames in flat] or None,
        return_tensors="pt",
        text_kwargs={"padding": True, "padding_side": padding_side},
        videos_kwargs={
            "video_metadata": [video_metadata(frames, family) for frames in flat],
            "do_sample_frames": False,
            "do_resize": False,
        },
    )
    return {name: batch[name] for name in batch if name != "video_metadata"}


def video_metadata(frames: Frames, family: Family) -> dict[str, Any]:
    """When the frames were seen, as processors want it.

    Where a prompt has no times, what counts at most is the rate of the frames, which processors work out as if the last
    frame ended its clip: so there the frames are all that the video has.
    """
    total, fps, indices = frames.total, frames.fps, list(frames.indices)
    if not family.timestamps:
        total, fps, indices = len(indices), frames.rate or fps, list(range(len(indices)))
    return {"total_num_frames": total, "fps": fps, "duration": total / fps, "frames_indices": indices}


def _joined(
    processor: Any, family: Family, texts: Sequence[str], videos: Sequence[Sequence[Frames]], padding_side: PaddingSide
) -> dict[str, Any]:
    """Where a processor stacks videos, and so takes only ones of equal length: prompts one by one, then joined."""
    import torch

    singles = [
        _call(processor, family, [text], [group], padding_side) for text, group in zip(texts, videos, strict=True)
    ]
    padded: Mapping[str, Any] = processor.tokenizer.pad(
        {name: [single[name][0].tolist() for single in singles] for name in ("input_ids", "attention_mask")},
        padding_side=padding_side,
        return_tensors="pt",
    )
    return {**padded, "pixel_values": torch.cat([single["pixel_values"] for single in singles])}
