"""Speed and memory of Isaac Lab 3 with PhysX: beside MuJoCo, beside a bare loop of Isaac Lab, and batch after batch.

Run with no arguments, with the Python of the embedded simulator; children in the Python of Isaac Lab 3 (`make isaac`)
measure PhysX and the Warp renderer. CPU time is that of all threads of a process, so that it holds on a machine that
others use as well; wall time is told beside it. Prints one line for each measurement, as JSON. Names of measurements
(`worlds`, `collecting`, `memory`) as arguments choose some.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("LP_NUM_THREADS", "0")

import numpy as np

from hpvqa.collect.isaac import child_environment
from hpvqa.recipe import Recipe
from hpvqa.record.recorder import record_episodes
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.sampling import sample_episode
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import Simulator
from hpvqa.tasks import TASKS

ROOT = Path(__file__).parents[1]
TASK = next(iter(TASKS))
FPS = TASKS[TASK].default_fps
MANY = (1, 4, 16)
FRAMES = 15
"""Of an episode that are measured; those of a whole one take as long each."""
SIZE = (224, 224)
MOMENTS = 2
"""At which pictures of all cameras are drawn."""
SIDE_BY_SIDE = 4
"""Environments in which collecting is measured beside a bare loop."""
PARTS = 3
"""Waypoints of a recorded episode that are followed: start, approach and push."""
BATCHES = 50
SMALL = (64, 48)
"""Pictures while memory is measured."""


def specs(count: int) -> list[EpisodeSpec]:
    """So many episodes of the first task."""
    rig, task = Recipe().camera_rig(), TASKS[TASK]
    cameras = rig.cameras(TASK)
    return [
        sample_episode(task, task.ranges(), Randomization(), rig.name, cameras, seed=11, index=index)
        for index in range(count)
    ]


def took(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU time [s]."""
    wall, cpu = time.monotonic(), time.process_time()
    work()
    return time.monotonic() - wall, time.process_time() - cpu


def physics(simulator: Simulator, count: int) -> dict[str, Any]:
    """Steps of all worlds a second, and episodes a minute from what a start and a frame take."""
    episodes = specs(count)
    planners = [Planner(TASKS[TASK].waypoints(spec)) for spec in episodes]
    starts = [planner.command(0.0) for planner in planners]
    begin = took(lambda: simulator.begin(episodes, starts))
    steps = round(1.0 / (FPS * simulator.timestep))

    def run() -> None:
        for frame in range(FRAMES):
            times = [step * simulator.timestep for step in range(frame * steps, (frame + 1) * steps)]
            simulator.advance([[planner.command(moment) for moment in times] for planner in planners])

    wall, cpu = took(run)
    frames = planners[0].duration * FPS
    return {
        "worlds": count,
        "steps a second, CPU": round(FRAMES * steps * count / cpu),
        "steps a second, wall": round(FRAMES * steps * count / wall),
        "episodes a minute, CPU": round(60 * count / (begin[1] + cpu * frames / FRAMES), 1),
        "episodes a minute, wall": round(60 * count / (begin[0] + wall * frames / FRAMES), 1),
        "simulated seconds a CPU second": round(FRAMES * count / FPS / cpu, 2),
    }


def pictures(simulator: Simulator, count: int) -> dict[str, Any]:
    """Pictures a second, of all cameras, while things move."""
    episodes = specs(count)
    planner = Planner(TASKS[TASK].waypoints(episodes[0]))
    simulator.begin(episodes, [planner.command(0.0)] * count)
    cameras = episodes[0].cameras
    for camera in cameras:
        simulator.images(camera)
    steps = round(1.0 / (FPS * simulator.timestep))
    wall = cpu = 0.0
    for _ in range(MOMENTS):
        simulator.advance([[planner.command(0.0)] * steps] * count)
        seconds = took(lambda: [simulator.images(camera) for camera in cameras])
        wall, cpu = wall + seconds[0], cpu + seconds[1]
    drawn = MOMENTS * len(cameras) * count
    return {
        "worlds": count,
        "size": SIZE,
        "pictures a second, CPU": round(drawn / cpu, 1),
        "pictures a second, wall": round(drawn / wall, 1),
    }


BEGIN = '{"simulator": '
"""Of a line that tells a measurement."""


def tell(who: str, what: str, found: dict[str, Any]) -> None:
    print(json.dumps({"simulator": who, "what": what, **found}), flush=True)


def recorded(simulator: Simulator, episodes: Sequence[EpisodeSpec], size: tuple[int, int], parts: int) -> None:
    """Record the first waypoints of episodes side by side, as collecting does."""
    waypoints = [TASKS[TASK].waypoints(spec)[:parts] for spec in episodes]
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / str(number) for number in range(len(episodes))]
        for folder in folders:
            folder.mkdir()
        with mock.patch.object(type(TASKS[TASK]), "waypoints", side_effect=waypoints):
            record_episodes(simulator, episodes, folders, fps=FPS, resolution=size)


def steps_of(parts: int) -> tuple[int, int]:
    """Frames until the last of the first waypoints of an episode, and physics steps in each."""
    from hpvqa.sim.isaac.timing import substeps

    return round(Planner(TASKS[TASK].waypoints(specs(1)[0])[:parts]).duration * FPS), substeps(FPS)


def bare() -> None:
    """What collecting is measured against: Isaac Lab's own action, the same scene, steps and pictures, nothing kept."""
    from hpvqa.sim.isaaclab3 import launch

    made: list[Any] = []

    def stock(settings: Any, config: Any) -> Any:
        import isaaclab.envs.mdp as mdp
        from isaaclab.envs import ManagerBasedRLEnv

        from hpvqa.sim.isaac.names import ROBOT
        from hpvqa.sim.isaaclab3.look import light
        from hpvqa.sim.isaaclab3.names import ARM_JOINTS

        config.actions.arm = mdp.JointPositionActionCfg(asset_name=ROBOT, joint_names=ARM_JOINTS)
        config.events.specs = None
        env = ManagerBasedRLEnv(cfg=config)
        made.append(env)
        return env, light

    with mock.patch("hpvqa.sim.isaaclab3.simulator.Lab3Simulator", stock):
        opened: Any = launch.open_lab3(specs(1)[0], SIDE_BY_SIDE, FPS, SIZE)
    env, light = opened
    import torch

    from hpvqa.sim.isaac.batch import SETTLE_TIME
    from hpvqa.sim.isaac.names import camera
    from hpvqa.sim.isaac.timing import timestep

    cameras = [camera(one.name) for one in specs(1)[0].cameras]
    light(env.scene[cameras[0]]._renderer.newton_sensor)
    frames, _ = steps_of(PARTS)
    still = torch.zeros(SIDE_BY_SIDE, len(env.action_manager.action[0]))

    def loop() -> None:
        env.reset()
        for _ in range(round(SETTLE_TIME / timestep(FPS)) + 1):
            env.scene.write_data_to_sim()
            env.sim.step(render=False)
            env.scene.update(dt=timestep(FPS))
        for _ in range(frames):
            for name in cameras:
                np.array(env.scene[name].data.output["rgb"].torch[..., :3].numpy())
            env.step(still)

    tell("bare Isaac Lab", "collecting", seconds_of(loop))


def collecting() -> None:
    """The same steps and pictures as a bare loop, recorded."""
    from hpvqa.sim.isaaclab3.launch import open_lab3

    episodes = specs(SIDE_BY_SIDE)
    simulator = open_lab3(episodes[0], SIDE_BY_SIDE, FPS, SIZE)
    tell("PhysX", "collecting", seconds_of(lambda: recorded(simulator, episodes, SIZE, PARTS)))


def seconds_of(work: Callable[[], object]) -> dict[str, Any]:
    """Wall and CPU time of work that was done once before, which compiles what draws."""
    work()
    wall, cpu = took(work)
    frames, steps = steps_of(PARTS)
    what = {"worlds": SIDE_BY_SIDE, "size": SIZE, "frames": frames, "steps a frame": steps}
    return {**what, "CPU [s]": round(cpu, 1), "wall [s]": round(wall, 1)}


def memory() -> None:
    """Memory after every one of many batches: two environments, one movement, settled for less long than usual."""
    from hpvqa.sim.isaac import batch
    from hpvqa.sim.isaaclab3.launch import open_lab3

    episodes = specs(2)
    simulator = open_lab3(episodes[0], 2, FPS, SMALL)
    found = []
    with mock.patch.object(batch, "SETTLE_TIME", 0.1):
        for _ in range(BATCHES):
            recorded(simulator, episodes, SMALL, 2)
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
            found.append(round(pages * resource.getpagesize() / 1e6, 1))
    tell("PhysX", "memory", {"worlds": 2, "size": SMALL, "MB after each batch": found})


def worlds(count: int) -> None:
    """Measure so many environments. Cameras draw only when they are asked."""
    from hpvqa.sim.isaaclab3.launch import open_lab3

    opened: list[Simulator] = []
    start = took(lambda: opened.append(open_lab3(specs(1)[0], count, FPS, SIZE)))
    found = physics(opened[0], count)
    tell("PhysX", "physics", {**found, "start, CPU [s]": round(start[1], 1)})
    tell("Warp", "pictures", pictures(opened[0], count))


def by_child(what: str) -> None:
    from hpvqa.sim import isaac_python

    command = [*isaac_python("ovphysx").command, "-m", "benchmarks.isaac", "--child", what]
    environ = {**child_environment(command, os.environ, "ovphysx"), "PYTHONPATH": f"{ROOT}:{ROOT / 'cli'}"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environ, check=True)
    for line in done.stdout.splitlines():
        # Isaac Lab leaves lines unfinished.
        _, begin, rest = line.partition(BEGIN)
        if begin:
            print(begin + rest, flush=True)


def in_isaac(what: str) -> None:
    """Measure something, in the child."""
    if what.isdecimal():
        worlds(int(what))
    else:
        {"bare": bare, "collecting": collecting, "memory": memory}[what]()
    os._exit(0)


CHILDREN = {"worlds": [str(count) for count in MANY], "collecting": ["bare", "collecting"], "memory": ["memory"]}
"""What is measured in Isaac Lab, by measurement, each in a child of its own."""


def main() -> None:
    """Measure everything, the quick things first."""
    if sys.argv[1:2] == ["--child"]:
        in_isaac(sys.argv[2])
    wanted = sys.argv[1:] or list(CHILDREN)
    from hpvqa.sim import open_simulator

    print(json.dumps({"load": os.getloadavg(), "cores": len(os.sched_getaffinity(0))}), flush=True)
    if "worlds" in wanted:
        tell("MuJoCo", "physics", physics(open_simulator(None), 1))
        tell("ours", "pictures", pictures(open_simulator(SIZE), 1))
    for what in wanted:
        for child in CHILDREN[what]:
            by_child(child)


if __name__ == "__main__":
    main()
