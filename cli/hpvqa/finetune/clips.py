"""Clips of a data set as what is trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hpvqa.dataset.load import Dataset
from hpvqa.errors import UsageError
from hpvqa.finetune.card import card
from hpvqa.finetune.data import Examples
from hpvqa.finetune.prepared import Made, Prepared
from hpvqa.finetune.rows import TrainingRows, training_rows
from hpvqa.finetune.settings import FinetuneRecipe
from hpvqa.vlm.families import Family, find_family
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import PromptRecord, load_prompt
from hpvqa.vlm.seen import Shot, seen_in
from hpvqa.vlm.training_record import Start, TrainingRecord, views_of


@dataclass(frozen=True)
class Chosen:
    """Which rows of a data set are trained on, and how they are read.

    Attributes:
        task: The only task; None: all.
        cameras: The only cameras; none: all.
        read: Reads the frames of a clip.
    """

    task: str | None
    cameras: tuple[str, ...]
    read: Callable[[Clip, FrameSampling], Frames]


def prepare_clips(
    dataset: Dataset, model: str, recipe: FinetuneRecipe, chosen: Chosen, start: Start | None, versions: dict[str, str]
) -> Prepared:
    """Work out what of a data set a model is trained on.

    Args:
        dataset: The data set; only its training split is looked at.
        model: The model.
        recipe: How.
        chosen: Which rows.
        start: The adapter that is gone on from.
        versions: Of packages, for the record.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    if recipe.samples is not None:
        raise UsageError(
            f"The recipe is one for samples of scenes, and {dataset.root} is a data set; name one such as lora"
        )
    family, prompt, training = find_family(model), load_prompt(recipe.prompt), recipe.training
    frames = _frames(recipe, family)
    rows = training_rows(
        dataset, prompt, task=chosen.task, cameras=chosen.cameras, validation=training.validation, seed=training.seed
    )
    record = TrainingRecord(
        model=model,
        family=family.name,
        dataset=str(dataset.root),
        fingerprint=dataset.fingerprint,
        task=chosen.task,
        cameras=chosen.cameras,
        views=views_of((item.row.task, item.row.camera) for item in rows.train),
        clips=seen_in(
            Shot.of(item.row.task, (item.row.width, item.row.height), item.row.calibration) for item in rows.train
        ),
        prompt=PromptRecord.of(prompt),
        frames=frames,
        start=start,
        recipe=recipe.model_copy(update={"frames": frames}).model_dump(mode="json"),
        versions=versions,
    )
    train = Examples(rows.train, frames, chosen.read, mirror=training.mirror)
    held_out = Examples(rows.validation, frames, chosen.read)
    return Prepared(
        family=family,
        record=record,
        train=train,
        validation=held_out,
        rows=len(rows.train),
        clusters=_episodes(rows),
        unit="episodes",
        card=lambda made: _card(made, record, rows),
        chance=0.5,
        clips=train.clips + held_out.clips,
    )


def _frames(recipe: FinetuneRecipe, family: Family) -> FrameSampling:
    given = "resolution" in recipe.frames.model_fields_set
    frames = recipe.frames if given else recipe.frames.model_copy(update={"resolution": family.resolution})
    if frames.resolution is not None:
        family.check_size(*frames.resolution)
    return frames


def _episodes(rows: TrainingRows) -> tuple[int, int]:
    train, held_out = ({item.row.cluster for item in items} for items in (rows.train, rows.validation))
    return len(train), len(held_out)


def _card(made: Made, record: TrainingRecord, rows: TrainingRows) -> str:
    episodes, held_out = _episodes(rows)
    views = "; ".join(f"{task} by {', '.join(cameras)}" for task, cameras in record.views.items())
    flipped = ", and each once more, flipped" if made.recipe.training.mirror else ""
    prompt = record.prompt
    return card(
        made,
        record,
        pipeline="video-text-to-text",
        tags=("hpvqa", "lora", "video", "robotics"),
        summary="It answers which of two objects that a robot acts on is heavier, or more elastic, with one word: left "
        "or right.",
        about=[
            ("trained on", f"{views}; {len(rows.train)} rows of {episodes} episodes{flipped}"),
            ("data set", f"fingerprint `{record.fingerprint}`"),
            ("frames", _shown(record.frames, record.clips.sizes if record.clips else ())),
            ("prompt", f"{prompt.name} version {prompt.version}, `{prompt.sha256[:16]}`"),
        ],
        held_out=f"{held_out} training episodes that were held out",
        use="Evaluate it with the same frames and prompt, which `hpvqa eval` does by itself:\n"
        f"hpvqa eval --backend transformers --model {record.model} --adapter {made.out}",
    )


def _shown(frames: FrameSampling, sizes: Sequence[tuple[int, int]]) -> str:
    size = "as recorded" if frames.resolution is None else f"{frames.resolution[0]}×{frames.resolution[1]}"
    if sizes:
        fitted = "" if frames.suits(sizes) else ", padded" if frames.fit == "pad" else ", squeezed"
        size += f"{fitted}, of clips of {', '.join(f'{width}×{height}' for width, height in sizes)}"
    rate = f"{frames.fps:g} a second" if frames.count is None else f"{frames.count} of a clip"
    return f"{frames.sampler}, {rate}, {size}"
