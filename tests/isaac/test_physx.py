"""A plain sphere's rebound and a plain cube's push: real PhysX, on the CPU, against the embedded simulator.

Opt-in, for the ``ovphysx`` wheel is proprietary and large and never a dependency: see docs/isaac-sim.md.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from hpvqa.probes.drop import LIFT
from hpvqa.probes.push import BEHIND, GAINS
from hpvqa.probes.waypoint import EFFECTIVE_MASS, Waypoint
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.impedance import EndEffector, impedance
from hpvqa.sim.isaac.timing import timestep
from hpvqa.sim.mujoco.names import ROBOT, THING
from hpvqa.sim.mujoco.world import TIMESTEP, compiled, write_properties
from hpvqa.sim.planner import POINTING_DOWN, Planner
from hpvqa.tasks import TASKS
from tests.patience import PATIENCE
from tests.worlds import run, sample, with_hidden

PYTHON = os.environ.get("HPVQA_OVPHYSX_PYTHON") or (importlib.util.find_spec("ovphysx") and sys.executable)
pytestmark = pytest.mark.skipif(
    not PYTHON, reason="HPVQA_OVPHYSX_PYTHON names no Python with ovphysx (opt-in, see docs/isaac-sim.md)"
)

CHILD = Path(__file__).parent / "physx_child.py"
STEP = timestep(30)
PHASES = np.linspace(-0.004, 0.004, 5)
"""Changes of the drop's height [m]: a sphere falls 1 cm in the last step, and where in it it lands matters to PhysX."""
RESTITUTIONS = (0.05, 0.2, 0.4, 0.6, 0.8, 1.0)
MASSES = (0.5, 0.75, 1.0, 3.0, 4.0, 5.0)
PUSHER_HALF = (0.015, 0.02, 0.015)
"""Of the box that stands for the closed fingers [m]; its front is as far from the cube as theirs."""
REST = 0.5
"""After the pusher has gone back [s]."""


def physx(objects: list[dict[str, Any]], steps: int, pusher: dict[str, Any] | None = None) -> NDArray[np.float64]:
    """Centres of objects before the first and after every step, shape (objects, steps + 1, 3) [m]."""
    request = {"timestep": STEP, "steps": steps, "objects": objects, "pusher": pusher}
    assert PYTHON
    done = subprocess.run([PYTHON, CHILD], input=json.dumps(request), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return np.array(json.loads(done.stdout.splitlines()[-1])["positions"])


def item(spec: EpisodeSpec, **changes: object) -> dict[str, Any]:
    """The left object of a spec as the child wants it."""
    left = spec.thing("left")
    values = left.model_dump(include={"mass", "friction", "restitution"})
    shape = {"shape": "cube" if left.shape == "box" else "sphere", "size": left.half_height}
    return {**values, **shape, "position": [0.0, 0.0, left.half_height], **changes}


def spread(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same objects beside each other."""
    return [{**one, "position": [0.0, 0.5 * y, one["position"][2]]} for y, one in enumerate(objects)]


def rebounds_in_physx(restitutions: tuple[float, ...]) -> NDArray[np.float64]:
    """Height of the first rebound over that of the drop, shape (restitutions, phases)."""
    spec = sample("drop", 3)
    heights = np.tile(LIFT + PHASES, len(restitutions))
    objects = [
        item(spec, restitution=e, position=[0.0, 0.0, spec.thing("left").half_height + height])
        for e, height in zip(np.repeat(restitutions, len(PHASES)).tolist(), heights.tolist(), strict=True)
    ]
    fall = np.sqrt(2 * heights / 9.81)
    paths = physx(spread(objects), round(2.2 * fall.max() / STEP))[:, :, 2] - spec.thing("left").half_height
    first = np.ceil(fall / STEP).astype(int) + 1
    tops = [path[start:].max() for path, start in zip(paths, first, strict=True)]
    return (np.array(tops) / heights).reshape(len(restitutions), len(PHASES))


def rebounds_in_mujoco(restitutions: tuple[float, ...]) -> NDArray[np.float64]:
    """The same of whole episodes of the embedded simulator, with grasp and release, shape (restitutions,)."""
    found = []
    for left, right in zip(restitutions[::2], restitutions[1::2], strict=True):
        outcome = run(with_hidden(sample("drop", 3), left, right)).outcome
        assert outcome.measurement is not None, outcome.reason
        found += [outcome.measurement.of("left"), outcome.measurement.of("right")]
    return np.array(found)


@cache
def push_plan(spec: EpisodeSpec) -> Planner:
    """The compliant part of a push of the left cube, from where the approach ends."""
    mine = [one for one in TASKS["push"].waypoints(spec) if one.object == "left"]
    start = mine[0]
    assert not start.compliant
    return Planner([Waypoint("start", start.position, 0.0, 1.0), *(one for one in mine if one.compliant)])


def pushes_in_physx(objects: list[dict[str, Any]]) -> NDArray[np.float64]:
    """How far cubes go along the push, shape (objects,) [m]."""
    plan = push_plan(sample("push", 1))
    begin = plan.command(0.0).position[0]
    commands = [plan.command(number * STEP) for number in range(round((plan.duration + REST) / STEP))]
    pusher = {
        "half": PUSHER_HALF,
        "offset": -BEHIND,
        "mass": EFFECTIVE_MASS,
        "stiffness": GAINS.stiffness[0],
        "damping": GAINS.damping[0],
        "command": [(one.position[0] - begin, one.velocity[0]) for one in commands],
    }
    paths = physx(spread(objects), len(commands), pusher)
    return paths[:, -1, 0] - paths[:, 0, 0]


def push_in_mujoco(mass: float) -> float:
    """How far the left cube goes [m], in the embedded simulator's world with the pusher in the arm's place."""
    spec = with_hidden(sample("push", 1), mass, mass)
    plan = push_plan(sample("push", 1))
    robot = mujoco.MjSpec()
    body = robot.worldbody.add_body(name="pusher", pos=plan.command(0.0).position)
    body.add_joint(name="pusher", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[1, 0, 0])
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=PUSHER_HALF, mass=EFFECTIVE_MASS)
    model = compiled(robot, spec.things)
    data = mujoco.MjData(model)
    write_properties(model, data, spec.things)
    for side in ("left", "right"):
        data.joint(THING + side).qpos[:3] = spec.thing(side).position
    for number in range(round((plan.duration + REST) / TIMESTEP)):
        command = plan.command(number * TIMESTEP)
        assert command.gains is not None
        mujoco.mj_step1(model, data)
        state = EndEffector(
            data.body(f"{ROBOT}pusher").xpos,
            POINTING_DOWN,
            np.array([data.joint(f"{ROBOT}pusher").qvel[0], 0.0, 0.0]),
            np.zeros(3),
        )
        data.joint(f"{ROBOT}pusher").qfrc_applied[0] = impedance(state, command, command.gains)[0][0]
        mujoco.mj_step2(model, data)
    return float(data.joint(f"{THING}left").qpos[0] - spec.thing("left").position[0])


@cache
def pushes() -> NDArray[np.float64]:
    """How far cubes of all masses go in the embedded simulator [m]."""
    return np.array([push_in_mujoco(mass) for mass in MASSES])


def test_a_sphere_rebounds_as_high_as_in_the_embedded_simulator() -> None:
    expected, found = rebounds_in_mujoco(RESTITUTIONS), rebounds_in_physx(RESTITUTIONS)
    for e, one, others in zip(RESTITUTIONS, expected, found, strict=True):
        print(f"e = {e}: MuJoCo {one:.4f}, PhysX {others.min():.4f} to {others.max():.4f}")
    assert found == pytest.approx(np.tile(expected[:, None], len(PHASES)), abs=0.02)


def test_another_restitution_would_be_noticed() -> None:
    wrong = rebounds_in_physx((0.57, 0.63))
    assert (np.abs(wrong - rebounds_in_mujoco((0.6, 0.6))[0]) > 0.02).all()


def test_a_cube_is_pushed_as_far_as_in_the_embedded_simulator() -> None:
    spec = sample("push", 1)
    found = pushes_in_physx([item(spec, mass=mass) for mass in MASSES])
    for mass, one, other in zip(MASSES, pushes(), found, strict=True):
        print(f"{mass} kg: MuJoCo {100 * one:.2f} cm, PhysX {100 * other:.2f} cm, {100 * (other / one - 1):+.1f} %")
    assert found == pytest.approx(pushes(), rel=0.15)
    assert (np.diff(found) < 0).all()


@pytest.mark.parametrize("friction", [0.3, 0.5])
def test_another_friction_would_be_noticed(friction: float) -> None:
    spec = sample("push", 1)
    wrong = pushes_in_physx([item(spec, mass=mass, friction=friction) for mass in MASSES])
    print(friction, np.round(wrong / pushes() - 1, 3))
    assert (np.abs(wrong[3:] / pushes()[3:] - 1) > 0.15).all()
