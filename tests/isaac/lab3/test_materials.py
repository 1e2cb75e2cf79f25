"""What friction, restitution and stiffness do, not only what is read back of them, in real PhysX."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from hpvqa.scene.spec import GRAVITY
from tests.patience import PATIENCE

pytestmark = [
    pytest.mark.isaaclab,
    pytest.mark.skipif(find_spec("ovphysx") is None, reason="needs Isaac Lab 3: make isaac-test"),
]
RESTITUTIONS, FRICTIONS, SPEED = (0.2, 0.6, 0.9), (0.2, 0.4, 0.6), 0.7


def seen(mode: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.isaac.lab3.materials_child", mode]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def slide(friction: float) -> float:
    return SPEED**2 / (2 * friction * GRAVITY)


def test_pairs_with_our_table_have_the_thing_s_values() -> None:
    found = seen("partner")
    assert found["rebounds"] == pytest.approx([e**2 for e in RESTITUTIONS], abs=0.01)
    assert found["slides"] == pytest.approx([slide(friction) for friction in FRICTIONS], rel=0.03)


def test_a_thing_s_own_modes_are_lost_when_its_values_are_written() -> None:
    """Why the modes are the table's; should this fail, PhysX keeps a thing's modes now."""
    found = seen("average")
    assert found["rebounds"] == pytest.approx([(e / 2) ** 2 for e in RESTITUTIONS], abs=0.01)
    assert found["slides"] == pytest.approx([slide((friction + 1) / 2) for friction in FRICTIONS], rel=0.03)


@pytest.mark.parametrize(("task", "what"), [("push", "slides"), ("drop", "rebounds to"), ("press", "goes down")])
def test_no_episode_begins_where_things_have_other_values(task: str, what: str) -> None:
    said = seen(task)["said"]
    assert "does not give things the properties that they have" in said
    assert what in said
