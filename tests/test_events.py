import numpy as np
import pytest

from hpvqa.sim.events import EventDetector
from hpvqa.sim.protocol import BodyState, Impact, State
from tests.worlds import sample

DT = 1 / 1200
FAR = np.array([0.4, -0.2, 0.025])


def body(z: float, vz: float = 0.0, gripper: bool = False, table: bool = False) -> BodyState:
    return BodyState(np.array([0.4, 0.2, z]), np.array([1.0, 0, 0, 0]), np.array([0, 0, vz]), gripper, table)


def resting() -> BodyState:
    return BodyState(FAR, np.array([1.0, 0, 0, 0]), np.zeros(3), False, True)


def feed(bodies: list[BodyState], impacts: dict[int, Impact] | None = None) -> list[tuple[str, float]]:
    detector = EventDetector(sample("drop"), DT)
    for step, left in enumerate(bodies):
        found = (impacts or {}).get(step)
        detector.update(
            State(
                time=step * DT,
                joints=np.zeros(7),
                closed=0.0,
                ee_position=np.zeros(3),
                ee_quat_wxyz=np.array([1.0, 0, 0, 0]),
                things={"left": left, "right": resting()},
                impacts=() if found is None else (found,),
            )
        )
    assert all(event.object == "left" for event in detector.events())
    return [(event.kind, event.t) for event in detector.events()]


def test_first_touch_comes_once() -> None:
    touch = [body(0.025, table=True)] * 5 + [body(0.025, gripper=True, table=True)] * 5
    assert feed(touch + touch) == [("first_touch", pytest.approx(5 * DT))]


def test_rattling_fingers_release_once_and_at_the_last_contact() -> None:
    held = [body(0.3, gripper=True)] * 30
    gone = [body(0.3)] * 10
    assert feed(held + gone + held[:3] + [body(0.3)] * 40) == [
        ("first_touch", 0.0),
        ("release", pytest.approx(43 * DT)),
    ]


def test_a_pushed_object_is_not_released() -> None:
    pushed = [body(0.025, gripper=True, table=True)] * 30 + [body(0.0251, gripper=True)] * 3
    events = feed(pushed + [body(0.025, table=True)] * 200)
    assert [kind for kind, _ in events] == ["first_touch", "rest"]


def test_the_apex_is_solved_for_inside_the_step() -> None:
    g, speed = 9.81, 1.0
    bodies, z, v = [], 0.025, speed
    for _ in range(400):
        bodies.append(body(z, v))
        v -= g * DT
        z += v * DT
        if z < 0.025:
            break
    impact = Impact(0.0, "left", np.array([0.4, 0.2, 0.025]), 2.0, speed)
    events = feed(bodies, {0: impact})
    assert events[0] == ("impact", 0.0)
    assert events[1] == ("apex", pytest.approx(speed / g, abs=DT))
    assert len(events) == 2


def test_a_tremor_after_an_impact_is_no_apex() -> None:
    impact = Impact(0.0, "left", np.array([0.4, 0.2, 0.025]), 2.0, 0.0)
    assert feed([body(0.025, 0.001), body(0.025, -0.001), body(0.025)], {0: impact}) == [("impact", 0.0)]


def test_rest_needs_a_touch_and_a_tenth_of_a_second() -> None:
    assert feed([body(0.025, table=True)] * 500) == []
    touched = [body(0.025, gripper=True, table=True)]
    assert [kind for kind, _ in feed(touched + [body(0.025, table=True)] * 60)] == ["first_touch"]
    assert [kind for kind, _ in feed(touched + [body(0.025, table=True)] * 200)] == ["first_touch", "rest"]
