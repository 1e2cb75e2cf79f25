"""The trajectory of an episode: one row a video frame, one scalar a column, SI units.

A row says where everything is, and what the robot is told to do from then on. Files of version 1, which name no version
in their metadata, do not have the latter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hpvqa.errors import RunError
from hpvqa.parquet import read_numbers
from hpvqa.sim.protocol import Command, State

_AXES = ("x", "y", "z")
_QUAT = ("qw", "qx", "qy", "qz")
TRAJECTORY_VERSION = 2
_VERSION_KEY = b"schema_version"
COMMAND = tuple(f"command_{part}" for part in (*_AXES, *_QUAT, "gripper"))
"""Columns of what is commanded: the pose of the pinch frame, and how far the gripper shall be closed."""


def column_names(things: Iterable[str]) -> list[str]:
    """Names of the columns, in order, in a world of things with these names."""
    return [*_state_names(things), *COMMAND]


def _state_names(things: Iterable[str]) -> list[str]:
    names = ["time", *(f"joint_{number}" for number in range(1, 8)), "gripper"]
    names += [f"ee_{part}" for part in (*_AXES, *_QUAT)]
    for thing in things:
        names += [f"{thing}_{part}" for part in (*_AXES, *_QUAT, *(f"v{axis}" for axis in _AXES))]
    return names


def row(state: State, command: Command) -> list[float]:
    """The values of one row: the state that a frame shows, and the command for the physics step after it."""
    values = [state.time, *state.joints, state.closed, *state.ee_position, *state.ee_quat_wxyz]
    for body in state.things.values():
        values += [*body.position, *body.quat_wxyz, *body.velocity]
    values += [*command.position, *command.quat_wxyz, command.closed]
    return [float(value) for value in values]


def write_trajectory(path: Path, rows: Sequence[Sequence[float]], things: Iterable[str]) -> None:
    """Write rows as a Parquet file, of a world of things with these names."""
    columns = np.asarray(rows, np.float64).T
    table = pa.table({name: pa.array(column) for name, column in zip(column_names(things), columns, strict=True)})
    table = table.replace_schema_metadata({_VERSION_KEY: str(TRAJECTORY_VERSION)})
    pq.write_table(table, path, compression="zstd")


def read_trajectory(path: Path, things: Iterable[str]) -> dict[str, NDArray[np.float64]]:
    """Columns by name, each of shape (rows,), of a world of things with these names.

    Those of :data:`COMMAND` are not among them if the file is of version 1.

    Raises:
        RunError: The file is missing or damaged, or of a newer version.
    """
    try:
        things = tuple(things)
        known = set(column_names(things))
        table = read_numbers(path, known.__contains__)
        version = int((table.schema.metadata or {}).get(_VERSION_KEY, b"1"))
        if version > TRAJECTORY_VERSION:
            raise RunError(f"The trajectory {path} is of version {version}, newer than this hpvqa; update hpvqa")
        names = column_names(things) if version > 1 else _state_names(things)
        missing = set(names) - set(table.column_names)
        if missing:
            raise RunError(f"The trajectory {path} is damaged: it has no column {min(missing)}")
        return {name: table[name].cast(pa.float64()).to_numpy() for name in names}
    except (OSError, ValueError) as error:
        raise RunError(f"The trajectory {path} cannot be read: {error}") from None
