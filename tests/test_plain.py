"""JSON and YAML that anybody may have written."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, PydanticUserError, ValidationError

from hpvqa.errors import UsageError, printable
from hpvqa.plain import Model, parse_json, parse_yaml, validated
from hpvqa.recipe import Recipe


class Number(Model):
    value: float


def test_threads_that_need_a_model_for_the_first_time_at_once() -> None:
    threads = 8
    for _ in range(20):

        class Inner(Model):
            value: float

        class Outer(Model):
            inner: Inner
            also: Inner | None = None

        together = threading.Barrier(threads)

        def read(number: int, together: threading.Barrier = together, outer: type[Outer] = Outer) -> Outer:
            together.wait()
            return outer.model_validate({"inner": {"value": number}})

        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(read, range(threads)))
        assert [one.inner.value for one in found] == list(range(threads))


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


def test_yaml_may_be_nested_as_deep_as_anybody_needs() -> None:
    assert parse_yaml("[" * 90 + "]" * 90) == parse_json("[" * 90 + "]" * 90)
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_yaml("[" * 110 + "]" * 110)


def test_models_take_finite_numbers_only() -> None:
    for text in ('{"value": NaN}', '{"value": 1e999}', '{"value": "inf"}'):
        with pytest.raises(ValidationError):
            Number.model_validate_json(text)


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(), st.lists, max_leaves=20))
@pytest.mark.slow
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


class Inner(Model):
    depth: float = Field(default=1.0, gt=0, lt=2)
    sides: tuple[int, int] | None = None


class Outer(Model):
    count: int = Field(default=3, ge=1, le=9)
    kind: Literal["plain", "swap", "blank"] = "plain"
    on: bool = False
    words: str | tuple[str, ...] = Field(default="", max_length=3)
    inner: Inner = Inner()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"count": 0}, "The file is not valid: count must be at least 1, not 0"),
        ({"count": 10}, "The file is not valid: count must be at most 9, not 10"),
        ({"count": 1.5}, "The file is not valid: count must be a whole number, not 1.5"),
        ({"count": "many"}, "The file is not valid: count must be a whole number, not 'many'"),
        ({"kind": "odd"}, "The file is not valid: kind must be 'plain', 'swap' or 'blank', not 'odd'"),
        ({"on": 7}, "The file is not valid: on must be true or false, not 7"),
        ({"words": 7}, "The file is not valid: words must be text or a list, not 7"),
        ({"inner": {"depth": 2}}, "The file is not valid: inner.depth must be less than 2, not 2"),
        ({"inner": {"depth": float("nan")}}, "The file is not valid: inner.depth must be a finite number, not nan"),
        ({"inner": {"sides": [1]}}, "The file is not valid: inner.sides.1 is missing"),
        ({"inner": [1]}, "The file is not valid: inner must be a mapping of keys and values, not [1]"),
        (3, "The file is not valid: it must be a mapping of keys and values, not 3"),
        ({"cuont": 3}, "The file has an unknown key 'cuont'; did you mean 'count'?"),
        ({"depth": 3}, "The file has an unknown key 'depth'; did you mean inner.depth?"),
        ({"inner": {"count": 3}}, "The file has an unknown key 'count' in inner; did you mean count?"),
        ({"inner": {"dpeth": 3}}, "The file has an unknown key 'dpeth' in inner; did you mean 'depth'?"),
        ({"int": 3}, "The file has an unknown key 'int'; known are: count, inner, kind, on, words"),
        ({"[a]": 3}, "The file has an unknown key '[a]'; known are: count, inner, kind, on, words"),
        ({"inner": {"xyzzy": 3}}, "The file has an unknown key 'xyzzy' in inner; known are: depth, sides"),
    ],
)
def test_wrong_data_is_one_plain_sentence(data: object, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        validated(Outer, data, "The file")
    assert str(caught.value) == sentence


def test_an_error_names_the_option() -> None:
    names = {"count": "--count", "inner.sides": "--sides"}
    with pytest.raises(UsageError, match=r"^--count must be at least 1, not -1$"):
        validated(Outer, {"count": -1}, "The file", names)
    with pytest.raises(UsageError, match=r"^--sides must be a whole number, not 'x'$"):
        validated(Outer, {"inner": {"sides": [1, "x"]}}, "The file", names)
    with pytest.raises(UsageError, match=r"^The file is not valid: inner\.depth must be greater than 0, not -1$"):
        validated(Outer, {"inner": {"depth": -1}}, "The file", names)


@pytest.mark.parametrize(
    ("data", "meant"),
    [
        (
            {"randomization": {"light_mass": [1, 2]}},
            "did you mean tasks.push.ranges.light_mass or tasks.weigh.ranges.light_mass?",
        ),
        ({"restitution": [0, 1]}, "did you mean tasks.drop.ranges.restitution?"),
        ({"episodes": 3}, "did you mean tasks.push.episodes or tasks.drop.episodes, for instance?"),
        ({"tasks": {"push": {"light_mass": [1, 2]}}}, "did you mean tasks.push.ranges.light_mass?"),
        ({"tasks": {"push": {"seed": 3}}}, "did you mean seed?"),
        ({"randomization": {"light_zz": [1, 2]}}, "did you mean 'light_z'?"),
    ],
)
def test_an_unknown_key_of_a_recipe_is_answered_with_its_place(data: object, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        validated(Recipe, data, "The recipe")
    assert str(caught.value).endswith(meant)


class Later(Model):
    number: Unknown  # type: ignore[name-defined] # noqa: F821 - found nowhere but in a function below


def test_names_of_callers_are_no_names_of_a_model() -> None:
    """To look for them crashes CPython 3.13.0."""
    Unknown = int  # noqa: N806, F841 - what pydantic would find
    with pytest.raises(PydanticUserError, match="not fully defined"):
        Later(number=1)
