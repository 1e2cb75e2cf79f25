"""Finding events in the stream of states, at physics rate."""

from __future__ import annotations

import numpy as np

from hpvqa.probes.events import Event, EventKind
from hpvqa.scene.spec import Vec3, WorldSpec
from hpvqa.sim.protocol import Array, BodyState, State

REST_SPEED = 0.005
"""A thing slower than this [m/s] ..."""
REST_TIME = 0.1
"""... for this long [s] is at rest."""
HELD_SPEED = 0.01
"""One in the gripper, slower than this [m/s] ..."""
HELD_TIME = 0.3
"""... for this long [s] is held still: longer than a spring that overshoots takes to turn round."""
MIN_APEX = 0.0002
"""A rebound lower than this [m] is numerical noise, not an apex."""
MIN_LIFT = 0.005
"""A thing in the gripper and this far above the table [m] is held."""
RELEASE_TIME = 0.02
"""Contact with the gripper must be gone for this long [s] to count as released: fingers rattle as they open."""


class EventDetector:
    """Turns states, fed one by one, into events. One detector serves one episode."""

    def __init__(self, spec: WorldSpec, timestep: float) -> None:
        self._timestep = timestep
        self._trackers = {thing.name: _Tracker(thing.name, thing.half_height, timestep) for thing in spec.things}
        self._events: list[Event] = []

    def update(self, state: State) -> None:
        """Take in the state after one physics step."""
        for impact in state.impacts:
            self._events.append(
                Event(
                    kind="impact",
                    t=impact.time,
                    object=impact.thing,
                    other="table",
                    position=_point(impact.position),
                    speed_before=impact.speed_before,
                    speed_after=impact.speed_after,
                    t_resolution=impact.time_resolution,
                )
            )
            self._trackers[impact.thing].bounced = True
        for name, tracker in self._trackers.items():
            self._events += tracker.update(state.time, state.things[name])

    def events(self) -> tuple[Event, ...]:
        """Everything found so far, by time."""
        return tuple(sorted(self._events, key=lambda event: (event.t, event.object, event.kind)))


class _Tracker:
    """What is going on with one thing."""

    def __init__(self, name: str, half_height: float, timestep: float) -> None:
        self.bounced = False
        self._name = name
        self._half_height = half_height
        self._timestep = timestep
        self._before: BodyState | None = None
        self._touched = False
        self._held = False
        self._parting: tuple[float, BodyState] | None = None
        self._slow_since: float | None = None
        self._still_since: float | None = None
        self._resting = False

    def update(self, time: float, now: BodyState) -> list[Event]:
        before, self._before = self._before or now, now
        found = [self._touch(time, before, now), self._release(time, now), self._apex(time, before, now)]
        found += [self._hold(time, before, now), self._rest(time, now)]
        return [event for event in found if event is not None]

    def _touch(self, time: float, before: BodyState, now: BodyState) -> Event | None:
        if self._touched or not now.touching_gripper:
            return None
        self._touched = True
        return self._event("first_touch", time, now, "gripper", _speed(before), _speed(now))

    def _release(self, time: float, now: BodyState) -> Event | None:
        # Only a thing that was lifted can be released; one that was pushed just stays behind.
        if now.touching_gripper:
            self._held = self._held or now.position[2] - self._half_height > MIN_LIFT
            self._parting = None
            return None
        if not self._held:
            return None
        if self._parting is None:
            self._parting = (time, now)
        since, state = self._parting
        if time - since < RELEASE_TIME:
            return None
        self._held, self._parting = False, None
        return self._event("release", since, state, "gripper", _speed(state), _speed(state))

    def _apex(self, time: float, before: BodyState, now: BodyState) -> Event | None:
        up, down = before.velocity[2], now.velocity[2]
        if not self.bounced or not up > 0 >= down:
            return None
        # The velocity is linear in free flight: its zero, and the height there, follow from both ends of the step.
        share = up / (up - down)
        height = before.position[2] + 0.5 * up * share * self._timestep
        self.bounced = False
        if height - self._half_height < MIN_APEX:
            return None
        where = before.position + share * (now.position - before.position)
        where[2] = height
        sideways = float(np.linalg.norm(now.velocity[:2]))
        return Event(
            kind="apex",
            t=time - (1 - share) * self._timestep,
            object=self._name,
            position=_point(where),
            speed_before=sideways,
            speed_after=sideways,
            t_resolution=0.0,
        )

    def _rest(self, time: float, now: BodyState) -> Event | None:
        if _speed(now) > REST_SPEED or now.touching_gripper:
            self._slow_since, self._resting = None, False
            return None
        if self._slow_since is None:
            self._slow_since = time
        settled = time - self._slow_since >= REST_TIME and now.touching_table
        if self._resting or not self._touched or not settled:
            return None
        self._resting = True
        return self._event("rest", self._slow_since, now, "table", _speed(now), _speed(now))

    def _hold(self, time: float, before: BodyState, now: BodyState) -> Event | None:
        """That it is held still away from the table, or from where its spring has it, at the end of that."""
        away = abs(before.position[2] - self._half_height) > MIN_LIFT and not before.touching_table
        still = away and before.touching_gripper and _speed(before) <= HELD_SPEED
        if still and self._still_since is None:
            self._still_since = time
        if self._still_since is None or (still and _speed(now) <= HELD_SPEED and now.touching_gripper):
            return None
        since, self._still_since = self._still_since, None
        last = time - self._timestep
        if last - since < HELD_TIME:
            return None
        return self._event("held", last, before, "gripper", _speed(before), _speed(before))

    def _event(self, kind: EventKind, time: float, state: BodyState, other: str, before: float, after: float) -> Event:
        return Event(
            kind=kind,
            t=time,
            object=self._name,
            other=other,
            position=_point(state.position),
            speed_before=before,
            speed_after=after,
            t_resolution=self._timestep,
        )


def _speed(body: BodyState) -> float:
    return float(np.linalg.norm(body.velocity))


def _point(position: Array) -> Vec3:
    return (float(position[0]), float(position[1]), float(position[2]))
