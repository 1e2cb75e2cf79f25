"""States of worlds as rows of numbers, fetched from where they are computed a frame at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hpvqa.sim.protocol import Array, BodyState, State

if TYPE_CHECKING:
    from torch import Tensor

CONTACT_FORCE = 1e-3
"""Less than this between two bodies [N] is no contact."""
_ARM = 15
_BODY = 12
_VELOCITY, _IN_GRIPPER = slice(7, 10), 10
"""Of a body's columns."""


def states(rows: Array, time: float, things: Sequence[str]) -> list[State]:
    """States of all environments.

    Args:
        rows: What :meth:`WorldReader.rows` gave, shape (environments, 15 + 12 things).
        time: Since the start of the episodes [s].
        things: Names of the things.
    """
    return [_state(row, time, things) for row in rows]


def _state(row: Array, time: float, things: Sequence[str]) -> State:
    return State(
        time=time,
        joints=row[:7],
        closed=float(row[7]),
        ee_position=row[8:11],
        ee_quat_wxyz=row[11:15],
        things={name: _body(row[_ARM + number * _BODY :][:_BODY]) for number, name in enumerate(things)},
    )


def _body(row: Array) -> BodyState:
    return BodyState(
        position=row[0:3],
        quat_wxyz=row[3:7],
        velocity=row[_VELOCITY],
        touching_gripper=bool(row[_IN_GRIPPER]),
        touching_table=bool(row[11]),
    )


def as_moved(rows: Array, timestep: float) -> Array:
    """All rows but the first, where the velocity of what touches the gripper is how it moved in the step before.

    PhysX counts what it does to keep bodies in contact as velocity, though it leads nowhere: a thing that hangs still
    in the gripper is said to rise at 0.4 cm/s, and to shake the more, the more worlds there are (both measured).

    Args:
        rows: Of consecutive physics steps, shape (steps, environments, 15 + 12 things).
        timestep: Between them [s].
    """
    found = rows[1:].copy()
    for begin in range(_ARM, rows.shape[-1], _BODY):
        body, place = found[..., begin : begin + _BODY], rows[..., begin : begin + 3]
        moved = np.diff(place, axis=0) / timestep
        body[..., _VELOCITY] = np.where(body[..., _IN_GRIPPER, None] > 0, moved, body[..., _VELOCITY])
    return found


def fetched(rows: Tensor) -> Array:
    """Rows on the CPU, as double precision."""
    found: Array = rows.detach().to("cpu").numpy().astype(np.float64)
    return found
