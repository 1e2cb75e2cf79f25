"""Second stage: the language model learns to answer visible questions from what the vision tower sees."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hpvqa.scene.spec import SIDES, Side, other_side
from research.pretrain.network import Network
from research.pretrain.questions import questions_of
from research.pretrain.settings import StageSettings
from research.pretrain.shots import Director, Shot
from research.pretrain.store import Store

KEPT_BYTES = 1 << 30
"""So much of what the vision tower saw is kept in memory [bytes]; it does not change in this stage."""
UNSEEN = -1
"""Label of a question that a clip does not answer."""
END_WEIGHT = 0.1
"""Of the loss of the token behind the answer: that it ends there is learnt at once."""
_BLOCK = 64

Key = tuple[int, int, int, bool, int, int]
"""Store, episode, camera, mirrored, and both frames."""


class Sight:
    """What the vision tower makes of pairs of frames, kept until memory runs out.

    Args:
        network: The model.
        stores: The episodes.
        limit: Most bytes that are kept.
    """

    def __init__(self, network: Network, stores: Sequence[Store], limit: int = KEPT_BYTES) -> None:
        self._network, self._stores, self._limit = network, stores, limit
        self._kept: OrderedDict[Key, Any] = OrderedDict()
        self._bytes = 0

    def of(self, clips: Sequence[Sequence[Key]]) -> Any:
        """Tokens of clips of equally many pairs, shape (clips, pairs, 1 + deep, tokens, width)."""
        missing = list(dict.fromkeys(key for clip in clips for key in clip if key not in self._kept))
        for begin in range(0, len(missing), _BLOCK):
            self._add(missing[begin : begin + _BLOCK])
        found = torch.stack([torch.stack([self._kept[key] for key in clip]) for clip in clips]).float()
        while self._bytes > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.nbytes
        return found

    def _add(self, keys: Sequence[Key]) -> None:
        with torch.no_grad():
            seen = self._network.look(np.stack([self._pair(key) for key in keys])).half()
        for key, tokens in zip(keys, seen, strict=True):
            self._kept[key] = tokens.clone()
            self._bytes += tokens.nbytes

    def _pair(self, key: Key) -> NDArray[np.uint8]:
        store, episode, camera, mirror, first, second = key
        images = self._stores[store].images(episode, camera)[[first, second]]
        return np.ascontiguousarray(images[:, :, ::-1]) if mirror else images


class Language:
    """Batches of clips with their questions, and their loss.

    Args:
        network: The model, whose vision tower stays as it is.
        stores: The episodes; at least one store is of a task with visible questions.
        held_out: Share of the episodes that are not trained on.
        settings: How the stage is trained.
        side: Width and height of the frames [pixels].
    """

    def __init__(
        self, network: Network, stores: Sequence[Store], held_out: float, settings: StageSettings, side: int
    ) -> None:
        self._network, self._settings, self._side = network, settings, side
        self._stores = [
            (number, store, Director(store), store.split(held_out)[0])
            for number, store in enumerate(stores)
            if questions_of(store.task)
        ]
        sizes = np.array([len(episodes) for *_, episodes in self._stores], float)
        self._shares = sizes / sizes.sum()
        self._sight = Sight(network, stores)

    def loss(self, rng: np.random.Generator) -> Any:
        """The loss of a batch: one shot of many episodes of one store."""
        number, store, director, episodes = self._stores[rng.choice(len(self._stores), p=self._shares)]
        shot = director.draw(rng)
        clips, labels = [], []
        for episode in rng.choice(episodes, self._settings.batch_size):
            mirror = bool(rng.random() < 0.5)
            camera = int(rng.integers(len(store.cameras)))
            clips.append(keys_of(number, int(episode), camera, mirror, shot))
            labels.append(labels_of(store, int(episode), mirror, shot))
        layout = self._network.layout(
            tuple(store.numbers[frame] for frame in shot.frames),
            store.fps,
            store.total,
            self._side,
            tuple(question.text for question in shot.questions),
        )
        return self._loss(self._sight.of(clips), [layout] * len(clips), torch.tensor(labels))

    def _loss(self, seen: Any, layouts: Sequence[Any], labels: Any) -> Any:
        answers, ends = self._network.ask(seen, layouts, labels.clamp(min=0))
        shown = labels != UNSEEN
        right = torch.tensor(self._network.choices)[labels[shown]]
        end = torch.full_like(right, self._network.end)
        entropy = torch.nn.functional.cross_entropy
        # Without any question that a clip answers, the loss is nothing, and has a gradient of nothing.
        count = max(len(right), 1)
        return (
            entropy(answers[shown], right, reduction="sum") + END_WEIGHT * entropy(ends[shown], end, reduction="sum")
        ) / count


def keys_of(store: int, episode: int, camera: int, mirror: bool, shot: Shot) -> list[Key]:
    """The pairs of frames of a clip."""
    frames = shot.frames
    return [
        (store, episode, camera, mirror, first, second) for first, second in zip(frames[::2], frames[1::2], strict=True)
    ]


def labels_of(store: Store, episode: int, mirror: bool, shot: Shot) -> list[int]:
    """The answers as numbers of sides, with left and right exchanged in a mirrored clip; :data:`UNSEEN` without one."""
    seen = store.seen(episode, shot.frames)
    answers: list[Side | None] = [question.answer(seen) for question in shot.questions]
    return [UNSEEN if side is None else SIDES.index(other_side(side) if mirror else side) for side in answers]
