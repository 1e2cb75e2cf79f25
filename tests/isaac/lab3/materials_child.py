"""A drop and a slide in real PhysX, with friction and restitution written by tensor, as at a reset.

`python -m tests.isaac.lab3.materials_child MODE` with MODE ``partner`` (our table) or ``average`` (one whose material
has USD's default modes) prints rebounds over the drop's height and the ways of slides [m] as one line of JSON, last.
With the name of a task instead, an episode begins on the latter table, where springs have the wrong kind of drive, and
what becomes of it is printed.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any
from unittest import mock

import torch
import warp

from hpvqa.errors import RunError
from hpvqa.scene.room import TABLE_HALF
from hpvqa.scene.spec import Thing
from hpvqa.sim.isaaclab3.pinned import allow_unpinned
from hpvqa.tasks import TASKS
from tests.worlds import sample

allow_unpinned(warp)
torch.set_num_threads(1)

import isaaclab.sim as sim_utils  # noqa: E402 - Isaac Lab allocates as it is imported
from isaaclab.app import launch_simulation  # noqa: E402
from isaaclab.scene import InteractiveScene, InteractiveSceneCfg  # noqa: E402
from isaaclab_ov.physics import OvPhysxCfg  # noqa: E402

from hpvqa.sim.isaac import spawn as shared  # noqa: E402
from hpvqa.sim.isaaclab3 import spawn, springs  # noqa: E402
from hpvqa.sim.isaaclab3.apply import _materials, material_of  # noqa: E402

RATE = 240
RESTITUTIONS = (0.2, 0.6, 0.9)
FRICTIONS = (0.2, 0.4, 0.6)
DROP = 0.3
SPEED = 0.7


def thing(name: str, shape: str, place: tuple[float, float, float]) -> Thing:
    return Thing.model_validate(
        {
            "name": name, "shape": shape, "size": (0.05, 0.05, 0.05), "position": place, "mass": 0.1,
            "friction": 0.5, "restitution": 0.0, "color": (0.5, 0.5, 0.5),
        }
    )  # fmt: skip


def main(mode: str) -> None:
    config = sim_utils.SimulationCfg(dt=1 / RATE, device="cpu", physics=OvPhysxCfg(enable_enhanced_determinism=True))
    scene = InteractiveSceneCfg(num_envs=3, env_spacing=6.0, replicate_physics=True)
    table = spawn.scenery()["table"]
    assert table.spawn.size[2] == 2 * TABLE_HALF[2]
    if mode == "average":
        table.spawn.physics_material = averaging()
    scene.table = table
    scene.bounce = spawn.bounce()
    scene.ball = spawn.thing_of(thing("ball", "sphere", (0.6, 0.4, 0.025 + DROP)))
    scene.box = spawn.thing_of(thing("box", "box", (0.2, -0.4, 0.025)))
    with launch_simulation(config, {"device": "cpu"}):
        print(json.dumps(measured(sim_utils.SimulationContext(config), scene)), flush=True)
        os._exit(0)


def averaging(*_: float) -> sim_utils.RigidBodyMaterialCfg:
    """A material with USD's default modes."""
    return sim_utils.RigidBodyMaterialCfg(static_friction=1.0, dynamic_friction=1.0, restitution=0.0)


def begin(task: str) -> str:
    """Begin an episode on a table with USD's default modes, and with springs of the wrong kind; what is said then."""
    from hpvqa.sim.isaaclab3.launch import open_lab3
    from hpvqa.sim.planner import Planner

    spec = sample(task)
    start = Planner(TASKS[task].waypoints(spec)).command(0.0)
    with mock.patch.object(shared, "pair_material", averaging), mock.patch.object(springs, "DRIVE", "acceleration"):
        simulator = open_lab3(spec, 1, 15, None)
    try:
        simulator.begin([spec], [start])
    except RunError as error:
        return str(error)
    return "it began"


def measured(simulation: Any, config: InteractiveSceneCfg) -> dict[str, list[float]]:
    scene = InteractiveScene(config)
    simulation.reset()
    write(scene["ball"], [(0.5, 0.5, restitution) for restitution in RESTITUTIONS])
    write(scene["box"], [(friction, friction, 0.0) for friction in FRICTIONS])
    start = torch.tensor([[SPEED, 0, 0, 0, 0, 0]] * 3)
    scene["box"].write_root_velocity_to_sim_index(root_velocity=start)
    begin = scene["box"].data.root_pos_w.torch[:, 0].clone()
    heights = []
    for _ in range(RATE * 3 // 2):
        scene.write_data_to_sim()
        simulation.step(render=False)
        scene.update(1 / RATE)
        heights.append(scene["ball"].data.root_pos_w.torch[:, 2] - 0.025)
    height = torch.stack(heights)
    rebounds = []
    for number in range(3):
        hit = int((height[:, number] < 0.004).nonzero()[0])
        falls = height[hit + 5 :, number]
        rebounds.append(float(falls.max()) / DROP)
    return {"rebounds": rebounds, "slides": (scene["box"].data.root_pos_w.torch[:, 0] - begin).tolist()}


def write(target: Any, values: list[tuple[float, float, float]]) -> None:
    shape = _materials(target).shape
    wanted = torch.tensor(values).reshape(3, *(1,) * (len(shape) - 2), 3).expand(shape).contiguous()
    target.root_view.set_attribute(material_of(target), warp.from_torch(wanted))


if __name__ == "__main__":
    if sys.argv[1] in TASKS:
        print("\n" + json.dumps({"said": begin(sys.argv[1])}), flush=True)
        os._exit(0)
    main(sys.argv[1])
