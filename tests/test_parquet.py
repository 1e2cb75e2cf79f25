"""Numbers from Parquet files of strangers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hpvqa.parquet import read_numbers


def anything(name: str) -> bool:
    return True


def test_only_the_columns_that_are_wanted_are_read(tmp_path: Path) -> None:
    table = pa.table({"a.b": [1, 2], "words": ["x", "y"], "c": [0.5, None]})
    pq.write_table(table, tmp_path / "x.parquet")
    found = read_numbers(tmp_path / "x.parquet", lambda name: name != "words")
    assert found.to_pydict() == {"a.b": [1, 2], "c": [0.5, None]}


@pytest.mark.parametrize("rows", [1 << 20, 40 << 20])
def test_few_bytes_that_stand_for_many_numbers_are_not_read(rows: int, tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    zeros = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array([0.0]))
    pq.write_table(pa.table({"x": zeros}), path, store_schema=False)
    assert path.stat().st_size < 1 << 20
    assert rows << 3 >= 8 << 20
    with pytest.raises(ValueError, match="it holds more than 4 MiB"):
        read_numbers(path, anything, 4 << 20)


@pytest.mark.parametrize("values", [["x"], [[1.0]], [{"y": 1}], [b"x"]])
def test_what_is_no_number_is_refused(values: list[object], tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": values}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"its column x holds .*, no numbers"):
        read_numbers(tmp_path / "x.parquet", anything)


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"])
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="it has a column twice"):
        read_numbers(tmp_path / "x.parquet", anything)


def test_any_damaged_byte_is_a_value_error_or_other_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"x": np.arange(5.0)}), path)
    whole = path.read_bytes()
    refused = 0
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        try:
            read_numbers(path, anything)
        except ValueError:
            refused += 1
    assert refused > len(whole) // 4
