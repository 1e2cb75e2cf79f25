"""Questions whose answer can be seen, and tells nothing of the hidden property; tasks and probes say what can be asked.

The common reason is the law of sampling: which side the robot acts on first is drawn, in blocks of four, apart from
which side holds the larger hidden value (:mod:`hpvqa.scene.sampling`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.events import Event, find_event
from hpvqa.scene.spec import SIDES, EpisodeSpec, Side, Vec3, other_side
from hpvqa.tasks import TASKS
from research.pretrain.phases import Span, phases

SEEN = 0.4
"""An act shows in a frame this long after it has begun [s]."""
COMPARED = {"x": ("further away", "nearer"), "y": ("further left", "further right"), "z": ("higher", "lower")}
"""What has more, and what has less, of a coordinate."""


@dataclass(frozen=True)
class Seen:
    """Some frames of an episode, and what the simulator knows of them.

    Attributes:
        spec: The episode's plan.
        events: What happened in it.
        times: When each frame was seen [s], ascending.
        last: Where the things that answers are about were in the last of them [m].
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


def displayed(spec: EpisodeSpec) -> list[Span]:
    """When one object, and it alone, is away from where it stood, whatever its hidden property: as the plan has it.

    What is lifted or pressed comes back, or has fallen, so that the second one can be compared as well; what was moved
    along the table stays where the hidden property lets it.
    """
    probe = TASKS[spec.task].probe
    acts = 2 if probe.axis == "z" else 1
    return [span for name in probe.displays for span in phases(spec, name)[:acts]]


def _most(seen: Seen) -> Side | None:
    """Which has more of the coordinate in which the probe's outcome shows, while one alone is displayed."""
    if not any(begin <= seen.times[-1] < end for begin, end in displayed(seen.spec)):
        return None
    axis = "xyz".index(TASKS[seen.spec.task].probe.axis)
    return max(SIDES, key=lambda side: float(seen.last[side][axis]))


def _not(answer: Callable[[Seen], Side | None]) -> Callable[[Seen], Side | None]:
    def opposite(seen: Seen) -> Side | None:
        side = answer(seen)
        return None if side is None else other_side(side)

    return opposite


_ORDER = "Which object the robot acts on first is drawn apart from the hidden values."
_DISPLAYED = (
    "It is asked only at times of the plan at which the robot has moved one object, and the other is where it was or "
    "rests. The moved one is then the one with more, or less, of the coordinate whatever the hidden values, and which "
    "is moved when is drawn apart from them."
)


def _ask(act: str) -> str:
    return f"From the perspective of the robot arm facing forward, which {act}, the left one or the right one?"


@cache
def questions_of(task: str) -> tuple[Question, ...]:
    """The questions about a task, in pairs of opposites; a task of one thing has none, since nothing there compares."""
    things, probe = TASKS[task].examples(), TASKS[task].probe
    if {thing.name for thing in things} != set(SIDES):
        return ()
    noun = things[0].noun
    found = [
        Question(f"{task}-first", task, _ask(f"{noun} did the robot touch first"), _ORDER, _first),
        Question(f"{task}-last", task, _ask(f"{noun} did the robot touch last"), _ORDER, _not(_first)),
    ]
    if probe.displays:
        more, less = COMPARED[probe.axis]
        for word, answer in ((more, _most), (less, _not(_most))):
            name = f"{task}-{word.partition(' ')[0]}"
            found.append(Question(name, task, _ask(f"{noun} is {word} at the end"), _DISPLAYED, answer))
    return tuple(found)
