"""Prefixes of names in the embedded simulator's model."""

from __future__ import annotations

ROBOT = "robot/"
"""Of everything in the robot's model."""
THING = "things/"
"""Of a thing's body, joint and geom."""
