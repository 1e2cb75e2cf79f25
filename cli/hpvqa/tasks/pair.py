"""Tasks of two things that look alike, one on each side of the robot: which of them has more of a hidden property?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from hpvqa.probes.events import Event, Pose
from hpvqa.scene.sampling import Drawn
from hpvqa.scene.spec import SIDES, Color, EpisodeSpec, Side, Thing, other_side
from hpvqa.tasks.base import Task
from hpvqa.tasks.outcome import Measurement

START_X = 0.4
START_Y = 0.2
"""The left thing starts at (START_X, START_Y) [m], the right one at (START_X, -START_Y)."""
GREY: Color = (0.5, 0.5, 0.5)
_STEPS = 201


class PairTask(Task):
    """Base of tasks of a left and a right thing."""

    @abstractmethod
    def build(self, name: str, hidden: float, x: float, y: float, color: Color, rng: np.random.Generator) -> Thing:
        """The thing with this hidden value, resting on the table.

        Args:
            name: What it is called.
            hidden: Value of the hidden property.
            x: Where it stands [m].
            y: The same.
            color: Its colour.
            rng: For other properties that are drawn too.
        """

    def things(self, drawn: Drawn) -> tuple[Thing, ...]:
        """The left thing, then the right one."""
        hidden = {drawn.larger: drawn.high, other_side(drawn.larger): drawn.low}
        return tuple(
            self.build(
                side, hidden[side], START_X + dx, (START_Y if side == "left" else -START_Y) + dy, color, drawn.rng
            )
            for side, (dx, dy), color in zip(SIDES, drawn.jitter, drawn.colors, strict=True)
        )

    def examples(self) -> tuple[Thing, ...]:
        """The left thing, then the right one, of one grey and one hidden value."""
        hidden, rng = sum(self.hidden_range) / 2, np.random.default_rng(0)
        return tuple(
            self.build(side, hidden, START_X, y, GREY, rng) for side, y in zip(SIDES, (START_Y, -START_Y), strict=True)
        )

    def order(self, drawn: Drawn) -> tuple[str, ...]:
        """Both, the one first that was drawn so."""
        return (drawn.first, other_side(drawn.first))

    def answer(self, spec: EpisodeSpec) -> Side:
        """The side of the thing with more of it."""
        return max(SIDES, key=lambda side: self.hidden_value(spec, side))

    def answer_from(self, measurement: Measurement) -> Side:
        """The side of which more was measured, or less where that falls with the hidden property."""
        return (max if self.rises else min)(SIDES, key=measurement.of)

    def gap(self, spec: EpisodeSpec) -> float:
        """How far apart both hidden values are."""
        return abs(self.hidden_value(spec, "left") - self.hidden_value(spec, "right"))

    def log_odds(
        self, spec: EpisodeSpec, events: Sequence[Event], times: Sequence[float], places: Mapping[str, Sequence[Pose]]
    ) -> float:
        """By Bayes' rule over all pairs of values that the task draws by default."""
        values = np.linspace(*self.hidden_range, _STEPS)
        left, right = (self.log_likelihood(spec, side, values, events, times, places[side]) for side in SIDES)
        both = np.add.outer(left, right)
        ranges = self.ranges()
        a, b = np.meshgrid(values, values, indexing="ij")
        more_left, more_right = ranges.possible(b, a), ranges.possible(a, b)
        return float(np.logaddexp.reduce(both[more_left]) - np.logaddexp.reduce(both[more_right]))
