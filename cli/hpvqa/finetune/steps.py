"""Samples of scenes as what is trained on: steps with thoughts and decisions, captions, short questions."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from hpvqa.errors import UsageError
from hpvqa.explore.agents.query import as_video, make_query, picture_size
from hpvqa.explore.agents.words import letters_in, silent
from hpvqa.explore.samples.load import SampleFolder
from hpvqa.explore.samples.record import SAMPLE_VERSION, SUBSETS, Sample
from hpvqa.explore.scene import FAMILIES
from hpvqa.finetune.card import card
from hpvqa.finetune.examples import Example
from hpvqa.finetune.prepared import Made, Measure, Prepared
from hpvqa.finetune.settings import FinetuneRecipe, SampleSettings
from hpvqa.vlm.families import find_family
from hpvqa.vlm.training_record import SampleRecord, Start

_GROUP = tuple[str, int]
"""Family and number of a group of scenes."""
_NAMED = 3
"""Samples that a warning names."""


class Steps:
    """Samples with their pictures, read when they are asked for: a map-style data set.

    Args:
        folder: Where they are.
        samples: The samples.
        size: Width and height of the pictures that the model takes [pixels].
        thought: Whether a thought comes before each decision; else it is a letter alone.
    """

    def __init__(
        self, folder: SampleFolder, samples: Sequence[Sample], size: tuple[int, int], *, thought: bool
    ) -> None:
        self._folder, self._samples, self._size, self._thought = folder, samples, size, thought

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self._samples)

    def __getitem__(self, number: int) -> Example:
        """One sample, as an agent is asked.

        Raises:
            UsageError: One of its pictures is missing or damaged.
        """
        sample = self._samples[number]
        videos = [as_video(picture[np.newaxis], self._size) for picture in self._folder.pictures(sample)]
        quiet = sample.subset == "steps" and not self._thought
        text, reply = (silent(sample.text), sample.answer) if quiet else (sample.text, sample.said)
        return Example(make_query(sample.id, sample.system, text, letters_in(text), videos), reply)


def prepare_steps(
    folder: SampleFolder, model: str, recipe: FinetuneRecipe, start: Start | None, versions: dict[str, str]
) -> Prepared:
    """Work out what of a folder of samples a model is trained on: groups of scenes of its training split.

    Args:
        folder: The samples.
        model: The model.
        recipe: How.
        start: The adapter that is gone on from.
        versions: Of packages, for the record.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    wanted = recipe.samples
    if wanted is None:
        raise UsageError(
            f"The recipe is one for data sets, and {folder.root} holds samples of scenes; name one such as reason-lora"
        )
    family = find_family(model)
    samples, left_out = folder.load("train", wanted.subsets)
    if not samples:
        why = f" ({left_out[0]})" if left_out else ""
        raise UsageError(f"{folder.root} has no {' or '.join(wanted.subsets)} to train on{why}; build more samples")
    held_out = _held_out(samples, recipe.training.validation, recipe.training.seed)
    train = [sample for sample in samples if _group(sample) not in held_out]
    rest = [sample for sample in samples if _group(sample) in held_out]
    # A checkpoint is as good as its decisions are; without any, as its short answers are.
    judged = next(subset for subset in ("steps", "single", "captions") if any(one.subset == subset for one in rest))
    validation = [sample for sample in rest if sample.subset == judged]
    size = picture_size(family)
    record = SampleRecord(
        model=model,
        family=family.name,
        samples=str(folder.root),
        **_about(folder, train, wanted),
        left_out=tuple(left_out),
        resolution=size,
        start=start,
        recipe=recipe.model_dump(mode="json", exclude={"frames", "prompt"}),
        versions=versions,
    )
    return Prepared(
        family=family,
        record=record,
        train=Steps(folder, train, size, thought=wanted.thought),
        validation=Steps(folder, validation, size, thought=wanted.thought),
        rows=len(train),
        clusters=(len({_group(sample) for sample in train}), len(held_out)),
        unit="groups of scenes",
        card=lambda made: _card(made, record, len(held_out)),
        measure=_measure(judged, wanted),
        largest=max(range(len(train)), key=lambda number: _length(train[number])),
        warnings=_told(left_out),
    )


def _group(sample: Sample) -> _GROUP:
    return sample.family, sample.group


def _held_out(samples: Sequence[Sample], share: float, seed: int) -> set[_GROUP]:
    """Groups of scenes to choose checkpoints by: a share of each family's, one at least of all."""
    groups = sorted({_group(sample) for sample in samples})
    if len(groups) < 2:
        raise UsageError("All samples to train on are of one group of scenes, so that none is left to check with")
    found = set[_GROUP]()
    for number, family in enumerate(FAMILIES):
        of_family = [group for group in groups if group[0] == family]
        if len(of_family) > 1:
            found.update(_drawn(of_family, share, seed, number))
    return found or set(_drawn(groups, share, seed, len(FAMILIES)))


def _drawn(groups: Sequence[_GROUP], share: float, seed: int, number: int) -> list[_GROUP]:
    count = min(max(round(share * len(groups)), 1), len(groups) - 1)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number, len(groups))))
    return [groups[chosen] for chosen in rng.permutation(len(groups))[:count]]


def _measure(judged: str, wanted: SampleSettings) -> Measure:
    if judged == "captions":
        return "loss"
    if judged == "single":
        return "whole"
    if not wanted.thought:
        return "first"
    return "spoken" if wanted.spoken else "loss"


def _length(sample: Sample) -> tuple[int, int]:
    return len(sample.pictures), len(sample.text) + len(sample.said)


def _told(left_out: Sequence[str]) -> tuple[str, ...]:
    if not left_out:
        return ()
    more = "; the adapter's hpvqa.json names all" if len(left_out) > _NAMED else ""
    return (f"Left out {len(left_out)} samples that cannot be used: {'; '.join(left_out[:_NAMED])}{more}",)


def _about(folder: SampleFolder, train: Sequence[Sample], wanted: SampleSettings) -> dict[str, Any]:
    """What a record says of the samples that are trained on."""
    settings, counts = folder.settings, Counter(sample.subset for sample in train)
    digest = hashlib.sha256("\n".join(sample.model_dump_json() for sample in train).encode())
    types = sorted({(sample.family, sample.type) for sample in train})
    return {
        "fingerprint": digest.hexdigest(),
        "sample_version": SAMPLE_VERSION,
        "world_version": settings.world_version,
        "worlds_seed": settings.worlds_seed,
        "scenes": {family: tuple(name for one, name in types if one == family) for family, _ in types},
        "counts": {subset: counts[subset] for subset in SUBSETS if counts[subset]},
        "shown": settings.shown,
        "words": settings.words,
        "thought": wanted.thought if counts["steps"] else None,
        "max_new_tokens": wanted.max_new_tokens,
    }


def _card(made: Made, record: SampleRecord, held_out: int) -> str:
    counts = ", ".join(f"{count:,} {subset}" for subset, count in record.counts.items())
    scenes = "; ".join(f"{family}: {', '.join(types)}" for family, types in record.scenes.items())
    size = f"{record.resolution[0]}×{record.resolution[1]}" if record.shown == "pictures" else "told in words"
    facts = " --condition facts" if record.shown == "facts" else ""
    first = {True: "thinks first", False: "says a letter alone", None: "was taught no decisions"}[record.thought]
    return card(
        made,
        record,
        pipeline="image-text-to-text",
        tags=("hpvqa", "lora", "robotics", "active-perception"),
        summary="It looks at a table, chooses what a robot should do to see more, and answers once it has seen enough.",
        about=[
            ("trained on", f"{counts}; it {first}"),
            ("scenes", f"{scenes}; version {record.world_version}, seed {record.worlds_seed}"),
            ("samples", f"version {record.sample_version}, fingerprint `{record.fingerprint}`"),
            ("pictures", size),
        ],
        held_out=f"{held_out} groups of scenes that were held out",
        use="Let it play scenes that were drawn with another seed, as it was trained to:\n"
        f"hpvqa explore run --worlds worlds --model {record.model} --adapter {made.out}{facts}",
    )
