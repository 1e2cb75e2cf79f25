"""The trajectory of an episode: one row a video frame, one scalar a column, SI units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hpvqa.errors import RunError
from hpvqa.files import open_regular
from hpvqa.sim.protocol import State

_AXES = ("x", "y", "z")
_QUAT = ("qw", "qx", "qy", "qz")


def column_names(things: Iterable[str]) -> list[str]:
    """Names of the columns, in order, in a world of things with these names."""
    names = ["time", *(f"joint_{number}" for number in range(1, 8)), "gripper"]
    names += [f"ee_{part}" for part in (*_AXES, *_QUAT)]
    for thing in things:
        names += [f"{thing}_{part}" for part in (*_AXES, *_QUAT, *(f"v{axis}" for axis in _AXES))]
    return names


def row(state: State) -> list[float]:
    """The values of one row."""
    values = [state.time, *state.joints, state.closed, *state.ee_position, *state.ee_quat_wxyz]
    for body in state.things.values():
        values += [*body.position, *body.quat_wxyz, *body.velocity]
    return [float(value) for value in values]


def write_trajectory(path: Path, rows: Sequence[Sequence[float]], things: Iterable[str]) -> None:
    """Write rows as a Parquet file, of a world of things with these names."""
    columns = np.asarray(rows, np.float64).T
    table = pa.table({name: pa.array(column) for name, column in zip(column_names(things), columns, strict=True)})
    pq.write_table(table, path, compression="zstd")


def read_trajectory(path: Path, things: Iterable[str]) -> dict[str, NDArray[np.float64]]:
    """Columns by name, each of shape (rows,), of a world of things with these names.

    Raises:
        RunError: The file is missing or damaged.
    """
    try:
        with open_regular(path) as file:
            table = pq.read_table(file)
        names = column_names(things)
        missing = set(names) - set(table.column_names)
        if missing:
            raise RunError(f"The trajectory {path} is damaged: it has no column {min(missing)}")
        return {name: table[name].cast(pa.float64()).to_numpy() for name in names}
    # A ValueError: names of columns that are no text.
    except (OSError, ValueError, pa.ArrowException) as error:
        raise RunError(f"The trajectory {path} cannot be read: {error}") from None
