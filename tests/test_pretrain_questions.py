"""Visible questions: the answers are right, are asked only where they can be seen, and tell nothing hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hpvqa.pretrain.phases import phase
from hpvqa.pretrain.questions import QUESTIONS, Question, Seen, questions_of
from hpvqa.scene.spec import SIDES, EpisodeSpec, Side
from hpvqa.tasks import TASKS
from hpvqa.tasks.drop import rebounds
from hpvqa.tasks.outcome import Event, EventKind
from tests.factories import make_spec
from tests.pretrain_data import place

TOUCH = {"push": (1.12, 4.02), "drop": (1.06, 4.21)}
"""When the robot touches both objects in our recordings [s]."""


RELEASE, IMPACT = (2.37, 5.52), (2.61, 5.76)
"""When it lets go of both spheres, and when they reach the table [s]."""


def event(kind: EventKind, side: Side, time: float) -> Event:
    rest = {"position": (0.0, 0.0, 0.0), "speed_before": 0.0, "speed_after": 0.0, "t_resolution": 0.0}
    return Event(kind=kind, t=time, object=side, other="gripper", **rest)


def seen(spec: EpisodeSpec, *times: float) -> Seen:
    kinds: list[tuple[EventKind, tuple[float, float]]] = [("first_touch", TOUCH[spec.task])]
    if spec.task == "drop":
        kinds += [("release", RELEASE), ("impact", IMPACT)]
    events = [
        event(kind, side, time) for kind, moments in kinds for side, time in zip(spec.order, moments, strict=True)
    ]
    return Seen(spec, events, times, {side: [place(spec, side, time) for time in times] for side in SIDES})


def dropped(spec: EpisodeSpec, heights: dict[Side, list[float]], *times: float) -> Seen:
    """What is seen of spheres that are so high at these times [m]."""
    shown = seen(spec, *times)
    places = {side: [(0.4, 0.2, spec.object(side).position[2] + z) for z in heights[side]] for side in SIDES}
    return replace(shown, places=places)


def answers(spec: EpisodeSpec, *times: float) -> dict[str, Side | None]:
    return {question.name: question.answer(seen(spec, *times)) for question in questions_of(spec.task)}


def spec_with(task: str, first: Side) -> EpisodeSpec:
    return next(spec for index in range(8) if (spec := make_spec(task, index)).first == first)


@pytest.mark.parametrize(("first", "last"), [("left", "right"), ("right", "left")])
def test_a_whole_push_shows_the_order_and_no_place(first: Side, last: Side) -> None:
    found = answers(spec_with("push", first), 0.0, 2.0, 3.5, 5.5)
    assert found == {"push-first": first, "push-last": last, "push-further": None, "push-nearer": None}


@pytest.mark.parametrize(("first", "last"), [("left", "right"), ("right", "left")])
def test_between_both_pushes_the_pushed_cube_is_further(first: Side, last: Side) -> None:
    found = answers(spec_with("push", first), 2.5, 2.5)
    assert found == {"push-first": None, "push-last": None, "push-further": first, "push-nearer": last}
    assert answers(spec_with("push", first), 0.0, 3.5)["push-first"] == first


@pytest.mark.parametrize("time", [0.0, 1.0, 1.5, 4.1, 5.5])
def test_places_of_cubes_are_not_asked_at_other_times(time: float) -> None:
    assert set(answers(make_spec("push", 0), time, time).values()) == {None}


@pytest.mark.parametrize(("first", "last"), [("left", "right"), ("right", "left")])
def test_the_sphere_that_is_held_is_higher(first: Side, last: Side) -> None:
    spec = spec_with("drop", first)
    assert answers(spec, 2.1, 2.1) == {
        "drop-first": None,
        "drop-last": None,
        "drop-higher": first,
        "drop-lower": last,
        "drop-free-higher": None,
        "drop-free-lower": None,
    }
    assert answers(spec, 5.4, 5.4)["drop-higher"] == last
    assert answers(spec, 0.0, 2.2)["drop-last"] == last


@pytest.mark.parametrize("time", [0.0, 1.5, 2.4, 3.0, 4.9, 5.6, 7.9])
def test_heights_of_spheres_are_not_asked_at_other_times(time: float) -> None:
    assert answers(make_spec("drop", 0), time, time)["drop-higher"] is None


@pytest.mark.parametrize(("first", "last"), [("left", "right"), ("right", "left")])
def test_heights_of_free_spheres_are_compared_across_frames(first: Side, last: Side) -> None:
    spec = spec_with("drop", first)
    # Held, falling, at rest, held, falling, at rest; only from the release on does height count.
    times = (2.3, 2.5, 4.0, 5.4, 5.7, 7.5)

    def answer(falls: float, then: float, *, bounces: float = 0.0) -> Side | None:
        heights = {first: [0.3, falls, bounces, 0, 0, 0], last: [0, 0, 0, 0.3, then, 0.0]}
        return next(q for q in QUESTIONS if q.name == "drop-free-higher").answer(dropped(spec, heights, *times))

    assert answer(0.2, 0.05) == first
    assert answer(0.05, 0.2) == last
    assert answer(0.2, 0.19) is None
    assert answer(0.2, 0.05, bounces=0.02) is None
    assert answer(0.05, 0.2, bounces=0.02) is None
    assert answer(0.2, 0.05, bounces=0.01) == first


def test_heights_of_free_spheres_are_asked_only_where_both_were_seen_free() -> None:
    spec = make_spec("drop", 0)
    found = dropped(spec, {"left": [0.2, 0.2], "right": [0.1, 0.1]}, 2.3, 2.5)
    assert next(q for q in QUESTIONS if q.name == "drop-free-higher").answer(found) is None


def test_the_order_is_not_asked_of_frames_that_show_only_what_came_after() -> None:
    assert answers(make_spec("push", 0), 4.5, 5.5)["push-first"] is None
    assert answers(make_spec("push", 0), 0.0, 1.2)["push-first"] is None


def test_the_plan_says_when_things_happen() -> None:
    assert phase(make_spec("push", 0), "push", 0) == pytest.approx((0.55, 1.75))
    assert phase(make_spec("drop", 0), "settle", 1) == pytest.approx((5.3, 5.5))


def bounced(spec: EpisodeSpec, rng: np.random.Generator) -> Seen:
    """Spheres that really bounce, seen at moments that are drawn as in training: any of a fall, and calm ones."""
    times = sorted(
        [2.35 + 0.26 * rng.random(), 3.55 + 1.95 * rng.random(), 5.5 + 0.26 * rng.random(), 6.7 + 1.3 * rng.random()]
    )
    heights: dict[Side, list[float]] = {}
    for side, impact in zip(spec.order, IMPACT, strict=True):
        since = np.array(times) - impact
        after = rebounds(2.43, np.array([spec.object(side).restitution]), np.maximum(since, 0.0))[0]
        before = np.clip(0.3 - 4.905 * np.maximum(since + 0.247, 0.0) ** 2, 0.0, None)
        heights[side] = list(np.where(since > 0, after, before))
    return dropped(spec, heights, *times)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_no_answer_tells_the_hidden_one(question: Question) -> None:
    times = {
        "push-first": (0.0, 2.0, 3.5, 5.5),
        "push-further": (3.0, 3.0),
        "drop-first": (0.0, 2.5, 5.0, 7.5),
        "drop-higher": (5.4, 5.4),
    }
    opposite = {"last": "first", "nearer": "further", "lower": "higher", "free-lower": "free-higher"}
    task, _, what = question.name.partition("-")
    specs = [make_spec(question.task, index, seed=seed) for seed in range(4) for index in range(100)]
    if what.startswith("free"):
        asked = [(spec, bounced(spec, np.random.default_rng(number))) for number, spec in enumerate(specs * 10)]
    else:
        asked = [(spec, seen(spec, *times[f"{task}-{opposite.get(what, what)}"])) for spec in specs]
    found = [(question.answer(shown), TASKS[question.task].answer(spec)) for spec, shown in asked]
    visible, hidden = zip(*[answers for answers in found if answers[0] is not None], strict=True)
    assert len(visible) > 390
    signs = np.array([[side == "left" for side in sides] for sides in (visible, hidden)], float)
    assert abs(np.corrcoef(signs)[0, 1]) < 0.05
    assert question.independent.endswith(".")


def test_questions_come_in_opposites_and_are_never_the_hidden_one() -> None:
    for one, other in zip(QUESTIONS[::2], QUESTIONS[1::2], strict=True):
        spec = make_spec(one.task, 1)
        for times in ((0.0, 2.2, 3.0), (3.0, 3.0), (5.4, 5.4)):
            a, b = (question.answer(seen(spec, *times)) for question in (one, other))
            assert (a is None and b is None) or {a, b} == {"left", "right"}
    assert not {question.text for question in QUESTIONS} & {task.question for task in TASKS.values()}
