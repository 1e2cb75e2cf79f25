"""The furniture of every episode: one geometry for all simulators, so that their pictures agree."""

from __future__ import annotations

from hpvqa.scene.spec import Vec3

TABLE_CENTER = (0.6, 0.0)
"""Middle of the table top, x and y [m]; the top is z = 0."""
TABLE_HALF: Vec3 = (0.5, 0.6, 0.01)
FLOOR_Z = -0.75
ROOM_HALF = 3.0
"""Inner half length and half width of the room [m]."""
WALL_TOP = 3.25
"""Height of walls and ceiling [m], above the highest camera of the shipped rigs."""
WALLS = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""On which side of the room each wall stands, in the order of a spec's colours."""
LEGS = tuple((TABLE_CENTER[0] + 0.44 * i, TABLE_CENTER[1] + 0.54 * j) for i in (-1, 1) for j in (-1, 1))
"""Middle of each leg of the table, x and y [m]."""
LEG_HALF = 0.03
STAND = (-0.02, 0.0)
"""Middle of the robot's stand, x and y [m]; it reaches from the floor to z = 0."""
STAND_HALF = 0.1
STEEL = (0.35, 0.35, 0.38)
"""Colour of legs and stand (sRGB)."""
ROBOT_PAINT = 0.8
"""How bright the robot's colours are painted (linear): as they are, its white would have no room for light."""
AIM: Vec3 = (0.5, 0.0, 0.0)
"""The middle of the work area, on which the lamp shines."""
