"""Training the adapter from beginning to end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from transformers import AutoModelForImageTextToText

from hpvqa.evaluate.statistics.interval import Interval, accuracy_interval
from hpvqa.files import write_json
from hpvqa.finetune.model import with_lora
from hpvqa.plain import Model
from hpvqa.progress.reporter import Reporter
from hpvqa.scene.spec import SIDES
from hpvqa.tasks import TASKS
from hpvqa.vlm.adapter import name_base
from hpvqa.vlm.checkpoint import check_checkpoint, locate
from hpvqa.vlm.checkpoint import fingerprint as model_fingerprint
from hpvqa.vlm.embedded import base_of
from hpvqa.vlm.families import find_family
from hpvqa.vlm.processing import load_processor
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.saving import check_new
from hpvqa.vlm.training_record import RECORD_FILE
from research.adapt.lessons import Dense, Lessons, log_odds
from research.adapt.settings import AdaptSettings
from research.adapt.tokens import Tokens, all_views, drawn_views
from research.pretrain.network import Network
from research.pretrain.record import fingerprint, record_of
from research.pretrain.run import PROMPT
from research.pretrain.store import Store, by_task, open_stores
from research.pretrain.training import Stage, train
from research.reels.plan import FRAMES

CHECKS_FILE = "checks.json"


class Check(Model):
    """How often a task's own question is answered correctly."""

    task: str
    rig: str
    single: float = Field(description="Share of single views.")
    both: float = Field(description="The same, of plain and flipped view averaged.")
    pooled: float = Field(description="Share of episodes, of all views, plain and flipped, averaged.")
    single_interval: Interval = Field(description="Its interval, by episode.")
    episodes: int
    views: dict[str, float] = Field(description="The share of single views of each camera.")

    def __str__(self) -> str:
        """In words."""
        low, high = self.single_interval.low, self.single_interval.high
        views = ", ".join(f"{name} {share:.2f}" for name, share in self.views.items())
        return (
            f"{self.task}, {self.rig}: one view {self.single:.3f} ({low:.3f} to {high:.3f}), with its flip "
            f"{self.both:.3f}, pooled {self.pooled:.3f} of {self.episodes}; {views}"
        )


def adapt(
    base: str,
    data: Sequence[Path],
    check: Sequence[Path],
    out: Path,
    work: Path,
    settings: AdaptSettings,
    reporter: Reporter,
) -> list[Check]:
    """Train an adapter, and check it on other episodes.

    Args:
        base: Folder or name of the base; of either embedded model, it is the one without an adapter.
        data: Folders of filmed episodes to train on.
        check: Folders of others, of another seed.
        out: Folder of the adapter, which must not exist.
        work: Folder of tokens and checkpoints; many trainings may share it.
        settings: How.
        reporter: Told of every step.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    check_new(out)
    base = base_of(base) or base
    folder = locate(base)
    check_checkpoint(folder)
    prompt, family = load_prompt(PROMPT), find_family(base)
    assert family.resolution is not None  # noqa: S101 - a base's configuration says it
    side = family.resolution[0]
    model = AutoModelForImageTextToText.from_pretrained(folder, local_files_only=True)
    network = Network(model, load_processor(str(folder)), family, prompt)
    stores, others = ([store for folder in folders for store in open_stores(folder, side)] for folders in (data, check))
    repeated = _episodes(stores) & _episodes(others)
    if repeated:
        reporter.warning(
            f"It is trained on {len(repeated)} of the {len(_episodes(others))} episodes that it is checked on, so it "
            "will seem better than it is; film others with another --seed"
        )
    kept = [
        Tokens(network, store, drawn_views(store, settings.views, mirror=settings.mirror), work, reporter)
        for store in stores
    ]
    asked = [Tokens(network, store, all_views(store), work, reporter) for store in others]
    wrapped, _ = with_lora(model, family, settings.lora, settings.seed, reporter.warning)
    dense = Dense(model.config.get_text_config().hidden_size)
    identity = json.dumps(
        [model_fingerprint(folder), prompt.sha256, fingerprint(stores), settings.model_dump(mode="json")]
    )
    train(
        Stage("adapt", settings.training, settings.seed, work / f"{out.name}.pt", identity),
        {"language": model.model.language_model, "dense": dense},
        Lessons(network, dense, kept, settings).loss,
        reporter,
    )
    checks = [
        entry
        for task, own in by_task(others)
        for rig in dict.fromkeys(store.records[0].spec.rig for store in own)
        for entry in [_check(network, task, rig, [tokens for tokens in asked if _is(tokens.store, task, rig)])]
    ]
    for entry in checks:
        reporter.note(str(entry))
    wrapped.save_pretrained(out)
    name_base(out, base)
    frames = FRAMES.model_copy(update={"resolution": (side, side)})
    write_json(
        out / RECORD_FILE,
        record_of(base, family.name, stores, frames, prompt, settings).model_dump(mode="json"),
    )
    write_json(out / CHECKS_FILE, [entry.model_dump(mode="json") for entry in checks])
    return checks


def _episodes(stores: Sequence[Store]) -> set[tuple[str, int, int]]:
    """Which episodes they hold, however filmed: task, seed and number."""
    return {(store.task, record.spec.seed, record.spec.index) for store in stores for record in store.records}


def _is(store: Store, task: str, rig: str) -> bool:
    return (store.task, store.records[0].spec.rig) == (task, rig)


def _check(network: Network, task: str, rig: str, asked: Sequence[Tokens]) -> Check:
    cameras = asked[0].store.cameras
    found = np.concatenate([log_odds(network, tokens).reshape(-1, len(cameras), 2) for tokens in asked])
    answers = [TASKS[task].answer(record.spec) for tokens in asked for record in tokens.store.records]
    left = np.array([answer == SIDES[0] for answer in answers])

    def correct(odds: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray((odds > 0) == left.reshape(-1, *[1] * (odds.ndim - 1)), np.bool_)

    plain = correct(found[:, :, 0])
    clusters = np.repeat(np.arange(len(plain)), len(cameras)).tolist()
    interval = accuracy_interval(plain.ravel().tolist(), clusters)
    assert interval is not None  # noqa: S101 - there are episodes
    return Check(
        task=task,
        rig=rig,
        single=float(plain.mean()),
        both=float(correct(found.mean(2)).mean()),
        pooled=float(correct(found.mean((1, 2))).mean()),
        single_interval=interval,
        episodes=len(plain),
        views=dict(zip(cameras, plain.mean(0).tolist(), strict=True)),
    )
