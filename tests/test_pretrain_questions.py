"""Visible questions: the answers are right, are asked only where they can be seen, and tell nothing hidden."""

from __future__ import annotations

import numpy as np
import pytest

from hpvqa.probes.events import Event
from hpvqa.scene.spec import SIDES, EpisodeSpec, Side
from hpvqa.tasks import TASKS
from research.pretrain.phases import phases
from research.pretrain.questions import SEEN, Question, Seen, displayed, questions_of
from tests.factories import make_spec
from tests.needs import long_but
from tests.pretrain_data import place

TOUCH = {"push": (1.12, 4.02), "drop": (1.06, 4.21), "weigh": (1.06, 5.9), "slide": (1.12, 4.02), "press": (1.2, 5.0)}
"""When the robot touches both objects, about [s]."""
ASKING = tuple(question for task in TASKS for question in questions_of(task))


def seen(spec: EpisodeSpec, *times: float) -> Seen:
    events = [
        Event(
            kind="first_touch",
            t=time,
            object=side,
            other="gripper",
            position=spec.thing(side).position,
            speed_before=0.0,
            speed_after=0.0,
            t_resolution=0.0,
        )
        for side, time in zip(spec.order, TOUCH[spec.task], strict=True)
    ]
    return Seen(spec, events, times, {side: place(spec, side, times[-1]) for side in SIDES})


def answers(spec: EpisodeSpec, *times: float) -> dict[str, Side | None]:
    return {question.name: question.answer(seen(spec, *times)) for question in questions_of(spec.task)}


def spec_with(task: str, first: Side) -> EpisodeSpec:
    return next(spec for index in range(8) if (spec := make_spec(task, index)).order[0] == first)


@pytest.mark.parametrize(("first", "last"), [("left", "right"), ("right", "left")])
def test_a_whole_push_shows_the_order_and_no_place(first: Side, last: Side) -> None:
    found = answers(spec_with("push", first), 0.0, 2.0, 3.5, 5.5)
    assert found == {"push-first": first, "push-last": last, "push-further": None, "push-nearer": None}


@pytest.mark.parametrize(("first", "last"), [("left", "right"), ("right", "left")])
def test_between_both_pushes_the_pushed_cube_is_further(first: Side, last: Side) -> None:
    found = answers(spec_with("push", first), 2.2, 2.2)
    assert found == {"push-first": None, "push-last": None, "push-further": first, "push-nearer": last}
    assert answers(spec_with("push", first), 0.0, 3.5)["push-first"] == first


@pytest.mark.parametrize("time", [0.0, 1.0, 1.5, 2.6, 4.1, 5.5])
def test_places_of_cubes_are_not_asked_at_other_times(time: float) -> None:
    assert set(answers(make_spec("push", 0), time, time).values()) == {None}


@pytest.mark.parametrize(("first", "last"), [("left", "right"), ("right", "left")])
def test_the_sphere_that_is_held_is_higher(first: Side, last: Side) -> None:
    spec = spec_with("drop", first)
    assert answers(spec, 2.2, 2.2) == {
        "drop-first": None,
        "drop-last": None,
        "drop-higher": first,
        "drop-lower": last,
    }
    assert answers(spec, 5.4, 5.4)["drop-higher"] == last
    assert answers(spec, 0.0, 2.2)["drop-last"] == last


@pytest.mark.parametrize("time", [0.0, 1.5, 2.4, 3.0, 4.9, 5.6, 7.9])
def test_heights_of_spheres_are_not_asked_at_other_times(time: float) -> None:
    assert answers(make_spec("drop", 0), time, time)["drop-higher"] is None


def test_the_order_is_not_asked_of_frames_that_show_only_what_came_after() -> None:
    assert answers(make_spec("push", 0), 4.5, 5.5)["push-first"] is None
    assert answers(make_spec("push", 0), 0.0, 1.2)["push-first"] is None


def test_the_plan_says_when_things_happen() -> None:
    assert phases(make_spec("push", 0), "push")[0] == pytest.approx((0.55, 1.75))
    assert phases(make_spec("drop", 0), "settle")[1] == pytest.approx((5.3, 5.5))
    assert phases(make_spec("drop", 0), "push") == []


@pytest.mark.parametrize("question", long_but(ASKING, *ASKING[::5]), ids=lambda question: question.name)
@pytest.mark.slow
def test_no_answer_tells_the_hidden_one(question: Question) -> None:
    spec = make_spec(question.task, 0)
    begin, end = displayed(spec)[0]
    whole, still = (0.0, TOUCH[question.task][0] + SEEN, TOUCH[question.task][1] + 0.5), (begin, (begin + end) / 2)
    shown = whole if question.name.endswith(("first", "last")) else still
    specs = [make_spec(question.task, index, seed=seed) for seed in range(4) for index in range(100)]
    visible = [question.answer(seen(spec, *shown)) for spec in specs]
    hidden = [TASKS[question.task].answer(spec) for spec in specs]
    assert None not in visible
    signs = np.array([[side == "left" for side in sides] for sides in (visible, hidden)], float)
    assert abs(np.corrcoef(signs)[0, 1]) < 0.05
    assert question.independent.endswith(".")


def test_questions_come_in_opposites_and_are_never_the_hidden_one() -> None:
    for one, other in zip(ASKING[::2], ASKING[1::2], strict=True):
        spec = make_spec(one.task, 1)
        for times in ((0.0, 2.2, 3.0), (3.0, 3.0), (5.4, 5.4)):
            a, b = (question.answer(seen(spec, *times)) for question in (one, other))
            assert (a is None and b is None) or {a, b} == {"left", "right"}
    assert not {question.text for question in ASKING} & {task.question for task in TASKS.values()}
