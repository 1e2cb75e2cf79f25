"""How alike PhysX and MuJoCo are: twenty values of each task, realised by both, beside the law between them.

Run with no arguments, with the Python of the embedded simulator; the episodes of PhysX are made by a child in the
Python of Isaac Lab 3 (`make isaac`). Prints a table while it goes, and all figures as one line of JSON last. Names of
tasks as arguments choose some.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from hpvqa.record.episode import EpisodeRecord
from hpvqa.record.recorder import record_episodes
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.sampling import sample_episode
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.tasks import TASKS

ROOT = Path(__file__).parents[1]
VALUES = {
    "push": ("mass", np.linspace(0.5, 5.0, 20)),
    "drop": ("restitution", np.linspace(0.05, 1.0, 20)),
    "weigh": ("mass", np.linspace(0.5, 5.0, 20)),
    "slide": ("friction", np.linspace(0.1, 0.7, 20)),
    "press": ("stiffness", np.geomspace(100.0, 2500.0, 20)),
}
"""Of each task that Isaac Lab can hold: the hidden property, over its whole range."""


def specs_of(task: str) -> list[EpisodeSpec]:
    """Ten episodes without jitter, whose twenty things have the values, small ones beside large ones."""
    rig, still = load_rig("paper"), Randomization(start_jitter=0.0)
    hidden, values = VALUES[task]
    found = []
    for index, (low, high) in enumerate(zip(values[:10], values[10:], strict=True)):
        spec = sample_episode(
            TASKS[task], TASKS[task].ranges(), still, rig.name, rig.cameras(task), seed=5, index=index
        )
        first, second = spec.things
        things = first.with_hidden(hidden, float(low)), second.with_hidden(hidden, float(high))
        found.append(spec.model_copy(update={"things": things}))
    return found


def outcomes(records: Sequence[EpisodeRecord], hidden: str) -> dict[str, float | str]:
    """What each value led to, by the value."""
    found: dict[str, float | str] = {}
    for record in records:
        measured = record.outcome.measurement
        for thing in record.spec.things:
            what = measured.values[thing.name] if measured is not None else record.outcome.reason or "failed"
            found[f"{thing.hidden(hidden):.4f}"] = what
    return found


def recorded(simulator: object, specs: Sequence[EpisodeSpec]) -> list[EpisodeRecord]:
    task = TASKS[specs[0].task]
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / str(number) for number in range(len(specs))]
        for folder in folders:
            folder.mkdir()
        return record_episodes(simulator, specs, folders, fps=task.default_fps, resolution=None)  # type: ignore[arg-type]


def in_mujoco(task: str) -> dict[str, float | str]:
    from hpvqa.sim import open_simulator

    simulator = open_simulator(None)
    records = [record for spec in specs_of(task) for record in recorded(simulator, [spec])]
    return outcomes(records, VALUES[task][0])


def in_physx(task: str) -> dict[str, float | str]:
    """As above, all episodes side by side; for the child."""
    from hpvqa.sim.isaaclab3.launch import open_lab3

    specs = specs_of(task)
    simulator = open_lab3(specs[0], len(specs), TASKS[task].default_fps, None)
    start = time.monotonic()
    found = outcomes(recorded(simulator, specs), VALUES[task][0])
    print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)
    return found


def by_child(task: str) -> dict[str, float | str]:
    from hpvqa.sim import isaac_python

    command = [*isaac_python("ovphysx").command, "-m", "benchmarks.parity", "--child", task]
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'cli'}"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=True)
    found: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
    return found


def law(task: str, value: float) -> float:
    thing = specs_of(task)[0].things[0].with_hidden(VALUES[task][0], value)
    return float(TASKS[task].probe.law(thing))


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        print("\n" + json.dumps(in_physx(sys.argv[2])), flush=True)
        os._exit(0)
    figures = {}
    for task in sys.argv[1:] or VALUES:
        hidden, values = VALUES[task]
        mujoco, physx = in_mujoco(task), by_child(task)
        figures[task] = {"mujoco": mujoco, "physx": physx}
        print(f"{hidden:>12} {'law':>8} {'mujoco':>8} {'physx':>8}")
        for value in values:
            key = f"{value:.4f}"
            print(f"{key:>12} {law(task, float(value)):8.4f} {mujoco[key]!s:>8.8} {physx[key]!s:>8.8}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
