"""Simulated answers: episodes of some views that are correct with a known chance, more or less alike within."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Errs = Literal["independent", "alike", "by episode, by row", "both, by row"]
"""How the two runs of a pair err.

- independent: each by rows that have nothing to do with each other;
- alike: each by episodes of unlike difficulty, with a correlation of 0.3 within;
- by episode, by row: the first by whole episodes, the second by single rows;
- both, by row: the first half by whole episodes and half by single rows, the second by single rows.

Runs of the first two kinds are exchangeable, those of the last two are not.
"""

Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Setting:
    """What is simulated.

    Attributes:
        episodes: How many.
        views: Rows of each.
        p: Chance that a row is correct.
        correlation: Of two rows of an episode, from 0 (independent) to 1 (always alike).
    """

    episodes: int
    views: int
    p: float
    correlation: float

    @property
    def clusters(self) -> list[int]:
        """The episode of each row."""
        return [episode for episode in range(self.episodes) for _ in range(self.views)]


def rows(setting: Setting, rng: np.random.Generator) -> Truths:
    """Which rows are correct, by the beta-binomial law; shape (episodes, views)."""
    shape = (setting.episodes, setting.views)
    if setting.correlation == 1:
        return np.broadcast_to(rng.random((setting.episodes, 1)) < setting.p, shape)
    if setting.correlation == 0:
        return rng.random(shape) < setting.p
    spread = (1 - setting.correlation) / setting.correlation
    chances = rng.beta(setting.p * spread, (1 - setting.p) * spread, (setting.episodes, 1))
    return rng.random(shape) < chances


def pair(episodes: int, views: int, p: tuple[float, float], errs: Errs, rng: np.random.Generator) -> NDArray[np.int64]:
    """Changes from a run that is correct with the first chance to one with the second, each 1, 0 or -1; shape (n,)."""
    first, second = {
        "independent": (0.0, 0.0),
        "alike": (0.3, 0.3),
        "by episode, by row": (1.0, 0.0),
        "both, by row": (None, 0.0),
    }[errs]
    if first is None:
        part = p[0] ** 0.5
        one = rows(Setting(episodes, views, part, 1.0), rng) & rows(Setting(episodes, views, part, 0.0), rng)
    else:
        one = rows(Setting(episodes, views, p[0], first), rng)
    other = rows(Setting(episodes, views, p[1], second), rng)
    return (other.astype(np.int64) - one).ravel()


def values(setting: Setting, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The true value of each row, the same for all of an episode, and what was said of it; normal, shape (n,) each.

    Truth and answer have the correlation ``setting.p``, the errors of an episode that of ``setting.correlation``.
    """
    truth = np.repeat(rng.standard_normal(setting.episodes), setting.views)
    shared = np.repeat(rng.standard_normal(setting.episodes), setting.views)
    own = rng.standard_normal(setting.episodes * setting.views)
    error = setting.correlation**0.5 * shared + (1 - setting.correlation) ** 0.5 * own
    return truth, setting.p * truth + (1 - setting.p**2) ** 0.5 * error
