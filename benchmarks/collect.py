"""What collecting costs: time of a frame, of a worker beside a bare MuJoCo loop, scaling to two workers, and memory.

Run with no arguments on an otherwise idle machine; takes about a quarter of an hour on two cores without a GPU. Prints
a readable account while it goes, and all figures as one line of JSON last. Ratios are taken within one run, for these
are what holds from machine to machine.
With ``against CHECKOUT`` it collects with this checkout and with another one in turn, and prints the ratios.
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
from benchmarks.classic import Classic

from hpvqa.record.recorder import record_episodes
from hpvqa.resources import default_cache
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.sampling import sample_episode
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim import open_simulator
from hpvqa.sim.mujoco.assets import MODEL, robot_dir
from hpvqa.sim.mujoco.gl import choose_gl
from hpvqa.sim.mujoco.simulator import MujocoSimulator
from hpvqa.sim.mujoco.world import TIMESTEP, write_properties
from hpvqa.sim.planner import Planner
from hpvqa.tasks import TASKS

RESOLUTIONS = ((224, 224), (640, 480))


def spec_of(task: str, index: int) -> EpisodeSpec:
    rig = load_rig("paper")
    return sample_episode(
        TASKS[task], TASKS[task].ranges(), Randomization(), rig.name, rig.cameras(task), seed=5, index=index
    )


def settled(resolution: tuple[int, int]) -> MujocoSimulator:
    """A simulator in the middle of a push."""
    simulator, spec = open_simulator(resolution), spec_of("push", 0)
    assert isinstance(simulator, MujocoSimulator)
    planner = Planner(TASKS["push"].waypoints(spec))
    simulator.reset(spec, planner.command(0.0))
    for step in range(round(2.0 / TIMESTEP)):
        simulator.step(planner.command(step * TIMESTEP))
    return simulator


def cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def measure_frames() -> dict[str, float]:
    """CPU time of a frame by our renderer, by MuJoCo's own, and of what still stands, once an episode and camera."""
    cache = default_cache(os.environ)
    robot_xml, gl = robot_dir(cache) / MODEL, choose_gl(os.environ)
    found = {}
    spec = spec_of("push", 0)
    for resolution in RESOLUTIONS:
        simulator = settled(resolution)
        classic = Classic(spec, robot_xml, cache, resolution, gl)
        classic.data.qpos[:] = simulator._world.data.qpos
        mujoco.mj_forward(classic.model, classic.data)

        def ours(simulator: MujocoSimulator = simulator) -> None:
            simulator._rendered_step = -1
            for camera in spec.cameras:
                simulator.render(camera)

        def still(simulator: MujocoSimulator = simulator) -> None:
            simulator._drawn = None
            ours(simulator)

        ours()
        classic.draw()
        pairs = [(cpu(ours), cpu(classic.draw), cpu(still)) for _ in range(15)]
        name, views = f"{resolution[0]}x{resolution[1]}", len(spec.cameras)
        found[f"frame_ms_{name}"] = 1000 / views * median(a for a, _, _ in pairs)
        found[f"frame_classic_ms_{name}"] = 1000 / views * median(b for _, b, _ in pairs)
        found[f"frame_ratio_{name}"] = median(a / b for a, b, _ in pairs)
        found[f"once_a_camera_ms_{name}"] = 1000 / views * median(c - a for a, _, c in pairs)
        simulator.close()
        classic.close()
    return found


def recorded_controls(simulator: MujocoSimulator, spec: EpisodeSpec) -> tuple[np.ndarray, np.ndarray]:
    """Joint positions at the start of an episode, and the actuators' signals at every step of it."""
    planner = Planner(TASKS[spec.task].waypoints(spec))
    simulator.reset(spec, planner.command(0.0))
    start = simulator._world.data.qpos.copy()
    controls = []
    for step in range(round(planner.duration / TIMESTEP)):
        simulator.step(planner.command(step * TIMESTEP))
        controls.append(simulator._world.data.ctrl.copy())
    return start, np.array(controls)


def bare_loop(simulator: MujocoSimulator, task: str, resolution: tuple[int, int], fps: int, *, classic: bool) -> float:
    """Wall seconds of a loop of the same steps and frames, and nothing else: no control, no record, no encoding.

    Args:
        simulator: Where the controls come from, and, if not ``classic``, the pictures.
        task: The task.
        resolution: Of the pictures.
        fps: Frame rate.
        classic: Whether MuJoCo's own renderer draws.
    """
    spec = spec_of(task, 0)
    start, controls = recorded_controls(simulator, spec)
    cache = default_cache(os.environ)
    plain = Classic(spec, robot_dir(cache) / MODEL, cache, resolution, choose_gl(os.environ))
    model, data = plain.model, plain.data
    write_properties(model, data, spec.things)
    data.qpos[:] = start
    mujoco.mj_forward(model, data)
    plain.draw()
    simulator.reset(spec, Planner(TASKS[task].waypoints(spec)).command(0.0))
    steps = round(1 / (fps * TIMESTEP))
    begin = time.perf_counter()
    for step, control in enumerate(controls):
        if step % steps == 0 and classic:
            plain.draw()
        elif step % steps == 0:
            simulator._world.data.qpos[:] = data.qpos
            mujoco.mj_kinematics(simulator._world.model, simulator._world.data)
            simulator._rendered_step = -1
            for camera in spec.cameras:
                simulator.render(camera)
        data.ctrl[:] = control
        mujoco.mj_step(model, data)
    wall = time.perf_counter() - begin
    plain.close()
    return wall


def measure_overhead() -> dict[str, float]:
    found = {}
    for resolution in RESOLUTIONS:
        simulator = open_simulator(resolution)
        assert isinstance(simulator, MujocoSimulator)
        name = f"{resolution[0]}x{resolution[1]}"
        for task, kind in TASKS.items():
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                record_episodes(
                    simulator, [spec_of(task, 0)], [Path(folder)], fps=kind.default_fps, resolution=resolution
                )
                wall = time.perf_counter() - start
            for classic, what in ((True, "plain_mujoco"), (False, "bare")):
                bare = bare_loop(simulator, task, resolution, kind.default_fps, classic=classic)
                found[f"worker_over_{what}_{task}_{name}"] = wall / bare
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
    simulator = open_simulator(resolution)
    sizes = []
    for index in range(50):
        task = list(TASKS)[index % len(TASKS)]
        with tempfile.TemporaryDirectory() as folder:
            record_episodes(simulator, [spec_of(task, index)], [Path(folder)], fps=fps, resolution=resolution)
        sizes.append(resident_mb())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {"worker_peak_mb": peak, "worker_growth_5th_to_50th": sizes[49] / sizes[4] - 1}


def collected(checkout: Path, resolution: tuple[int, int]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak megabytes of one worker that collects push and drop with a checkout's code."""
    with tempfile.TemporaryDirectory() as folder:
        options = f"push drop --episodes 1 --resolution {resolution[0]}x{resolution[1]} --workers 1 --out {folder}/data"
        command = [sys.executable, "-m", "hpvqa", "collect", *options.split()]
        # A shell waits for the command, so that its children's peak is this command's and no other's.
        account = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, capture_output=True); "
        account += "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
        account += "print(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)"
        environment = os.environ | {"PYTHONPATH": str(checkout / "cli")}
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", account, *command], check=True, capture_output=True, text=True, env=environment
        )
        wall = time.perf_counter() - start
        seconds, peak = done.stdout.split()
        return wall, float(seconds), float(peak)


def measure_against(other: Path, rounds: int = 3) -> dict[str, float]:
    """This checkout over another one: the same command, the two in turn, the median of the rounds' ratios."""
    found = {}
    for resolution in RESOLUTIONS:
        ratios = []
        for round_ in range(rounds):
            pair = {
                checkout: collected(checkout, resolution) for checkout in (Path.cwd(), other)[:: 1 - 2 * (round_ % 2)]
            }
            ratios.append([here / there for here, there in zip(pair[Path.cwd()], pair[other], strict=True)])
            print(f"{resolution}: {ratios[-1]} of {pair[other]}", file=sys.stderr, flush=True)
        name = f"{resolution[0]}x{resolution[1]}"
        for what, values in zip(("wall", "cpu", "peak_memory"), zip(*ratios, strict=True), strict=True):
            found[f"{what}_ratio_{name}"] = median(values)
    return found


def measure_help() -> dict[str, float]:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "hpvqa", "--help"], check=True, capture_output=True)
        return time.perf_counter() - start

    return {"help_s": median(once() for _ in range(7))}


def in_child(name: str) -> dict[str, float]:
    """One measurement in a fresh process, so that none inherits another's memory."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.collect", name], check=True, stdout=subprocess.PIPE, text=True
    )
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
    if len(sys.argv) > 2 and sys.argv[1] == "against":
        print(json.dumps(measure_against(Path(sys.argv[2]).resolve())))
        return
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
