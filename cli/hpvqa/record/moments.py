"""The moments of an episode that a person would want to see, found from its events."""

from __future__ import annotations

from dataclasses import dataclass

from hpvqa.probes.events import Span, find_event
from hpvqa.record.episode import EpisodeRecord


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
    """Start, what happened to each thing, and end, by time."""
    moments = [Moment(0.0, "start")]
    for name in record.spec.order:
        moments += _story(record, name)
    return [*moments, Moment(record.duration, "end")]


def outcome_moments(record: EpisodeRecord) -> list[Moment]:
    """Start, and the last that the events tell of each thing, by time: what shows the answer, in three pictures."""
    told = key_moments(record)
    last = {name: moment for moment in told for name in record.spec.order if moment.label.startswith(f"{name} ")}
    return [told[0], *(last.values() if last else told[-1:])]


def spans(record: EpisodeRecord) -> dict[str, Span]:
    """How far each thing went; empty where nothing was measured."""
    measurement = record.outcome.measurement
    if measurement is None:
        return {}
    return {name: record.task.span(record.spec, record.events, measurement, name) for name in record.spec.names}


def _story(record: EpisodeRecord, name: str) -> list[Moment]:
    found: list[Moment] = []
    for kind, label in record.task.probe.story:
        event = find_event(record.events, kind, name, after=found[-1].time if found else 0.0)
        if event is not None:
            found.append(Moment(event.t, f"{name} {label}"))
    return found


def frame_at(record: EpisodeRecord, time: float) -> int:
    """Number of the video frame nearest to a time [s]."""
    if record.video is None:
        raise ValueError("the episode has no video")
    return min(max(round(time * record.video.fps), 0), record.video.frames - 1)
