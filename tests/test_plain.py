"""JSON and YAML that anybody may have written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hpvqa.errors import printable
from hpvqa.plain import Model, parse_json, parse_yaml


class Number(Model):
    value: float


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 5000,
        "NaN",
        "[-Infinity]",
        "1e400",
        "1" * 400,
        '"\\ud800"',
        "{",
        b"\xff\xfe{}",
        b'"\xff"',
    ],
)
def test_json_that_cannot_be_used_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_json(text)


@pytest.mark.parametrize("text", ["[" * 5000, "a: [", "a: b: c", b"\xff", "!!python/object:os.system {}", "a: \x00"])
def test_yaml_that_cannot_be_used_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_yaml(text)


def test_models_take_finite_numbers_only() -> None:
    for text in ('{"value": NaN}', '{"value": 1e999}', '{"value": "inf"}'):
        with pytest.raises(ValidationError):
            Number.model_validate_json(text)


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(), st.lists, max_leaves=20))
def test_what_json_writes_is_read(data: object) -> None:
    try:
        text = json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    assert parse_json(text) == data


@given(st.text())
def test_what_is_printed_does_not_control_the_terminal(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert not any((ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) < 160 for c in shown)
    assert printable("a\tb\nç 左") == "a\tb\nç 左"
    assert printable("\x1b[2J\u202e") == "\\x1b[2J\\u202e"
