"""Lift two spheres to the same height and drop them. How high they bounce shows their elasticity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from hpvqa.scene.randomization import Range
from hpvqa.scene.spec import SIDES, Color, EpisodeSpec, ObjectSpec, Side, Vec3
from hpvqa.tasks.base import Task, Waypoint, find_event
from hpvqa.tasks.outcome import Event, EventKind, Measurement, Span

RADIUS = 0.025
MASS = 0.1
FRICTION = 0.9
LIFT = 0.3
"""Height of the drop [m], of the sphere's lowest point above the table."""
CLEAR = 0.1
"""The gripper rises by this much after a release [m]: even a perfectly elastic sphere does not come back up to it."""
WATCH = 2.5
"""An episode ends this long after the second release [s], bouncing or not."""
HOVER: Vec3 = (0.40, 0.0, 0.30)
GRAVITY = 9.81
"""[m/s²]"""
_SLOWEST = 0.1
"""Slower bounces [m/s], of half a millimetre, are none."""
_MOST_BOUNCES = 200
SHARPNESS = 0.001
"""An observer of single moments knows a sphere's height to this much [m], as a standard deviation."""


class Drop(Task):
    """The paper's sphere dropping task."""

    name: ClassVar[str] = "drop"
    task_id: ClassVar[int] = 2
    title: ClassVar[str] = "Drop two spheres"
    hidden: ClassVar[Literal["mass", "restitution"]] = "restitution"
    hidden_range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = ""
    story: ClassVar[tuple[tuple[EventKind, str], ...]] = (
        ("release", "released"),
        ("impact", "hits the table"),
        ("apex", "at its highest"),
    )
    axis: ClassVar[Literal["x", "y", "z"]] = "z"
    axis_label: ClassVar[str] = "height of the centre z"
    question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, which sphere looks more elastic, the left or the right?"
    )
    default_fps: ClassVar[int] = 30

    restitution: Range = Field(default=(0.0, 1.0), description="Coefficient of restitution of both spheres.")
    restitution_gap: float = Field(default=0.2, ge=0, le=1, description="Least difference between both coefficients.")

    @model_validator(mode="after")
    def _room_for_the_gap(self) -> Drop:
        low, high = self.restitution
        if not 0 <= low <= high <= 1:
            raise ValueError(f"a coefficient of restitution lies between 0 and 1, the range {low} to {high} does not")
        if high - low < self.restitution_gap:
            raise ValueError(f"a gap of {self.restitution_gap} does not fit between {low} and {high}")
        return self

    def draw_hidden(self, rng: np.random.Generator) -> tuple[float, float]:
        """Uniform over all pairs whose difference is at least the gap."""
        # Taking the gap out leaves a plain triangle: sort two uniform values, then put the gap between them.
        low, high = self.restitution
        a, b = np.sort(rng.uniform(low, high - self.restitution_gap, 2))
        return float(a), float(b + self.restitution_gap)

    @classmethod
    def build_object(cls, hidden: float, x: float, y: float, color: Color) -> ObjectSpec:
        """A sphere of 5 cm diameter with the coefficient of restitution ``hidden``."""
        return ObjectSpec(
            shape="sphere",
            size=RADIUS,
            position=(x, y, RADIUS),
            mass=MASS,
            friction=FRICTION,
            restitution=hidden,
            color=color,
        )

    @classmethod
    def waypoints(cls, spec: EpisodeSpec) -> tuple[Waypoint, ...]:
        """Approach, grasp, lift and release, twice, then watch: eight seconds."""
        plan = [Waypoint("home", HOVER, 0.0, 0.0)]
        for number, side in enumerate(spec.order):
            x, y, z = spec.object(side).position
            grasp, above, up, clear = ((x, y, z + height) for height in (0.0, 0.12, LIFT, LIFT + CLEAR))
            plan += [
                Waypoint("approach", above, 0.55 if number == 0 else 0.9, 0.0, object=side),
                Waypoint("descend", grasp, 0.45, 0.0, object=side),
                Waypoint("grasp", grasp, 0.35, 1.0, object=side),
                Waypoint("lift", up, 0.8, 1.0, object=side),
                Waypoint("settle", up, 0.2, 1.0, object=side),
                Waypoint("release", up, 0.1, 0.0, object=side),
                Waypoint("retreat", clear, 0.35, 0.0, object=side),
            ]
        return (*plan, Waypoint("watch", clear, WATCH - 0.45, 0.0))

    @classmethod
    def measure(cls, spec: EpisodeSpec, events: Sequence[Event], final: Mapping[Side, Vec3]) -> Measurement:
        """Height of the first rebound over height of the drop, which is the square of the restitution."""
        left, right = (cls._rebound(spec, events, side) for side in SIDES)
        return Measurement(quantity="rebound_ratio", left=left, right=right)

    @classmethod
    def _rebound(cls, spec: EpisodeSpec, events: Sequence[Event], side: Side) -> float:
        radius = spec.object(side).size
        release, _, apex = cls._fall(events, side)
        if release is None or apex is None:
            return 0.0
        return (apex.position[2] - radius) / (release.position[2] - radius)

    @staticmethod
    def _fall(events: Sequence[Event], side: Side) -> tuple[Event | None, Event | None, Event | None]:
        """Release, first impact and the highest point after it, as far as they are there."""
        release = find_event(events, "release", side)
        impact = release and find_event(events, "impact", side, after=release.t)
        return release, impact, impact and find_event(events, "apex", side, after=impact.t)

    @classmethod
    def span(cls, spec: EpisodeSpec, events: Sequence[Event], measurement: Measurement, side: Side) -> Span:
        """From where the sphere would lie at rest up to the highest point of its first rebound."""
        _, impact, apex = cls._fall(events, side)
        x, y, radius = spec.object(side).position
        if apex is None:
            t = 0.0 if impact is None else impact.t
            return Span(t, t, (x, y, radius), (x, y, radius))
        return Span(apex.t, apex.t, (*apex.position[:2], radius), apex.position)

    @classmethod
    def answer_from(cls, measurement: Measurement) -> Side:
        """The more elastic sphere is the one that came up higher."""
        return max(SIDES, key=measurement.of)

    @classmethod
    def log_odds(
        cls, spec: EpisodeSpec, events: Sequence[Event], times: Sequence[float], places: Mapping[Side, Sequence[Vec3]]
    ) -> float:
        """By Bayes' rule over all pairs of restitutions that the task draws from by default."""
        steps = np.linspace(0.0, 1.0, 201)
        left, right = (cls._log_likelihood(spec, events, times, places[side], side, steps) for side in SIDES)
        both, apart = np.add.outer(left, right), np.subtract.outer(steps, steps)
        gap = cls.model_fields["restitution_gap"].default
        return float(np.logaddexp.reduce(both[apart >= gap]) - np.logaddexp.reduce(both[apart <= -gap]))

    @classmethod
    def _log_likelihood(
        cls,
        spec: EpisodeSpec,
        events: Sequence[Event],
        times: Sequence[float],
        places: Sequence[Vec3],
        side: Side,
        restitutions: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """How well each restitution agrees with what was seen after the first impact."""
        impact = find_event(events, "impact", side)
        if impact is None:
            return np.zeros(len(restitutions))
        seen = [(time - impact.t, place[2]) for time, place in zip(times, places, strict=True) if time > impact.t]
        after, height = np.array(seen).reshape(-1, 2).T
        expected = rebounds(impact.speed_before, restitutions, after)
        off = (height - spec.object(side).size - expected) / SHARPNESS
        return np.asarray(-0.5 * (off**2).sum(axis=1))

    @classmethod
    def mishap(cls, spec: EpisodeSpec, events: Sequence[Event], final: Mapping[Side, Vec3]) -> str | None:
        """A sphere that was not dropped from the right height, or did not stay on the table."""
        heights = []
        for side in SIDES:
            radius = spec.object(side).size
            release = find_event(events, "release", side)
            if release is None or find_event(events, "impact", side, after=release.t) is None:
                return f"the {side} sphere was not dropped"
            heights.append(release.position[2] - radius)
            if abs(heights[-1] - LIFT) > 0.01:
                return f"the {side} sphere was released at {heights[-1]:.3f} m instead of {LIFT} m"
            if final[side][2] < radius - 0.005:
                return f"the {side} sphere fell off the table"
        if abs(heights[0] - heights[1]) > 0.005:
            return "the spheres were not dropped from the same height"
        return None


def rebounds(speed: float, restitutions: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """How high bouncing spheres are above the table, by Newton's law of impact and free flight.

    Args:
        speed: Speed at the first impact [m/s].
        restitutions: Coefficients, shape (n,).
        after: Times since then [s], shape (m,).

    Returns:
        Heights [m], shape (n, m).
    """
    up = (restitutions * speed)[:, None] * np.ones_like(after)
    left = np.broadcast_to(after, up.shape).copy()
    for _ in range(_MOST_BOUNCES):
        flight = 2 * up / GRAVITY
        over = (left >= flight) & (up >= _SLOWEST)
        if not over.any():
            break
        left = np.where(over, left - flight, left)
        up = np.where(over, up * restitutions[:, None], up)
    height = up * left - 0.5 * GRAVITY * left**2
    return np.where(up >= _SLOWEST, np.maximum(height, 0.0), 0.0)
