"""Episodes filmed for training: the physics of a recording, and only the frames that a model is shown."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from hpvqa.errors import UsageError
from hpvqa.record.decode import iter_frames
from hpvqa.record.episode import TRAJECTORY_FILE, find_episodes, read_episode
from hpvqa.record.recorder import record_episodes
from hpvqa.record.trajectory import read_trajectory
from hpvqa.scene.spec import SIDES
from hpvqa.sim import open_simulator
from hpvqa.tasks import TASKS
from hpvqa.vlm.frames.choose import choose
from hpvqa.vlm.frames.clip import Clip
from research.reels.__main__ import command, shoot
from research.reels.plan import BLOCK, FRAMES, RATES, Plan
from tests.factories import make_data, quiet

RIGS = ("paper", "close")


def test_tasks_grow_side_by_side() -> None:
    order = list(Plan({"push": 8, "drop": 24}, RIGS, 1).order())
    assert sorted(order) == [("drop", index) for index in range(24)] + [("push", index) for index in range(8)]
    assert Counter(task for task, _ in order[:16]) == {"drop": 12, "push": 4}


def test_what_looks_alike_is_balanced() -> None:
    plan = Plan({"push": 48}, RIGS, 1)
    takes = [plan.take(index) for index in range(48)]
    for begin in range(0, 48, BLOCK):
        assert takes[begin : begin + BLOCK] == [takes[begin]] * BLOCK
        answers = [takes[begin].collections["paper"].spec("push", index) for index in range(begin, begin + BLOCK)]
        assert Counter(TASKS["push"].answer(spec) for spec in answers) == dict.fromkeys(SIDES, BLOCK // 2)
    assert {take.fps for take in takes} == set(RATES)
    assert {tuple(take.collections) for take in takes} == {RIGS, RIGS[:1]}
    looks = {take.collections["paper"].randomization.look for take in takes}
    assert looks == {"plain", "materials"}


@pytest.mark.simulation
@pytest.mark.long
def test_a_reel_is_a_recording_with_fewer_pictures(tmp_path: Path) -> None:
    words = ["balance=1", "--seed", "5", "--rig", "paper", "--out", str(tmp_path / "reels")]
    assert CliRunner().invoke(command, words, catch_exceptions=False).exit_code == 0
    (folder,) = find_episodes(tmp_path / "reels" / "paper")
    record = read_episode(folder)
    assert record.video is not None
    clip = Clip(folder, record.video.fps, record.video.frames)
    shown = list(iter_frames(folder / f"{record.cameras[2].camera.name}.mp4"))
    assert len(shown) == len(choose(FRAMES, clip)) < record.video.frames / 5
    assert shown[0].std() > 10
    assert np.abs(shown[0].astype(int) - shown[5]).max() > 50
    written = folder.stat().st_mtime_ns
    assert CliRunner().invoke(command, words, catch_exceptions=False).exit_code == 0
    assert folder.stat().st_mtime_ns == written

    (tmp_path / "plain").mkdir()
    simulator = open_simulator(None)
    (plain,) = record_episodes(simulator, [record.spec], [tmp_path / "plain"], fps=int(clip.fps), resolution=None)
    simulator.close()
    assert plain.events == record.events
    columns = [read_trajectory(place / TRAJECTORY_FILE, record.spec.names) for place in (folder, tmp_path / "plain")]
    assert all(np.array_equal(columns[0][name], columns[1][name]) for name in columns[0])


def test_episodes_of_another_seed_do_not_count_as_filmed(tmp_path: Path) -> None:
    make_data(tmp_path / "paper", push=1, seed=3)

    def again(seed: int) -> None:
        # Nothing is missing, so there is nothing to simulate.
        shoot(None, Plan({"push": 1}, ("paper",), seed), tmp_path, quiet(), 1)  # type: ignore[arg-type]

    again(3)
    with pytest.raises(UsageError, match=r"episode-000000 is of seed 3, not 4; give another folder with --out"):
        again(4)


def test_what_is_no_task_is_a_clear_error(tmp_path: Path) -> None:
    for wrong in ("pull=3", "push", "push=x"):
        result = CliRunner().invoke(command, [wrong, "--seed", "1", "--out", str(tmp_path)])
        assert isinstance(result.exception, UsageError)
        assert "is not a task and a number of episodes" in str(result.exception)
