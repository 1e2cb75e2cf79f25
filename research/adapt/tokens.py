"""What a frozen vision tower makes of clips, worked out once and kept on disk: any number of trainings read it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from hpvqa.errors import RunError
from hpvqa.files import write_json
from hpvqa.progress.reporter import Reporter
from research.pretrain.network import Network
from research.pretrain.store import Store

KEPT_EVERY = 16
"""Clips between two notes of how far it is."""


class View(NamedTuple):
    """A clip as it is shown.

    Attributes:
        episode: Number of the episode in its store.
        camera: Number of the camera.
        mirror: Whether it is flipped from left to right.
    """

    episode: int
    camera: int
    mirror: bool


def drawn_views(store: Store, views: int, *, mirror: bool) -> list[View]:
    """Some clips of each episode, half of them flipped; the same for every training, so that they are kept once."""
    rng = np.random.default_rng(0)
    found = []
    for episode in range(len(store.records)):
        cameras = rng.permutation(len(store.cameras))[:views].tolist()
        found += [View(episode, camera, bool(mirror and rng.random() < 0.5)) for camera in cameras]
    return found


def all_views(store: Store) -> list[View]:
    """Every clip, plain and flipped."""
    return [
        View(episode, camera, mirror)
        for episode in range(len(store.records))
        for camera in range(len(store.cameras))
        for mirror in (False, True)
    ]


class Tokens:
    """Tokens of clips of one store.

    Args:
        network: The model.
        store: The episodes.
        views: The clips.
        folder: Where tokens are kept.
        reporter: Told of every clip.

    Raises:
        RunError: The disk does not take them.
    """

    def __init__(self, network: Network, store: Store, views: Sequence[View], folder: Path, reporter: Reporter) -> None:
        self.store, self.views = store, list(views)
        content = [weights_of(network), store.side, [record.checksum for record in store.records], self.views]
        name = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
        self._path = folder / f"tokens-{name}.npy"
        try:
            self._array = self._fill(network, reporter)
        except OSError as error:
            raise RunError(f"{self._path} cannot be written ({error.strerror or error}); make room there") from None

    def of(self, rows: Sequence[int]) -> Any:
        """Tokens of some of the clips, shape (rows, pairs, 1 + deep, tokens, width)."""
        return torch.from_numpy(self._array[list(rows)]).float()

    def _fill(self, network: Network, reporter: Reporter) -> Any:
        done_file = self._path.with_suffix(".json")
        done = json.loads(done_file.read_text()) if done_file.is_file() and self._path.is_file() else 0
        if done < len(self.views):
            array = self._opened(network, done)
            reporter.start("look", "clips", len(self.views), done)
            for number in range(done, len(self.views)):
                array[number] = _look(network, self.store, self.views[number])
                reporter.item(f"{self.store.task} {number}")
                if (number + 1) % KEPT_EVERY == 0 or number + 1 == len(self.views):
                    array.flush()
                    write_json(done_file, number + 1)
            reporter.done()
        return np.load(self._path, mmap_mode="r")

    def _opened(self, network: Network, done: int) -> Any:
        if done:
            return np.load(self._path, mmap_mode="r+")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        one = _look(network, self.store, self.views[0])
        return np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
            self._path, "w+", np.float16, (len(self.views), *one.shape)
        )


def weights_of(network: Network) -> str:
    """A digest of the vision tower's weights."""
    digest = hashlib.sha256()
    for name, value in network.model.model.visual.state_dict().items():
        digest.update(name.encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def _look(network: Network, store: Store, view: View) -> Any:
    """Tokens of a clip, shape (pairs, 1 + deep, tokens, width); the last frame is shown twice to make them even."""
    images = store.images(view.episode, view.camera)
    if len(images) % 2:
        images = np.concatenate([images, images[-1:]])
    if view.mirror:
        images = images[:, :, ::-1]
    pairs = np.array(images).reshape(-1, 2, *images.shape[1:])
    with torch.no_grad():
        return network.look(pairs).half().numpy()
