"""Moments of inertia of things: one formula for all simulators."""

from __future__ import annotations

from hpvqa.scene.spec import Thing, Vec3


def inertia(thing: Thing) -> Vec3:
    """Moments about a thing's own axes if its mass were spread evenly [kg m²] (any textbook of mechanics)."""
    x, y, z = thing.size
    if thing.shape == "sphere":
        moment = thing.mass * (x / 2) ** 2 * (2 / 5)
        return moment, moment, moment
    if thing.shape == "cylinder":
        across = thing.mass * (3 * (x / 2) ** 2 + z**2) / 12
        return across, across, thing.mass * (x / 2) ** 2 / 2
    if x == y == z:
        # As below, but to the last bit what it has always been.
        moment = thing.mass * (x / 2) ** 2 * (2 / 3)
        return moment, moment, moment
    mass = thing.mass / 12
    return mass * (y**2 + z**2), mass * (x**2 + z**2), mass * (x**2 + y**2)
