"""Speed of Isaac Lab 3 with PhysX beside MuJoCo: steps, episodes, pictures.

Run with no arguments, with the Python of the embedded simulator; children in the Python of Isaac Lab 3 (`make isaac`)
measure PhysX and the Warp renderer. CPU time is that of all threads of a process, so that it holds on a machine that
others use as well; wall time is told beside it. Prints one line for each measurement, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("LP_NUM_THREADS", "0")

from hpvqa.recipe import Recipe
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


def tell(who: str, what: str, found: dict[str, Any]) -> None:
    print(json.dumps({"simulator": who, "what": what, **found}), flush=True)


def in_isaac(count: int) -> None:
    """Measure so many environments, in the child. Cameras draw only when they are asked."""
    from hpvqa.sim.isaaclab3.launch import open_lab3

    opened: list[Simulator] = []
    start = took(lambda: opened.append(open_lab3(specs(1)[0], count, FPS, SIZE)))
    found = physics(opened[0], count)
    print()
    tell("PhysX", "physics", {**found, "start, CPU [s]": round(start[1], 1)})
    tell("Warp", "pictures", pictures(opened[0], count))
    os._exit(0)


def by_child(count: int) -> None:
    from hpvqa.sim import isaac_python

    command = [*isaac_python("ovphysx").command, "-m", "benchmarks.isaac", str(count)]
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'cli'}"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=True)
    print("\n".join(done.stdout.splitlines()[-2:]), flush=True)


def main() -> None:
    """Measure everything, the quick things first."""
    if len(sys.argv) > 1:
        in_isaac(int(sys.argv[1]))
    from hpvqa.sim import open_simulator

    print(json.dumps({"load": os.getloadavg(), "cores": len(os.sched_getaffinity(0))}), flush=True)
    tell("MuJoCo", "physics", physics(open_simulator(None), 1))
    tell("ours", "pictures", pictures(open_simulator(SIZE), 1))
    for count in MANY:
        by_child(count)


if __name__ == "__main__":
    main()
