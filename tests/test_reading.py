"""Numbers are read strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.dataset.rows import significant, with_unit
from hpvqa.vlm.strict import UNITS, parse_value


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("3.2", "kg", 3.2),
        (" 3.2 kg.\n", "kg", 3.2),
        ("3.2kg", "kg", 3.2),
        ("3 Kilograms", "kg", 3.0),
        (".5", "", 0.5),
        ("0.5", "", 0.5),
        ("-2.5 cm", "cm", -2.5),
        ("−2.5 cm", "cm", -2.5),
        ("+2.5", "cm", 2.5),
        ("1250 N/m", "N/m", 1250.0),
        ("1250 newtons per metre.", "N/m", 1250.0),
        ("<think>It slides 5 cm.</think>3.2 kg", "kg", 3.2),
        ("4 furlongs", "furlongs", 4.0),
        ("", "kg", None),
        ("heavy", "kg", None),
        ("about 3 kg", "kg", None),
        ("3-4 kg", "kg", None),
        ("3,2 kg", "kg", None),
        ("1,250", "N/m", None),
        ("3200 g", "kg", None),
        ("3.2 kg and 4 kg", "kg", None),
        ("3.2 or so", "kg", None),
        ("3..2", "kg", None),
        ("1e3", "N/m", None),
        ("nan", "kg", None),
        ("inf", "kg", None),
        ("0.5 kg", "", None),
        ("½", "", None),
        ("٣", "kg", None),
        ("9" * 400, "kg", None),
        ("<think>3.2 kg", "kg", None),
        ("The left cube weighs 3.2 kg.", "kg", None),
    ],
)
def test_a_number_is_read_strictly(text: str, unit: str, value: float | None) -> None:
    assert parse_value(text, unit) == value


def test_a_number_that_was_cut_off_may_go_on() -> None:
    assert parse_value("12", "N/m") == 12
    assert parse_value("12", "N/m", cut=True) is None


@given(st.floats(1e-3, 1e6) | st.floats(-1e6, -1e-3), st.sampled_from(sorted(UNITS)))
def test_a_true_answer_is_read_back_to_three_digits(value: float, unit: str) -> None:
    read = parse_value(with_unit(value, unit), unit)
    assert read is not None
    assert abs(read - value) <= 0.0051 * abs(value)


@given(st.text(max_size=12), st.sampled_from(sorted(UNITS)))
def test_no_text_breaks_it(text: str, unit: str) -> None:
    value = parse_value(text, unit)
    assert value is None or any(sign.isdigit() for sign in text)


@pytest.mark.parametrize(
    ("value", "said"),
    [(3.214, "3.21"), (0.04567, "0.0457"), (1249.6, "1250"), (99.96, "100"), (0.9996, "1.00"), (0, "0")],
)
def test_three_digits_without_an_exponent(value: float, said: str) -> None:
    assert significant(value) == said
