"""Numbers from a Parquet file that others may have made, read with limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hpvqa.files import MOST, open_regular

_BYTES = 8
"""Most bytes of a number in memory."""


def read_numbers(path: Path, wanted: Callable[[str], bool], most: int = MOST) -> pa.Table:
    """Columns of numbers of a Parquet file.

    Few bytes of a file may stand for many values, so that what it says of itself is looked at first.

    Args:
        path: The file.
        wanted: Tells from a column's name whether to read it.
        most: Most bytes that the columns may take, in memory and before they are unpacked.

    Raises:
        OSError: It cannot be read.
        ValueError: It is damaged, or too large, or a column is there twice or holds no numbers.
    """
    with open_regular(path) as opened:
        try:
            with pq.ParquetFile(opened) as file:
                return _read(file, wanted, most)
        except (pa.ArrowException, OSError) as error:
            # What Arrow finds wrong inside of a column, it calls an error of the disk, without a number.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise ValueError(f"it is damaged: {error}") from None


def _read(file: pq.ParquetFile, wanted: Callable[[str], bool], most: int) -> pa.Table:
    schema, told = file.schema_arrow, file.metadata
    names = [name for name in schema.names if wanted(name)]
    if len(set(names)) < len(names):
        raise ValueError("it has a column twice")
    for name in names:
        kind = schema.field(name).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise ValueError(f"its column {name} holds {kind}, no numbers")
    places = [at for at in range(told.num_columns) if told.schema.column(at).path in names]
    groups = [told.row_group(number) for number in range(told.num_row_groups)]
    chunks = [group.column(at) for group in groups for at in places]
    # Damage may make a number negative.
    size = sum(max(chunk.num_values * _BYTES, chunk.total_uncompressed_size, 0) for chunk in chunks)
    rows = max(told.num_rows, sum(max(group.num_rows, 0) for group in groups))
    if max(size, rows * len(names) * _BYTES) > most:
        raise ValueError(f"it holds more than {most >> 20} MiB")
    return file.read(columns=names)
