"""How replies of models are read: strictly, in the three formats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.explore.agents.words import read_letter

LETTERS = "ABCDE"


@pytest.mark.parametrize(
    "reply",
    [
        "B",
        " b.\n",
        "(B)",
        "<answer>B</answer>",
        "<action>B</action>",
        "The board hides it. <answer> B </answer>",
        "<think>A or C? <answer>C</answer></think>\n<answer>\nB\n</answer>",
        "it may be A</think><action>(B)</action>",
        "<answer>B</answer> I repeat: <answer>b</answer>",
    ],
)
def test_a_reply_that_chooses_one_option_is_read(reply: str) -> None:
    assert read_letter(reply, LETTERS) == "B"


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I choose B",
        "A",
        "A or B",
        "<answer>A</answer><action>B</action>",
        "<answer>A/B</answer>",
        "<answer></answer> B",
        "<think>B",
        "<answer>B",
        "<answer>F</answer>",
        "F",
    ],
)
def test_all_else_is_no_choice(reply: str) -> None:
    assert read_letter(reply, "BCDE") is None


@given(st.text())
def test_whatever_is_said_only_what_is_offered_is_chosen(reply: str) -> None:
    assert read_letter(reply, LETTERS) in {None, *LETTERS}
