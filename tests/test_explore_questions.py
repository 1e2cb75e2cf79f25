"""Questions: their words, and their answers in worlds."""

from __future__ import annotations

import numpy as np
import pytest

from hpvqa.explore.questions import NOTHING, Group, Program, Term
from hpvqa.explore.words import Look
from tests.test_explore_belief import LOOKS, PROGRAMS, place

RED_CUBE, GREEN_CUBE, BLUE_SPHERE, EMPTY = 0, 1, 5, 6


def answer(form: str, *contents: int, items: list[tuple[Look, bool]] | None = None) -> str:
    places = [place(number + 1) for number in range(len(contents))]
    code = PROGRAMS[form].codes(items or [], places, np.array([contents]))[0]
    return "" if code == NOTHING else PROGRAMS[form].word(int(code))


def test_answers() -> None:
    assert answer("exist", RED_CUBE, EMPTY) == "yes"
    assert answer("exist", GREEN_CUBE, EMPTY) == "no"
    # The first place is on the left, the second on the right.
    assert answer("count", RED_CUBE, RED_CUBE) == "1"
    assert answer("compare", RED_CUBE, BLUE_SPHERE) == "equally many"
    assert answer("compare", RED_CUBE, EMPTY) == "more red things"
    assert answer("math_count", RED_CUBE, RED_CUBE + 3) == "1"
    assert answer("math_compare", BLUE_SPHERE, EMPTY) == "equally many"
    assert answer("query", GREEN_CUBE, BLUE_SPHERE) == "green"
    assert answer("query", GREEN_CUBE, RED_CUBE) == ""


def test_what_only_hides_does_not_count() -> None:
    hiders = [(Look(shape=shape, color="white"), True) for shape in ("board", "cover", "panel")]
    assert not any(Group().holds(look, left) for look, left in hiders)
    assert answer("exist", EMPTY, items=[(Look(shape="cube", color="red", size="large"), False)]) == "yes"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("query", "There is exactly one cube on the table. What colour is it?"),
        ("exist", "Is there a red cube on the table?"),
        ("count", "How many red things are there on the robot's left?"),
        ("compare", "Are there more red things or more blue things on the table, or equally many?"),
        ("math_count", "If all spheres were taken away, how many red things would there be on the table?"),
        (
            "math_compare",
            "If 1 more red thing were put there, would there be more red things or more blue things on the table, "
            "or equally many?",
        ),
    ],
)
def test_words(form: str, text: str) -> None:
    assert PROGRAMS[form].text() == text


def test_two_areas_are_told_apart() -> None:
    left, right = (Term(group=Group(area=area, color="red")) for area in ("left", "right"))
    program = Program(form="compare", terms=(left, right))
    assert "more red things on the robot's left or more red things on the robot's right, or" in program.text()
    assert program.word(2) == "more red things on the robot's left"


def test_what_two_things_have_in_common() -> None:
    cube, sphere = (Term(group=Group(shape=shape)) for shape in ("cube", "sphere"))
    program = Program(form="compare", attribute="color", terms=(cube, sphere))
    assert (
        program.text() == "There is exactly one cube and exactly one sphere on the table. Do they have the same colour?"
    )
    places, worlds = [place(1), place(2)], [(RED_CUBE, RED_CUBE + 3), (RED_CUBE, BLUE_SPHERE), (RED_CUBE, EMPTY)]
    codes = program.codes([], places, np.array(worlds)).tolist()
    assert [code if code == NOTHING else program.word(code) for code in codes] == ["yes", "no", NOTHING]
    # What the answer depends on: which colour, and of which of the two.
    found = {program.marks(look, True) for look in places[0].contents}
    assert len(found) == 7


def test_looks_are_all_different() -> None:
    assert len({look.words for look in LOOKS}) == len(LOOKS)
