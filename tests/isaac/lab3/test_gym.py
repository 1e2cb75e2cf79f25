"""The registered environments in real Isaac Lab 3 with real PhysX: ids, actions, specs, somebody's configuration."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from hpvqa.scene.randomization import Randomization
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.sampling import sample_episode
from hpvqa.tasks import TASKS

pytestmark = [
    pytest.mark.isaaclab,
    pytest.mark.skipif(find_spec("ovphysx") is None, reason="needs Isaac Lab 3: make isaac-test"),
]
TASK = "drop"


def starts(index: int) -> list[float]:
    """Where the things of an episode of the seed 7 start, as `hpvqa collect` would have it."""
    rig, task = load_rig("paper"), TASKS[TASK]
    spec = sample_episode(
        task, task.ranges(), Randomization(), rig.name, rig.cameras(TASK), seed=7, index=index, attempt=0
    )
    return [value for thing in spec.things for value in thing.position]


def test_an_environment_is_made_stepped_and_reset() -> None:
    command = [sys.executable, "-m", "tests.isaac.lab3.gym_child", TASK]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], timeout=1800)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["ids"] == sorted(f"Hpvqa-{task.title()}" for task in found["supported"])
    assert {"push", "drop", "weigh", "slide", "press"} <= set(found["supported"])
    assert found["asked"] == "TaskEnvCfg"
    assert all(wrong == [] for wrong in found["wrong"].values())
    # Joints, pinch point, closing, things.
    for number, row in enumerate(found["first"]):
        assert len(row) == 7 + 4 + 6
        assert row[11:] == pytest.approx(starts(number), abs=2e-3)
    up, forth = (np.array(found["moved"]) - found["first"]).tolist()
    way = 8 * 0.25 / TASKS[TASK].default_fps
    assert up[7:10] == pytest.approx([0, 0, way], abs=0.4 * way)
    assert forth[7:10] == pytest.approx([way, 0, 0], abs=0.4 * way)
    assert found["moved"][0][10] > 0.3 > found["moved"][1][10]
    assert found["rewards"][-1][0] > found["rewards"][-1][1]
    # Only the second one has become another episode.
    assert found["again"][0][11:] == pytest.approx(found["moved"][0][11:], abs=2e-3)
    assert found["again"][1][11:] == pytest.approx(starts(2), abs=2e-3)
    assert found["again"][1][:7] == pytest.approx(found["first"][1][:7], abs=0.02)
