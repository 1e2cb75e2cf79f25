"""Runs with pictures: what the simulators show and what the tables say is the same course."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hpvqa.explore.protocol import Decision, Turn
from hpvqa.explore.rays import PIXELS
from hpvqa.explore.samples.make import make
from hpvqa.explore.world import SceneWorld
from hpvqa.sim import open_simulator
from tests.explore_play import Scripted, play, rule
from tests.explore_worlds import group


@pytest.mark.long
def test_a_run_with_pictures_goes_as_the_tables_say(tmp_path: Path) -> None:
    pytest.importorskip("mujoco", exc_type=ImportError)
    plans = {scene.index: list(scene.plan) for scene in group()}

    def ideal(turn: Turn) -> Decision:
        action = plans[turn.brief.scene.index][turn.step]
        return Decision(next(option.letter for option in turn.options if option.action == action))

    agent = Scripted(ideal)
    agent.looks = True
    scenes = group()[:3]
    drawn = play(agent, tmp_path / "drawn", scenes=scenes)
    told = play(rule("ideal"), tmp_path / "told", scenes=scenes)
    for a, b in zip(drawn, told, strict=True):
        assert [step.mishap for step in a.steps] == [None] * len(a.steps)
        assert [step.privileged for step in a.steps] == [step.privileged for step in b.steps]
        robot = [[step.robot_seconds for step in one.steps] for one in (a, b)]
        assert robot[0] == pytest.approx(robot[1], abs=0.002)
    # Twins look the same at first, and their picture is there once; each file is named by its content.
    assert drawn[0].steps[0].shot == drawn[1].steps[0].shot
    assert drawn[0].steps[0].shot != drawn[2].steps[0].shot
    for path in (tmp_path / "drawn" / "shots").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
    assert all(turn.shots[-1].image.shape == (384, 384, 3) for turn in agent.turns)
    assert all(len(turn.shots) == turn.step + 1 for turn in agent.turns)
    firsts = [turn.shots[0].image for turn in agent.turns if turn.brief.scene.index < 2]
    assert all(np.array_equal(image, firsts[0]) for image in firsts)


@pytest.mark.slow
def test_pictures_of_samples_are_small_files_that_are_called_by_their_bytes() -> None:
    pytest.importorskip("mujoco", exc_type=ImportError)
    files: dict[str, bytes] = {}
    made = make(group()[2], SceneWorld(open_simulator((PIXELS, PIXELS))), files.__setitem__)
    assert not made.left_out
    assert {name for sample in made.samples for name in sample.pictures} == set(files)
    for name, data in files.items():
        assert name == f"{hashlib.sha256(data).hexdigest()}.jpg"
        picture = Image.open(io.BytesIO(data))
        assert (picture.format, picture.size) == ("JPEG", (PIXELS, PIXELS))
        assert len(data) < 40_000
