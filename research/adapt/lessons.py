"""What the adapter is taught: the task's own question about a clip, and beside it what the probe measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hpvqa.scene.spec import SIDES
from hpvqa.tasks import TASKS
from research.adapt.settings import AdaptSettings
from research.adapt.tokens import Tokens
from research.pretrain.network import Layout, Network
from research.pretrain.shots import even
from research.pretrain.store import Store


class Dense(nn.Module):  # type: ignore[misc] # torch is not typed
    """What is asked of the language model's state where the answer is expected; thrown away later.

    Args:
        width: Width of the language model.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.measured = nn.Linear(width, len(SIDES))

    def forward(self, state: Any) -> Any:
        """What is measured of both sides, shape (rows, 2), of states, shape (rows, width)."""
        return self.measured(state)


def layout_of(network: Network, store: Store) -> Layout:
    """The tokens of the task's question about a whole clip."""
    numbers = tuple(store.numbers[frame] for frame in even(range(len(store.numbers))))
    return network.layout(numbers, store.fps, store.total, store.side, (TASKS[store.task].question,))


def answers_of(tokens: Tokens) -> NDArray[np.int64]:
    """The answer of each clip as the number of a side; the other one where it is flipped."""
    task, records = TASKS[tokens.store.task], tokens.store.records
    sides = [SIDES.index(task.answer(records[view.episode].spec)) for view in tokens.views]
    return np.array([side ^ view.mirror for side, view in zip(sides, tokens.views, strict=True)], np.int64)


def measured_of(tokens: Tokens) -> NDArray[np.float32]:
    """What the probe should measure of both sides by its law, about from -1 to 1, shape (clips, 2).

    What is seen is what the probe measures, so it is easier to learn than the hidden value behind it. Of a single
    thing, one side has what the other one lacks.
    """
    store, task = tokens.store, TASKS[tokens.store.task]
    laws = [{thing.name: task.probe.law(thing) for thing in record.spec.things} for record in store.records]
    values = np.array([[law[side] for side in SIDES] if SIDES[0] in law else _signed(law) for law in laws])
    low, high = np.sort(task.probe.expected(task.examples()[0], task.hidden, np.array(task.hidden_range)))
    values = (2 * values - low - high) / (high - low)
    return np.array(
        [values[view.episode][::-1] if view.mirror else values[view.episode] for view in tokens.views], np.float32
    )


def _signed(law: dict[str, float]) -> list[float]:
    (value,) = law.values()
    return [value, -value]


class Lessons:
    """Batches of clips, and their loss.

    Args:
        network: The model, with an adapter on its language model.
        dense: What is asked beside the answer.
        tokens: The clips, of at least one store.
        settings: How.
    """

    def __init__(self, network: Network, dense: Dense, tokens: Sequence[Tokens], settings: AdaptSettings) -> None:
        self._network, self._dense, self._tokens, self._settings = network, dense, tokens, settings
        self._layouts = [layout_of(network, own.store) for own in tokens]
        self._answers = [answers_of(own) for own in tokens]
        self._measured = [measured_of(own) for own in tokens]
        self._ranks = [_ranks(own) for own in tokens]
        sizes = np.array([len(own.views) for own in tokens], float)
        self._shares = sizes / sizes.sum()

    def loss(self, rng: np.random.Generator, step: int) -> Any:
        """The loss of a batch, of one store.

        Args:
            rng: Where it is drawn from.
            step: Which step this is, counted from 1: at first, the largest differences alone are shown.
        """
        number = int(rng.choice(len(self._tokens), p=self._shares))
        settings = self._settings
        begun = step / max(settings.large_first * settings.training.steps, 1)
        let_in = np.flatnonzero(self._ranks[number] >= 0.5 * max(1 - begun, 0))
        rows = rng.choice(let_in, settings.training.batch_size).tolist()
        answers = torch.from_numpy(self._answers[number][rows])
        state, _ = self._network.states(
            self._tokens[number].of(rows), [self._layouts[number]] * len(rows), answers[:, None]
        )
        logits = self._network.model.lm_head(state[:, 0])
        correct = torch.tensor(self._network.choices)[answers]
        loss = nn.functional.cross_entropy(logits, correct)
        measured = torch.from_numpy(self._measured[number][rows])
        off = nn.functional.smooth_l1_loss(self._dense(state[:, 0]), measured, beta=0.1)
        return loss + settings.dense * off


def _ranks(tokens: Tokens) -> NDArray[np.float64]:
    """For each clip, which share of the episodes differ less than its own."""
    task, records = TASKS[tokens.store.task], tokens.store.records
    gaps = np.array([task.gap(record.spec) for record in records])
    share = (gaps[:, None] > gaps[None]).mean(1)
    return np.array([share[view.episode] for view in tokens.views])


def log_odds(network: Network, tokens: Tokens, batch: int = 16) -> NDArray[np.float64]:
    """How much sooner the model says left than right of each clip, as the robot sees it, shape (clips,)."""
    layout, left, right = layout_of(network, tokens.store), *network.choices
    found = []
    with torch.no_grad():
        for begin in range(0, len(tokens.views), batch):
            rows = range(begin, min(begin + batch, len(tokens.views)))
            logits, _ = network.ask(tokens.of(rows), [layout] * len(rows), torch.zeros(len(rows), 1, dtype=torch.long))
            found += (logits[:, 0, left] - logits[:, 0, right]).tolist()
    return np.array([-odds if view.mirror else odds for odds, view in zip(found, tokens.views, strict=True)])
