"""Scores of values, shifts, scenes and cards do not depend on the order of rows, on names, or on which run is first."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpvqa.evaluate.prediction import Estimate, Prediction
from hpvqa.evaluate.shifted import Shifted, compare_shifted
from hpvqa.evaluate.values import ValueCell, score_values
from hpvqa.explore.runs.record import Played
from hpvqa.explore.scores.compare import compare as compare_played
from hpvqa.explore.scores.measure import measure
from hpvqa.suite.card import Card, Score, mean
from hpvqa.suite.compare import compare as compare_cards
from tests.scored_rows import predictions
from tests.test_explore_scores import OPEN, SURE, scene, step
from tests.test_statistics_invariances import relabelled, renamed, shuffled
from tests.test_suite import card
from tests.test_value_scores import estimate

pytestmark = pytest.mark.slow

few = settings(max_examples=20)
chances = st.integers(0, 2**32 - 1).map(random.Random)
numbers = st.none() | st.floats(0.5, 50).map(lambda value: round(value, 2))
values = st.lists(
    st.tuples(numbers, st.integers(0, 5), st.sampled_from("abc"), st.sampled_from(("left", "right"))),
    min_size=1,
    max_size=14,
    unique_by=lambda drawn: drawn[1:],
)


def estimates(drawn: Sequence[tuple[float | None, int, str, str]]) -> list[Estimate]:
    return [
        estimate(1 + episode / 7, said, episode, camera, about=thing, file_name=f"{episode}{camera}{thing}")
        for said, episode, camera, thing in drawn
    ]


def of_values(rows: Sequence[Estimate]) -> dict[tuple[str, str], ValueCell]:
    return {(cell.by, cell.value): cell for cell in score_values(rows)}


@few
@given(values, chances)
def test_values(drawn: list[tuple[float | None, int, str, str]], chance: random.Random) -> None:
    rows = estimates(drawn)
    found = of_values(rows)
    assert of_values(shuffled(rows, chance)) == found
    others = [row.model_copy(update={"episode": 1000 - 7 * row.episode, "source": "other"}) for row in rows]
    assert of_values(others) == found


@st.composite
def shifts(draw: st.DrawFn) -> tuple[list[Prediction], list[Prediction]]:
    """Answers to usual episodes and to a shift, of which some are of the same episodes."""
    rows = draw(st.lists(predictions(), min_size=1, max_size=16, unique_by=lambda found: found.file_name))
    rows = [row.model_copy(update={"seed": 3}) for row in rows]
    apart = draw(st.booleans())
    shifted = [row.model_copy(update={"shift": "dark", "seed": 4 if apart else 3}) for row in rows]
    return rows, [row for row in shifted if draw(st.integers(0, 3))]


def of_shifts(usual: Sequence[Prediction], shifted: Sequence[Prediction]) -> dict[str, Shifted]:
    return {one.task: one for one in compare_shifted(usual, shifted)}


@few
@given(shifts(), chances)
def test_shifts(pair: tuple[list[Prediction], list[Prediction]], chance: random.Random) -> None:
    usual, shifted = pair
    found = of_shifts(usual, shifted)
    assert of_shifts(shuffled(usual, chance), shuffled(shifted, chance)) == found
    assert of_shifts(renamed(usual), renamed(shifted)) == found
    assert of_shifts(relabelled(usual), relabelled(shifted)) == found
    back = of_shifts(
        [row.model_copy(update={"shift": None}) for row in shifted],
        [row.model_copy(update={"shift": "dark"}) for row in usual],
    )
    for task, one in found.items():
        other = back[task]
        assert (other.difference, other.p) == (-one.difference, one.p)
        assert (other.interval.low, other.interval.high) == (-one.interval.high, -one.interval.low)


def played(letters: Sequence[str | None]) -> list[Played]:
    """A scene for each letter, of which the second decision is an answer."""
    found = []
    for index, letter in enumerate(letters):
        seconds = 0.1 * (index % 5)
        first = step(letter, SURE if index % 3 == 0 else OPEN, logprobs={"A": -0.3, "B": -0.7 * index})
        steps = [first] if first.answers else [first.model_copy(update={"robot_seconds": seconds}), step("A", SURE)]
        found.append(scene(index, *steps, answer="yes" if index % 2 else "no"))
    return found


def regrouped(rows: Sequence[Played]) -> list[Played]:
    """The same with other numbers of groups, in another order."""
    return [Played(one.ending.model_copy(update={"group": 1000 - 7 * one.ending.group}), one.steps) for one in rows]


letters = st.lists(st.sampled_from(["A", "B", "C", "D", None]), min_size=1, max_size=16)


@few
@given(letters, chances)
def test_scenes(drawn: list[str | None], chance: random.Random) -> None:
    rows = played(drawn)
    found = measure(rows, "active")
    assert measure(shuffled(rows, chance), "active") == found
    assert measure(regrouped(rows), "active") == found


@few
@given(letters, letters, chances)
def test_runs_of_scenes(first: list[str | None], second: list[str | None], chance: random.Random) -> None:
    a, b = played(first), played(second)
    found = compare_played({"a": a, "b": b})
    assert compare_played({"a": shuffled(a, chance), "b": shuffled(b, chance)}) == found
    for one, other in zip(found, compare_played({"b": b, "a": a}), strict=True):
        assert (other.difference, other.low, other.high) == (-one.difference, -one.high, -one.low)
        assert (other.p, other.adjusted, other.scenes) == (one.p, one.adjusted, one.scenes)


scored = st.builds(
    lambda correct, rows, wide: Score(
        share=min(correct, rows) / rows, low=0.0 if wide else None, high=1.0 if wide else None, rows=rows, episodes=rows
    ),
    st.integers(0, 40),
    st.integers(1, 40),
    st.booleans(),
)


@given(st.lists(scored, min_size=1, max_size=9), chances)
def test_the_mean_of_tasks(scores: list[Score], chance: random.Random) -> None:
    assert mean(shuffled(scores, chance)) == mean(scores)


def test_the_headline_does_not_depend_on_the_order_of_tasks() -> None:
    parts = [Score(share=share, rows=10, episodes=10) for share in (0.1, 0.2, 0.3)]
    assert mean(parts) == mean(parts[::-1]) == Score(share=0.6 / 3, rows=30, episodes=30)


answers = st.dictionaries(st.integers(0, 30).map(str), st.just(""), min_size=1, max_size=8)


@st.composite
def cards(draw: st.DrawFn) -> tuple[Card, Card]:
    """Two cards about the same rows."""
    counts = {name: draw(st.integers(1, 4)) for name in draw(answers)}
    marks = [{name: draw(st.text("01", min_size=n, max_size=n)) for name, n in counts.items()} for _ in "ab"]
    return card("a", marks[0]), card("b", marks[1])


def reordered(one: Card, chance: random.Random) -> Card:
    data: dict[str, Any] = one.model_dump()
    for section in data["sections"]:
        for entry in section["tasks"].values():
            entry["answers"] = dict(shuffled(list(entry["answers"].items()), chance))
    return Card.model_validate(data)


@few
@given(cards(), chances)
def test_cards(pair: tuple[Card, Card], chance: random.Random) -> None:
    a, b = pair
    found = compare_cards(a, b)
    assert compare_cards(reordered(a, chance), reordered(b, chance)) == found
    for one, other in zip(found.differences, compare_cards(b, a).differences, strict=True):
        assert (other.a, other.b, other.difference) == (one.b, one.a, -one.difference)
        assert (other.low, other.high, other.p) == (-one.high, -one.low, one.p)
