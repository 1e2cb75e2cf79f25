"""Collisions with the table, located inside a physics step from the states at its ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hpvqa.scene.spec import GRAVITY, Thing
from hpvqa.sim.protocol import BodyState, Impact, State

MIN_SPEED = 0.1
"""Slower collisions [m/s] are a sphere coming to rest, not impacts."""


class ImpactFinder:
    """Adds impacts to the states of one episode, fed one by one.

    PhysX does not tell when inside of a step two bodies met. Before the step a sphere falls, after it no more: the
    moment and the speed of approach are those of the free fall at the table's height, the speed of separation is that
    of the rise, reckoned back to the moment.
    """

    def __init__(self, things: Sequence[Thing]) -> None:
        self._spheres = [thing for thing in things if thing.shape == "sphere"]
        self._falling: dict[str, tuple[float, BodyState]] = {}

    def update(self, state: State) -> State:
        """The same state, with the impacts of the step that led to it."""
        found = [self._impact(thing, state) for thing in self._spheres]
        return replace(state, impacts=tuple(impact for impact in found if impact is not None))

    def _impact(self, thing: Thing, state: State) -> Impact | None:
        name, radius = thing.name, thing.half_height
        now = state.things[name]
        before = self._falling.get(name)
        if now.velocity[2] < -MIN_SPEED and not now.touching_gripper:
            # A fall gets faster; where it does not, contact has begun, and the state before tells the approach.
            if before is None or now.velocity[2] < before[1].velocity[2]:
                self._falling[name] = (state.time, now)
            return None
        self._falling.pop(name, None)
        if before is None or now.touching_gripper:
            return None
        since, falling = before
        down = -float(falling.velocity[2])
        height = max(float(falling.position[2]) - radius, 0.0)
        approach = float(np.sqrt(down**2 + 2 * GRAVITY * height))
        moment = min(since + (approach - down) / GRAVITY, state.time)
        place = falling.position + (moment - since) * falling.velocity
        place[2] = radius
        rise = max(float(now.velocity[2]), 0.0) + GRAVITY * (state.time - moment)
        after = rise if now.velocity[2] > 0 else 0.0
        return Impact(moment, name, place, approach, after, state.time - since)
