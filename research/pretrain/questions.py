"""Questions whose answer can be seen, and tells nothing of the hidden property.

Each says why. The common reason is the law of sampling: which side the robot acts on first is drawn, in blocks of four,
apart from which side holds the larger hidden value (:mod:`hpvqa.scene.sampling`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.events import Event, find_event
from hpvqa.scene.spec import SIDES, EpisodeSpec, Side, Vec3, other_side
from research.pretrain.phases import phase

SETTLED = 0.8
"""A cube has gone far enough to tell it from the other one this long after it was touched [s]."""
SEEN = 0.4
"""An act shows in a frame this long after it has begun [s]."""
NEARLY_UP = 0.15
"""A sphere is all but up this long before its lift ends [s]."""


@dataclass(frozen=True)
class Seen:
    """Some frames of an episode, and what the simulator knows of them.

    Attributes:
        spec: The episode's plan.
        events: What happened in it.
        times: When each frame was seen [s], ascending.
        last: Where both objects were in the last of them [m].
    """

    spec: EpisodeSpec
    events: Sequence[Event]
    times: Sequence[float]
    last: Mapping[Side, Vec3 | NDArray[np.float32]]


@dataclass(frozen=True)
class Question:
    """A visible question.

    Attributes:
        name: What it is called.
        task: The task that it is about.
        text: Its words.
        independent: Why the answer tells nothing of the hidden property.
        answer: The answer; None where these frames do not show it.
    """

    name: str
    task: str
    text: str
    independent: str
    answer: Callable[[Seen], Side | None]


def _first(seen: Seen) -> Side | None:
    """Both places must be seen, and a moment at which the robot had acted on one object alone."""
    touches = {side: find_event(seen.events, "first_touch", side) for side in SIDES}
    left, right = touches["left"], touches["right"]
    if left is None or right is None or len(set(seen.times)) < 2:
        return None
    first: Side = "left" if left.t < right.t else "right"
    begin, end = sorted((left.t, right.t))
    return first if any(begin + SEEN <= time < end for time in seen.times) else None


def _further(seen: Seen) -> Side | None:
    """Only while one cube alone was pushed: later, how far each has gone is what the hidden property decides."""
    one, other = (find_event(seen.events, "first_touch", side) for side in seen.spec.order)
    if one is None or other is None or not one.t + SETTLED <= seen.times[-1] < other.t:
        return None
    return max(SIDES, key=lambda side: float(seen.last[side][0]))


def _higher(seen: Seen) -> Side | None:
    """Only while the robot holds a sphere up: how high one bounces is what the hidden property decides."""
    for number in (0, 1):
        _, up = phase(seen.spec, "lift", number)
        _, end = phase(seen.spec, "settle", number)
        if up - NEARLY_UP <= seen.times[-1] < end:
            return max(SIDES, key=lambda side: float(seen.last[side][2]))
    return None


def _not(answer: Callable[[Seen], Side | None]) -> Callable[[Seen], Side | None]:
    def opposite(seen: Seen) -> Side | None:
        side = answer(seen)
        return None if side is None else other_side(side)

    return opposite


_VIEW = "From the perspective of the robot arm facing forward,"
_ORDER = "Which object the robot acts on first is drawn apart from the hidden values."
_PUSHED = (
    "It is asked only while the robot has pushed one cube and not touched the other. The pushed one is then the "
    "further one whatever its mass, since the robot takes even the heaviest along, and which is pushed first is drawn "
    "apart from the masses."
)
_HELD = (
    "It is asked only while the robot holds one sphere up. That one is the higher one however well the other bounces, "
    "since none bounces higher than it was dropped, and which is held when is drawn apart from the restitutions."
)


def _ask(act: str) -> str:
    return f"{_VIEW} which {act}, the left one or the right one?"


QUESTIONS: tuple[Question, ...] = (
    Question("push-first", "push", _ask("cube did the robot push first"), _ORDER, _first),
    Question("push-last", "push", _ask("cube did the robot push last"), _ORDER, _not(_first)),
    Question("push-further", "push", _ask("cube is further away at the end"), _PUSHED, _further),
    Question("push-nearer", "push", _ask("cube is nearer at the end"), _PUSHED, _not(_further)),
    Question("drop-first", "drop", _ask("sphere did the robot lift first"), _ORDER, _first),
    Question("drop-last", "drop", _ask("sphere did the robot lift last"), _ORDER, _not(_first)),
    Question("drop-higher", "drop", _ask("sphere is higher at the end"), _HELD, _higher),
    Question("drop-lower", "drop", _ask("sphere is lower at the end"), _HELD, _not(_higher)),
)
"""In pairs of opposites: a model that says the same to both has not understood."""


def questions_of(task: str) -> tuple[Question, ...]:
    """The questions about a task."""
    return tuple(question for question in QUESTIONS if question.task == task)
