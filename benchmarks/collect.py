"""What collecting costs: time of a frame, of a worker beside a bare MuJoCo loop, scaling to two workers, and memory.

Run with no arguments on an otherwise idle machine; takes about a quarter of an hour on two cores without a GPU. Prints
a readable account while it goes, and all figures as one line of JSON last. Ratios are taken within one run, for these
are what holds from machine to machine.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

os.environ.setdefault("LP_NUM_THREADS", "0")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import mujoco
import numpy as np

from hpvqa.record.recorder import record_episode
from hpvqa.resources import default_cache
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.sampling import sample_episode
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim import open_simulator
from hpvqa.sim.mujoco.assets import MODEL, robot_dir
from hpvqa.sim.mujoco.gl import choose_gl
from hpvqa.sim.mujoco.render import Renderer
from hpvqa.sim.mujoco.robot import light_robot, reduced, replace_visuals, visual_meshes
from hpvqa.sim.mujoco.simulator import TIMESTEP, MujocoSimulator
from hpvqa.sim.mujoco.world import apply_spec, build_model
from hpvqa.sim.planner import Planner
from hpvqa.tasks import TASKS

RESOLUTIONS = ((224, 224), (640, 480))
REFERENCE_FACES = 1500


def spec_of(task: str, index: int) -> EpisodeSpec:
    rig = load_rig("paper")
    return sample_episode(TASKS[task](), Randomization(), rig.name, rig.cameras(task), seed=5, index=index)


def reference_robot(robot_xml: Path) -> mujoco.MjSpec:
    """The robot with every single mesh cut to 1,500 faces, and nothing else done."""
    spec = mujoco.MjSpec.from_file(str(robot_xml))
    replace_visuals(spec, [reduced(mesh, REFERENCE_FACES) for mesh in visual_meshes(spec.copy().compile())])
    return spec


def frame_cost(model: mujoco.MjModel, resolution: tuple[int, int], gl: str) -> Callable[[], float]:
    """A function that draws all seven views once and returns the CPU seconds of a frame."""
    data = mujoco.MjData(model)
    spec = spec_of("push", 0)
    apply_spec(model, spec, resolution)
    mujoco.mj_setConst(model, data)
    mujoco.mj_forward(model, data)
    renderer = Renderer(model, *resolution, gl)

    def draw() -> float:
        start = time.process_time()
        renderer.update(data)
        for camera in range(len(spec.cameras)):
            renderer.render(data, camera)
        return (time.process_time() - start) / len(spec.cameras)

    draw()
    return draw


def measure_frames() -> dict[str, float]:
    cache = default_cache(os.environ)
    robot_xml = robot_dir(cache) / MODEL
    gl = choose_gl(os.environ)
    found = {}
    for resolution in RESOLUTIONS:
        ours = frame_cost(build_model(light_robot(robot_xml, cache), TIMESTEP, resolution), resolution, gl)
        reference = frame_cost(build_model(reference_robot(robot_xml), TIMESTEP, resolution), resolution, gl)
        pairs = [(ours(), reference()) for _ in range(15)]
        name = f"{resolution[0]}x{resolution[1]}"
        found[f"frame_ms_{name}"] = 1000 * median(a for a, _ in pairs)
        found[f"frame_reference_ms_{name}"] = 1000 * median(b for _, b in pairs)
        found[f"frame_ratio_{name}"] = median(a / b for a, b in pairs)
    return found


def recorded_controls(simulator: MujocoSimulator, spec: EpisodeSpec) -> tuple[np.ndarray, np.ndarray]:
    """Joint positions at the start of an episode, and the actuators' signals at every step of it."""
    planner = Planner(TASKS[spec.task].waypoints(spec))
    simulator.reset(spec, planner.command(0.0))
    start = simulator._data.qpos.copy()
    controls = []
    for step in range(round(planner.duration / TIMESTEP)):
        simulator.step(planner.command(step * TIMESTEP))
        controls.append(simulator._data.ctrl.copy())
    return start, np.array(controls)


def bare_loop(simulator: MujocoSimulator, task: str, resolution: tuple[int, int], fps: int) -> float:
    """Wall seconds of plain MuJoCo making the same steps and frames: no control, no record, no encoding."""
    spec = spec_of(task, 0)
    start, controls = recorded_controls(simulator, spec)
    cache = default_cache(os.environ)
    model = build_model(light_robot(robot_dir(cache) / MODEL, cache), TIMESTEP, resolution)
    data = mujoco.MjData(model)
    apply_spec(model, spec, resolution)
    mujoco.mj_setConst(model, data)
    renderer = Renderer(model, *resolution, choose_gl(os.environ))
    data.qpos[:] = start
    mujoco.mj_forward(model, data)
    renderer.update(data)
    renderer.render(data, 0)
    steps = round(1 / (fps * TIMESTEP))
    begin = time.perf_counter()
    for step, control in enumerate(controls):
        if step % steps == 0:
            renderer.update(data)
            for camera in range(len(spec.cameras)):
                renderer.render(data, camera)
        data.ctrl[:] = control
        mujoco.mj_step(model, data)
    wall = time.perf_counter() - begin
    renderer.close()
    return wall


def measure_overhead() -> dict[str, float]:
    found = {}
    for resolution in RESOLUTIONS:
        simulator = open_simulator("mujoco", resolution)
        assert isinstance(simulator, MujocoSimulator)
        for task, kind in TASKS.items():
            bare = bare_loop(simulator, task, resolution, kind.default_fps)
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                record_episode(simulator, spec_of(task, 0), Path(folder), fps=kind.default_fps, resolution=resolution)
                ratio = (time.perf_counter() - start) / bare
            found[f"worker_over_bare_{task}_{resolution[0]}x{resolution[1]}"] = ratio
        simulator.close()
    return found


def collect_seconds(workers: int, episodes: int) -> float:
    """Wall seconds of a whole collection, start-up included."""
    with tempfile.TemporaryDirectory() as folder:
        progress = Path(folder) / "progress.jsonl"
        options = f"push --episodes {episodes} --resolution 224x224 --workers {workers} --out {folder}/data"
        command = [sys.executable, "-m", "hpvqa", "collect", *options.split(), "--progress-file", str(progress)]
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - start


def measure_scaling() -> dict[str, float]:
    one, two = collect_seconds(1, 12), collect_seconds(2, 12)
    return {"collect_one_worker_s": one, "collect_two_workers_s": two, "two_workers_speedup": one / two}


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def measure_memory() -> dict[str, float]:
    """Memory of one worker over fifty episodes; runs in a process of its own."""
    resolution, fps = (640, 480), 5
    simulator = open_simulator("mujoco", resolution)
    sizes = []
    for index in range(50):
        task = list(TASKS)[index % len(TASKS)]
        with tempfile.TemporaryDirectory() as folder:
            record_episode(simulator, spec_of(task, index), Path(folder), fps=fps, resolution=resolution)
        sizes.append(resident_mb())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {"worker_peak_mb": peak, "worker_growth_5th_to_50th": sizes[49] / sizes[4] - 1}


def measure_help() -> dict[str, float]:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "hpvqa", "--help"], check=True, capture_output=True)
        return time.perf_counter() - start

    return {"help_s": median(once() for _ in range(7))}


def in_child(name: str) -> dict[str, float]:
    """One measurement in a fresh process, so that none inherits another's memory."""
    done = subprocess.run([sys.executable, __file__, name], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def announced(name: str) -> Iterator[None]:
    print(f"{name} ...", file=sys.stderr, flush=True)
    start = time.perf_counter()
    yield
    print(f"{name}: done in {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


MEASUREMENTS = {
    "help": measure_help,
    "frames": measure_frames,
    "overhead": measure_overhead,
    "scaling": measure_scaling,
    "memory": measure_memory,
}


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(MEASUREMENTS[sys.argv[1]]()))
        return
    figures: dict[str, float] = {"cores": float(os.cpu_count() or 0)}
    for name in MEASUREMENTS:
        with announced(name):
            figures |= in_child(name)
    for name, value in figures.items():
        print(f"{name:40} {value:10.4g}")
    print(json.dumps({name: float(np.round(value, 5)) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
