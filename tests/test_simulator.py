import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from hpvqa.errors import UsageError
from hpvqa.record.trajectory import row
from hpvqa.scene.spec import SIDES, CameraSpec
from hpvqa.sim import open_simulator, prepare
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import FIRST_LABEL, SteppedSimulator
from hpvqa.tasks import TASKS
from hpvqa.tasks.pair import PairTask
from tests.needs import long_but
from tests.patience import PATIENCE
from tests.worlds import Run, other_answer, physics, run, sample

tasks = pytest.mark.parametrize("task", TASKS)
some_tasks = pytest.mark.parametrize("task", long_but(TASKS, "push"))


@pytest.fixture(scope="module")
def drawing() -> SteppedSimulator:
    return open_simulator((96, 64))


def planner(task: str, index: int = 0) -> Planner:
    return Planner(TASKS[task].waypoints(sample(task, index)))


@tasks
def test_an_episode_starts_exactly_as_its_spec_says(task: str) -> None:
    simulator, spec = physics(), sample(task, 2)
    simulator.reset(spec, planner(task, 2).command(0))
    state = simulator.state()
    assert state.time == 0
    for thing in spec.things:
        assert tuple(state.things[thing.name].position) == thing.position
        assert not state.things[thing.name].velocity.any()
        assert not state.things[thing.name].touching_gripper
    assert state.ee_position == pytest.approx(planner(task, 2).command(0).position, abs=1e-3)
    assert state.closed == pytest.approx(planner(task, 2).command(0).closed, abs=0.1)


@pytest.mark.parametrize("task", [name for name, task in TASKS.items() if isinstance(task, PairTask)])
def test_left_is_plus_y(task: str) -> None:
    simulator, spec = physics(), sample(task)
    simulator.reset(spec, planner(task).command(0))
    positions = {side: simulator.state().things[side].position for side in SIDES}
    assert positions["left"][1] > 0.15
    assert positions["right"][1] < -0.15


@cache
def alone(task: str) -> Run:
    """Episode 4 of a task as the first of a simulator."""
    return run(sample(task, 4), open_simulator(None))


@pytest.mark.parametrize("tasks", long_but([("drop", "push"), ("push", "drop")]), ids="-then-".join)
def test_nothing_of_an_earlier_episode_is_left(tasks: tuple[str, str]) -> None:
    earlier, task = tasks
    # It is broken off while the gripper holds something.
    physics().reset(sample(earlier, 9), planner(earlier, 9).command(0))
    moments(physics(), planner(earlier, 9), 0, 2000)
    after = run(sample(task, 4))
    assert after.events == alone(task).events
    for name, values in alone(task).rows.items():
        assert np.array_equal(after.rows[name], values), name


@some_tasks
def test_nothing_is_ever_not_a_number_and_the_arm_stays_within_its_limits(task: str) -> None:
    done = alone(task)
    assert all(np.isfinite(values).all() for values in done.rows.values())
    joints = np.array([done.rows[f"joint_{number}"] for number in range(1, 8)])
    assert np.abs(np.diff(joints, axis=1)).max() * 60 < 4.0
    # Springs let it sink by a few millimetres when it puts down what it weighed.
    assert done.rows["ee_z"].min() > 0.01


@some_tasks
def test_swapping_hidden_values_leaves_the_robots_command_alone_but_swaps_the_outcome(task: str) -> None:
    kind, spec = TASKS[task], sample(task, 4)
    swapped = other_answer(spec)
    assert {kind.answer(spec), kind.answer(swapped)} == {"left", "right"}
    # Each outcome is checked against its own answer.
    for outcome in (alone(task).outcome, run(swapped).outcome):
        assert outcome.ok, outcome.reason


@pytest.mark.parametrize("task", long_but(TASKS, "drop", "weigh"))
def test_pictures_show_what_the_spec_says(task: str, drawing: SteppedSimulator) -> None:
    spec = sample(task, 1)
    drawing.reset(spec, planner(task, 1).command(0))
    images = {camera.name: drawing.render(camera).copy() for camera in spec.cameras}
    assert all(image.shape == (64, 96, 3) and image.std() > 10 for image in images.values())
    assert len({image.tobytes() for image in images.values()}) == 7
    repainted = spec.model_copy(update={"room": spec.room.model_copy(update={"table": (0.9, 0.1, 0.1)})})
    drawing.reset(repainted, planner(task, 1).command(0))
    for camera in spec.cameras:
        assert (drawing.render(camera) != images[camera.name]).any(), camera.name
    drawing.reset(spec, planner(task, 1).command(0))
    for camera in spec.cameras:
        assert np.array_equal(drawing.render(camera), images[camera.name]), camera.name


def test_a_picture_is_upright(drawing: SteppedSimulator) -> None:
    spec = sample("drop", 1)
    dark = spec.room.model_copy(
        update={"walls": ((0.1, 0.1, 0.1),) * 4, "table": (0.9, 0.9, 0.9), "floor": (0.9, 0.9, 0.9)}
    )
    drawing.reset(spec.model_copy(update={"room": dark}), planner("drop", 1).command(0))
    image = drawing.render(next(camera for camera in spec.cameras if camera.name == "front_wide")).astype(float)
    assert image[-10:].mean() > 2 * image[:10].mean()


def test_a_simulator_without_a_resolution_does_not_draw() -> None:
    simulator = physics()
    simulator.reset(sample("push"), planner("push").command(0))
    with pytest.raises(ValueError, match="without a resolution"):
        simulator.render(sample("push").cameras[0])


def test_an_unknown_simulator_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'mujoco'"):
        prepare("mujocco", draws=False, tell=print)


@pytest.mark.long
@pytest.mark.models
def test_a_process_that_has_drawn_can_load_a_model() -> None:
    pytest.importorskip("transformers", exc_type=ImportError)
    # Both bring LLVM along; in the wrong order the process dies.
    code = """
from hpvqa.sim import open_simulator, prepare
from hpvqa.sim.planner import Planner
from hpvqa.tasks import TASKS
from hpvqa.tasks.pair import PairTask
from tests.worlds import sample

spec = sample("push", 0)
simulator = open_simulator((96, 64))
simulator.reset(spec, Planner(TASKS["push"].waypoints(spec)).command(0))
assert simulator.render(spec.cameras[0]).any()
import transformers.generation
import torch._dynamo
print("alive")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == "alive\n", done.stderr


def moments(simulator: SteppedSimulator, plan: Planner, first: int, last: int) -> list[list[float]]:
    """The states after some steps of a plan, as rows."""
    found = []
    for step in range(first, last):
        command = plan.command(step * simulator.timestep)
        simulator.step(command)
        found.append(row(simulator.state(), command))
    return found


@some_tasks
@pytest.mark.parametrize("share", long_but([0.2, 0.45], 0.45))
def test_what_follows_a_saved_moment_follows_it_again_bit_for_bit(task: str, share: float) -> None:
    simulator, spec, plan = physics(), sample(task, 3), planner(task, 3)
    simulator.reset(spec, plan.command(0))
    now = round(share * plan.duration / simulator.timestep)
    moments(simulator, plan, 0, now)
    saved = simulator.save()
    once = moments(simulator, plan, now, now + 400)
    simulator.restore(saved)
    assert simulator.state().time == pytest.approx(now * simulator.timestep)
    assert moments(simulator, plan, now, now + 400) == once


def test_a_moment_of_another_episode_is_refused() -> None:
    simulator = physics()
    simulator.reset(sample("push", 0), planner("push", 0).command(0))
    saved = simulator.save()
    simulator.reset(sample("push", 1), planner("push", 1).command(0))
    with pytest.raises(ValueError, match="same episode"):
        simulator.restore(saved)


def test_a_restored_moment_is_drawn(drawing: SteppedSimulator) -> None:
    spec, plan = sample("push", 1), planner("push", 1)
    drawing.reset(spec, plan.command(0))
    saved, before = drawing.save(), drawing.render(spec.cameras[0]).copy()
    moments(drawing, plan, 0, 1200)
    assert (drawing.render(spec.cameras[0]) != before).any()
    drawing.restore(saved)
    assert np.array_equal(drawing.render(spec.cameras[0]), before)


def test_a_world_of_one_cylinder_stands_is_seen_and_is_not_dropped() -> None:
    spec = sample("push", 0)
    tin = spec.things[0].model_copy(update={"name": "tin", "shape": "cylinder", "size": (0.06, 0.06, 0.1)})
    tin = tin.model_copy(update={"position": (0.4, 0.2, 0.05)})
    spec = spec.model_copy(update={"things": (tin,), "order": ("tin",)})
    simulator = open_simulator((96, 64))
    plan = planner("push", 0)
    simulator.reset(spec, plan.command(0))
    moments(simulator, plan, 0, 120)
    assert simulator.state().things["tin"].position == pytest.approx(tin.position, abs=1e-4)
    assert simulator.state().things["tin"].touching_table
    # Straight from above at 0.8 m, a circle of 6 cm.
    eye = CameraSpec(
        name="above", position=(0.4, 0.2, 0.9), quat_wxyz=(0.7071068, 0.0, 0.0, -0.7071068), focal_length=24.0
    )
    seen = (simulator.segment(eye) == FIRST_LABEL).sum()
    across = 0.06 * 24.0 / 20.955 * 96 / 0.8
    assert seen == pytest.approx(np.pi / 4 * across**2, rel=0.1)
    with pytest.raises(ValueError, match="one cannot drop a cylinder"):
        TASKS["drop"].waypoints(spec)
    simulator.close()
