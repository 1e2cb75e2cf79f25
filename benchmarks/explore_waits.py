"""How long a model waits for simulators, and simulators for it, while scenes are played with pictures.

Run with no arguments on an otherwise idle machine; takes some minutes on two cores without a GPU. Forty scenes are
drawn, and played by a tiny Qwen3-VL with random weights, with one worker and with two. Prints one line of JSON, last.
"""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("LP_NUM_THREADS", "0")

from hpvqa.explore.agents.model import open_model
from hpvqa.explore.draw import GROUP, draw_group
from hpvqa.explore.runs.folder import RunSettings
from hpvqa.explore.runs.run import run
from hpvqa.explore.scene import HIDING, Scene
from hpvqa.progress.reporter import Reporter
from hpvqa.vlm.choice import ModelChoice
from hpvqa.vlm.tiny import build_tiny

SCENES = 40
WORKERS = (1, 2)
BATCH = 8


def scenes() -> list[Scene]:
    """The first groups of each family."""
    places = [(family, number) for number in range(SCENES // GROUP) for family in HIDING][: SCENES // GROUP]
    return [scene.sealed() for family, number in places for scene in next(draw_group(family, number, 0))]


def measure(drawn: list[Scene], model: Path, out: Path, workers: int) -> dict[str, float]:
    """Play all scenes once."""
    agent = open_model(ModelChoice(model=str(model), device="cpu", dtype="float32", batch_size=BATCH), {})
    settings = RunSettings(
        agent="tiny", backend="transformers", condition="active", worlds="worlds", worlds_seed=0, families=HIDING,
        split="all", seed=0, looks=True, privileged=False, versions={},
    )  # fmt: skip
    agent.load(lambda text: None)
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    played, waits = run(drawn, agent, out, settings, Reporter([], time.time), workers=workers)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    agent.close()
    # The simulators' own time, their start included.
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "wall_s": round(wall, 1),
        "decisions": waits.decisions,
        "model_decides_s": round(waits.deciding, 1),
        "model_waits_s": round(waits.waiting, 1),
        "simulators_work_s": round(busy, 1),
        "simulators_wait_s": round(workers * wall - busy, 1),
        "robot_actions": sum(step.robot_seconds > 0 for one in played for step in one.steps),
    }


def main() -> None:
    drawn = scenes()
    found = {}
    with tempfile.TemporaryDirectory() as name:
        build_tiny("qwen3_vl", Path(name) / "model", trainable=True)
        for workers in WORKERS:
            found[f"workers_{workers}"] = measure(drawn, Path(name) / "model", Path(name) / f"run-{workers}", workers)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
