"""The Gymnasium environment keeps its contract, and tells nothing that an agent must not know."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpvqa.errors import UsageError
from tests.explore_worlds import group, write_worlds
from tests.needs import ROOT

gymnasium = pytest.importorskip("gymnasium")

from hpvqa.explore.gym import NAME, ExploreEnv, register  # noqa: E402 - it needs gymnasium


def test_it_keeps_the_contract(tmp_path: Path) -> None:
    from gymnasium.utils.env_checker import check_env

    register()
    env = gymnasium.make(NAME, worlds=write_worlds(tmp_path / "worlds"), pictures=False)
    check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.simulation
@pytest.mark.long
def test_it_keeps_the_contract_with_pictures_too(tmp_path: Path) -> None:
    from gymnasium.utils.env_checker import check_env

    pytest.importorskip("mujoco", exc_type=ImportError)
    register()
    with closing(gymnasium.make(NAME, worlds=write_worlds(tmp_path / "worlds"), render_mode="rgb_array")) as env:
        check_env(env.unwrapped)
        first, _ = env.reset(options={"scene": 0})
        assert first["image"].std() > 10
        assert np.array_equal(env.render(), first["image"])
        twin, _ = env.reset(options={"scene": 1})
        assert np.array_equal(twin["image"], first["image"])


@pytest.mark.long
@pytest.mark.simulation
def test_the_example_of_the_documentation_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mujoco", exc_type=ImportError)
    text = (ROOT / "docs" / "explore.md").read_text(encoding="utf-8")
    example = text[text.index("```python\nimport gymnasium") :].split("```")[1].removeprefix("python\n")
    write_worlds(tmp_path / "worlds")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102 - our own
    assert names["observation"]["image"].shape == (384, 384, 3)
    names["env"].close()


def test_the_ideal_plan_is_rewarded_and_what_is_not_offered_costs_a_step(tmp_path: Path) -> None:
    env = ExploreEnv(write_worlds(tmp_path / "worlds"), pictures=False)
    for number, scene in enumerate(group()):
        assert env.reset(options={"scene": number})[1] == {}
        _, reward, answered, out, info = env.step(np.int64(12))
        assert (reward, answered, out, info["offered"]) == (0.0, False, False, False)
        for action in scene.plan:
            letter = next(option.letter for option in env.turn.options if option.action == action)
            _, reward, answered, out, info = env.step(np.int64(ord(letter) - ord("A")))
        assert (reward, answered, out) == (1.0, True, False)


def test_a_scene_ends_without_an_answer_once_no_step_is_left(tmp_path: Path) -> None:
    env = ExploreEnv(write_worlds(tmp_path / "worlds"), pictures=False)
    env.reset(seed=0)
    ends = [env.step(np.int64(12))[2:4] for _ in range(group()[0].steps)]
    assert ends == [(False, False)] * (len(ends) - 1) + [(False, True)]


def test_a_folder_without_scenes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no scenes"):
        ExploreEnv(tmp_path)
