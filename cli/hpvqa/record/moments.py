"""The moments of an episode that a person would want to see, found from its events."""

from __future__ import annotations

from dataclasses import dataclass

from hpvqa.record.episode import EpisodeRecord
from hpvqa.scene.spec import SIDES, Side
from hpvqa.tasks.base import find_event
from hpvqa.tasks.outcome import Span


@dataclass(frozen=True)
class Moment:
    """A named point in time.

    Attributes:
        time: Since the start of the episode [s].
        label: What happens then.
    """

    time: float
    label: str


def key_moments(record: EpisodeRecord) -> list[Moment]:
    """Start, what happened to each object, and end, by time."""
    moments = [Moment(0.0, "start")]
    for side in record.spec.order:
        moments += _story(record, side)
    return [*moments, Moment(record.duration, "end")]


def outcome_moments(record: EpisodeRecord) -> list[Moment]:
    """Start, and the last that the events tell of each object, by time: what shows the answer, in three pictures."""
    told = key_moments(record)
    last = {side: moment for moment in told for side in record.spec.order if moment.label.startswith(f"{side} ")}
    return [told[0], *(last.values() if last else told[-1:])]


def spans(record: EpisodeRecord) -> dict[Side, Span]:
    """How far each object went; empty where nothing was measured."""
    measurement = record.outcome.measurement
    if measurement is None:
        return {}
    return {side: record.task.span(record.spec, record.events, measurement, side) for side in SIDES}


def _story(record: EpisodeRecord, side: Side) -> list[Moment]:
    found: list[Moment] = []
    for kind, label in record.task.story:
        event = find_event(record.events, kind, side, after=found[-1].time if found else 0.0)
        if event is not None:
            found.append(Moment(event.t, f"{side} {label}"))
    return found


def frame_at(record: EpisodeRecord, time: float) -> int:
    """Number of the video frame nearest to a time [s]."""
    if record.video is None:
        raise ValueError("the episode has no video")
    return min(max(round(time * record.video.fps), 0), record.video.frames - 1)
