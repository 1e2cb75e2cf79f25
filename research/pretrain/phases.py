"""When the robot does what. The plan says it, and the plan does not depend on the hidden property."""

from __future__ import annotations

from hpvqa.scene.spec import EpisodeSpec
from hpvqa.tasks import TASKS

Span = tuple[float, float]
"""Begin and end [s]."""


def phases(spec: EpisodeSpec, name: str) -> list[Span]:
    """When a phase of the plan begins and ends, for the object that the robot acts on first, and for the other.

    Args:
        spec: The episode.
        name: Name of the phase, such as ``lift``; a plan without it has none.
    """
    time = 0.0
    spans = []
    for waypoint in TASKS[spec.task].waypoints(spec):
        if waypoint.phase == name and waypoint.thing is not None:
            spans.append((time, time + waypoint.duration))
        time += waypoint.duration
    return spans
