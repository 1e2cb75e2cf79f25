"""Lift a thing and drop it. How high it bounces shows how elastic it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from hpvqa.probes.base import Array, Probe
from hpvqa.probes.events import Event, EventKind, Pose, Span, find_event
from hpvqa.probes.traces import Path
from hpvqa.probes.waypoint import Waypoint
from hpvqa.scene.spec import GRAVITY, Thing, Vec3

LIFT = 0.3
"""Height of the drop [m], of the thing's lowest point above the table."""
CLEAR = 0.1
"""The gripper rises by this much after a release [m]: even a perfectly elastic sphere does not come back up to it."""
WATCH = 2.5
"""A script ends this long after its last release [s], bouncing or not."""
_HELD = 0.25
"""The thing is held still at the top for this long before its release [s]."""
_WATCHED = 2.0
"""It is worth watching for this long after its release [s]."""


class Drop(Probe):
    """The paper's dropping."""

    name: ClassVar[str] = "drop"
    title: ClassVar[str] = "Lift a thing and drop it"
    shapes: ClassVar[frozenset[str]] = frozenset({"sphere"})
    quantity: ClassVar[str] = "rebound_ratio"
    sharpness: ClassVar[float] = 0.001
    accuracy: ClassVar[float] = 0.02
    story: ClassVar[tuple[tuple[EventKind, str], ...]] = (
        ("release", "released"),
        ("impact", "hits the table"),
        ("apex", "at its highest"),
    )
    axis: ClassVar[Literal["x", "y", "z"]] = "z"
    axis_label: ClassVar[str] = "height of the centre z"
    displays: ClassVar[tuple[str, ...]] = ("settle",)
    hover: ClassVar[Vec3] = (0.40, 0.0, 0.30)
    closed: ClassVar[float] = 0.0

    def waypoints(self, thing: Thing, *, first: bool) -> tuple[Waypoint, ...]:
        """Grasp, lift, let go and get out of the way."""
        x, y, z = thing.position
        grasp, above, up, clear = ((x, y, z + height) for height in (0.0, 0.12, LIFT, LIFT + CLEAR))
        name = thing.name
        return (
            Waypoint("approach", above, 0.55 if first else 0.9, 0.0, thing=name),
            Waypoint("descend", grasp, 0.45, 0.0, thing=name),
            Waypoint("grasp", grasp, 0.35, 1.0, thing=name),
            Waypoint("lift", up, 0.8, 1.0, thing=name),
            Waypoint("settle", up, 0.2, 1.0, thing=name),
            Waypoint("release", up, 0.1, 0.0, thing=name),
            Waypoint("retreat", clear, 0.35, 0.0, thing=name),
        )

    def end(self, last: Waypoint) -> tuple[Waypoint, ...]:
        """Watch it bounce."""
        return (Waypoint("watch", last.position, WATCH - 0.45, 0.0),)

    def contact(self, events: Sequence[Event], name: str) -> float | None:
        """The first impact after it was let go."""
        _, impact, _ = _fall(events, name)
        return None if impact is None else impact.t

    def mishap(self, thing: Thing, events: Sequence[Event], final: Pose) -> str | None:
        """It was not dropped from the correct height, or did not stay on the table."""
        release, impact, _ = _fall(events, thing.name)
        if release is None or impact is None:
            return f"{thing.words} was not dropped"
        height = release.position[2] - thing.half_height
        if abs(height - LIFT) > 0.01:
            return f"{thing.words} was released at {height:.3f} m instead of {LIFT} m"
        if final.position[2] < thing.half_height - 0.005:
            return f"{thing.words} fell off the table"
        return None

    def measure(self, thing: Thing, events: Sequence[Event], final: Pose) -> float:
        """Height of the first rebound over height of the drop."""
        release, _, apex = _fall(events, thing.name)
        if release is None or apex is None:
            return 0.0
        return (apex.position[2] - thing.half_height) / (release.position[2] - thing.half_height)

    def span(self, thing: Thing, events: Sequence[Event], measured: float, duration: float) -> Span:
        """From where it would lie at rest up to the highest point of its first rebound."""
        _, impact, apex = _fall(events, thing.name)
        low = thing.half_height
        x, y, _ = thing.position
        if apex is None:
            t = 0.0 if impact is None else impact.t
            return Span(t, t, (x, y, low), (x, y, low))
        return Span(apex.t, apex.t, (*apex.position[:2], low), apex.position)

    def law(self, thing: Thing) -> float:
        """The ratio of heights is the square of the ratio of speeds (Newton's law of impact)."""
        return thing.restitution**2

    def seen(
        self, thing: Thing, events: Sequence[Event], times: Sequence[float], places: Sequence[Pose]
    ) -> float | None:
        """The most probable ratio, where it is seen after its first impact."""
        values = np.linspace(0.0, 1.0, 201)
        likelihood = self.log_likelihood(thing, "restitution", values, events, times, places)
        return float(values[likelihood.argmax()]) ** 2 if np.ptp(likelihood) > 0 else None

    def log_likelihood(
        self,
        thing: Thing,
        hidden: str,
        values: Array,
        events: Sequence[Event],
        times: Sequence[float],
        places: Sequence[Pose],
        *,
        blur: float = 0.0,
    ) -> Array:
        """How well restitutions agree with all that was seen after the first impact, shape (n,)."""
        impact = find_event(events, "impact", thing.name)
        if impact is None or hidden != "restitution":
            return np.zeros(len(values))
        seen = [
            (time - impact.t, place.position[2]) for time, place in zip(times, places, strict=True) if time > impact.t
        ]
        after, height = np.array(seen).reshape(-1, 2).T
        expected = bounces(values, impact.speed_before, after)
        off = (height - thing.half_height - expected) / self.sharpness
        return np.asarray(-0.5 * (off**2).sum(axis=1))

    def trace(self, thing: Thing, hidden: str) -> Path:
        """Fall and bounces after its release."""
        size, rest = thing.size, thing.half_height
        return Path(np.linspace(0, 1, 101), dropped, _HELD, _WATCHED, 0.0, LIFT, size, rest, rounded=True)


def _fall(events: Sequence[Event], name: str) -> tuple[Event | None, Event | None, Event | None]:
    """Release, first impact and the highest point after it, as far as they are there."""
    release = find_event(events, "release", name)
    impact = release and find_event(events, "impact", name, after=release.t)
    return release, impact, impact and find_event(events, "apex", name, after=impact.t)


def bounces(restitutions: Array, speed: float, since: Array) -> Array:
    """How high bouncing things are above the table, by Newton's law of impact and free flight, in closed form.

    Args:
        restitutions: Coefficients, shape (n,).
        speed: Speed at the first impact [m/s].
        since: Times since then, not negative, shape (m,) [s].

    Returns:
        Heights [m], shape (n, m).
    """
    e = np.clip(restitutions, 1e-6, 1 - 1e-6)[:, None]
    fall = speed / GRAVITY
    # Bounce n = 0, 1, ... lasts 2 e^(n+1) T, so it starts 2 e T (1 - e^n) / (1 - e) after the first impact.
    left = 1 - since * (1 - e) / (2 * e * fall)
    number = np.floor(np.log(np.maximum(left, 1e-12)) / np.log(e) + 1e-9)
    elapsed = since - 2 * e * fall * (1 - e**number) / (1 - e)
    up = GRAVITY * fall * e ** (number + 1)
    return np.asarray(np.maximum(np.where(left > 1e-9, up * elapsed - GRAVITY / 2 * elapsed**2, 0.0), 0.0))


def dropped(restitutions: Array, time: Array) -> Array:
    """Heights above the table [m], shape (n, m), of things that are let go at height ``LIFT``.

    Args:
        restitutions: Coefficients, shape (n,).
        time: Times since the release, shape (m,) [s].
    """
    fall = float(np.sqrt(2 * LIFT / GRAVITY))
    falling = np.maximum(LIFT - GRAVITY / 2 * np.maximum(time, 0) ** 2, 0)
    return np.where(time < fall, falling, bounces(restitutions, GRAVITY * fall, np.maximum(time - fall, 0)))
