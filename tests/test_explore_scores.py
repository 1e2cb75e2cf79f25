"""Scores of agents, against values that were worked out by hand."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpvqa.explore.runs.record import Ending, OptionRecord, Played, StepRecord, Truth
from hpvqa.explore.scene import Action
from hpvqa.explore.scores.calibration import calibration
from hpvqa.explore.scores.compare import compare
from hpvqa.explore.scores.figure import ratio
from hpvqa.explore.scores.gain import gain, per_step
from hpvqa.explore.scores.judgement import judgement
from hpvqa.explore.scores.measure import measure
from hpvqa.explore.scores.page import parts
from hpvqa.explore.scores.split import Split

OPTIONS = (
    OptionRecord(letter="A", text="Answer: yes", action=Action(kind="answer", target="yes")),
    OptionRecord(letter="B", text="Answer: no", action=Action(kind="answer", target="no")),
    OptionRecord(letter="C", text="Raise", action=Action(kind="move viewer", target="up")),
    OptionRecord(letter="D", text="Lower", action=Action(kind="move viewer", target="down")),
)
OPEN = Truth(
    entropy=1.0,
    sufficient=False,
    posterior={"yes": 0.5, "no": 0.5},
    gains={"C": 1.0, "D": 0.0},
    values={"C": 1.0, "D": 0.25},
    best=("C",),
)
SURE = Truth(entropy=0.0, sufficient=True, posterior={"yes": 1.0}, gains={}, values={}, best=())


def step(letter: str | None, truth: Truth, **more: object) -> StepRecord:
    return StepRecord(step=0, view="", shot=None, options=OPTIONS, letter=letter, privileged=truth, **more)  # type: ignore[arg-type]


def scene(index: int, *steps: StepRecord, answer: str = "yes", planned: int = 2) -> Played:
    last = steps[-1].chosen
    said = last.action.target if last is not None and steps[-1].answers else None
    group = index // 4
    return Played(
        Ending(
            key=f"cover-{index:06d}",
            scene=str(index),
            family="cover",
            type="two-covers",
            held_out=False,
            form="exist",
            index=index,
            group=group,
            twin=index ^ 1,
            sufficient=steps[0].privileged.sufficient,
            planned=planned,
            question="?",
            answer=answer,
            said=said,
        ),
        steps,
    )


def test_answers_are_justified_lucky_or_wrong_and_twins_count_together() -> None:
    played = [
        scene(0, step("C", OPEN), step("A", SURE)),
        scene(1, step("B", OPEN), answer="no"),
        scene(2, step("A", SURE), planned=1),
        scene(3, step("C", SURE), step("C", SURE), step("A", SURE), planned=1),
        scene(4, step(None, OPEN, error="?"), step("A", OPEN), answer="no"),
        scene(5, step("C", OPEN)),
    ]
    found = measure(played, "active")
    answers = found.answers
    assert answers.both_twins is not None
    assert answers.excess is not None
    assert answers.correct_insufficient is not None
    assert (answers.correct.value, answers.justified.value, answers.lucky.value) == (4 / 6, 3 / 6, 1 / 6)
    assert answers.both_twins.value == 2 / 3
    assert answers.excess.value == pytest.approx(2 / 3)
    assert answers.correct_insufficient.value == 2 / 4
    assert (found.unreadable, answers.unanswered) == (1, 1)
    assert answers.correct.low is not None
    assert answers.correct.low < answers.correct.value


def test_always_to_act_is_at_chance_where_both_kinds_count_alike() -> None:
    acting = [scene(n, step("C", OPEN if n < 6 else SURE), step("A", SURE)) for n in range(8)]
    scores = measure(acting, "active")
    assert scores.first is not None
    assert scores.first.value == 0.75
    first = judgement(acting, 0)
    assert first.balanced is not None
    assert first.d_prime is not None
    assert first.criterion is not None
    assert first.balanced.value == 0.5
    assert first.d_prime.value == pytest.approx(0.0, abs=0.8)
    assert first.criterion.value > 0


def test_gain_is_taken_over_best_and_a_premature_answer_takes_none() -> None:
    played = [scene(0, step("D", OPEN), step("C", OPEN), step("A", SURE)), scene(1, step("A", OPEN))]
    found = gain(played)
    assert found.taken is not None
    assert found.regret is not None
    assert found.best is not None
    assert found.igr is not None
    assert found.igr_with_empty is not None
    assert found.taken.value == pytest.approx(1.25 / 3)
    assert found.regret.value == pytest.approx((0.75 + 0 + 1) / 3)
    assert found.best.value == pytest.approx(1 / 3)
    assert found.igr.value == 0.0
    assert found.igr_with_empty.value == pytest.approx(1 / 3)


def test_gain_by_step_counts_only_what_does_not_suffice() -> None:
    played = [scene(0, step("D", OPEN), step("C", OPEN), step("A", SURE)), scene(1, step("A", OPEN))]
    found = [(one.step, one.decisions, one.taken, one.best) for one in per_step(played)]
    assert found == [(0, 2, 0.125, 1.0), (1, 1, 1.0, 1.0)]
    assert measure(played, "blind").gain_by_step == ()


def test_calibration_is_perfect_where_probabilities_are_the_exact_ones() -> None:
    half = math.log(0.25)
    exact = calibration([scene(0, step("A", OPEN, logprobs={"A": half, "B": half, "C": half, "D": half}))])
    assert exact is not None
    assert (exact.brier.value, exact.divergence.value) == (0.0, 0.0)
    off = calibration([scene(0, step("A", SURE, logprobs={"A": math.log(0.2), "B": math.log(0.6)}))])
    assert off is not None
    assert off.brier.value == pytest.approx(0.75**2 * 2)
    assert off.divergence.value == pytest.approx(2.0)
    assert calibration([scene(0, step("A", SURE))]) is None


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1), st.integers(0, 5)), min_size=1, max_size=20),
    st.integers(0, 2**32 - 1).map(random.Random),
)
def test_the_order_of_rows_does_not_matter(rows: list[tuple[float, int, int]], chance: random.Random) -> None:
    found = ratio(*zip(*rows, strict=True))
    assert ratio(*zip(*chance.sample(rows, len(rows)), strict=True)) == found


def test_a_ratio_has_an_interval_over_groups() -> None:
    found = ratio([1, 1, 0, 0], [1, 1, 1, 1], ["a", "a", "b", "b"])
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)
    one = ratio([1, 0], [1, 1], ["a", "a"])
    assert one is not None
    assert one.low is None
    assert ratio([0.0], [0.0], ["a"]) is None


def test_two_runs_are_compared_scene_by_scene() -> None:
    good = [scene(n, step("A", SURE)) for n in range(0, 64, 4)]
    bad = [scene(n, step("B", SURE)) for n in range(0, 64, 4)]
    found = {one.trait: one for one in compare({"good": good, "bad": bad})}
    assert found["correct"].difference == 1.0
    assert found["correct"].p < 0.001
    assert found["first judgement"].difference == 0.0
    assert found["first judgement"].p == 1.0
    assert all(one.adjusted >= one.p for one in found.values())
    assert compare({"good": good, "other": [scene(n, step("A", SURE)) for n in range(101, 105)]}) == ()


def test_failure_is_split_into_parts_that_sum_up() -> None:
    def figure(value: float) -> dict[str, object]:
        return {"value": value, "low": None, "high": None, "n": 10, "method": "none"}

    split = Split.model_validate(
        {"agent": "a", "scenes": 10, "active": figure(0.4), "yoked": figure(0.6), "facts": figure(0.5)}
    )
    assert parts(split) == pytest.approx({"correct": 0.4, "choosing": 0.2, "seeing": 0.1, "putting together": 0.3})
    assert "costs 20 points" in " ".join(split.sentences())
    worse = Split.model_validate(
        {"agent": "a", "scenes": 10, "active": figure(0.9), "yoked": figure(0.5), "facts": None}
    )
    assert parts(worse) == pytest.approx({"correct": 0.9, "choosing": 0.0, "seeing": 0.0, "putting together": 0.1})
    assert "costs nothing" in " ".join(worse.sentences())
