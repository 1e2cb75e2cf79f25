"""How a thing with a spring is built: a fixed base, and a plate that slides up and down above it."""

from __future__ import annotations

from hpvqa.scene.spec import Thing

PLATE = "/plate"
"""Ends the name of the moving part."""
BASE_HEIGHT = 0.035
PLATE_HEIGHT = 0.01
STEM_RADIUS = 0.008
"""[m]"""
PLATE_MASS = 0.1
"""[kg]; it is borne, so that it does not compress its spring."""
DAMPING = 10.0
"""[N s/m]"""


def travel(thing: Thing) -> float:
    """How far the plate can be pressed down [m]."""
    return thing.size[2] - BASE_HEIGHT - PLATE_HEIGHT
