"""Starting Kit: what it is given, and what is said when the robot's model is not there. Kit itself is stood in."""

from __future__ import annotations

import sys
import types
from typing import Any

import isaaclab.app
import isaaclab.utils.assets
import pytest

from hpvqa.errors import UsageError
from hpvqa.sim.isaac import launch
from hpvqa.sim.isaac.robot import MODEL
from tests.worlds import sample


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What Isaac Lab's launcher was given; the process's own arguments are put back in the end."""
    found: list[Any] = []

    def launcher(arguments: dict[str, Any]) -> Any:
        found.append(arguments)
        return types.SimpleNamespace(app="app")

    monkeypatch.setattr(isaaclab.app, "AppLauncher", launcher)
    monkeypatch.setattr(sys, "argv", ["child"])
    return found


def test_kit_starts_without_a_window_and_with_cameras_if_there_is_video(given: list[Any]) -> None:
    assert launch.start_kit(cameras=True, assets=None) == "app"
    launch.start_kit(cameras=False, assets=None)
    assert [(one["headless"], one["enable_cameras"]) for one in given] == [(True, True), (True, False)]
    assert sys.argv == ["child"]


def test_an_offline_copy_of_the_assets_may_lie_anywhere(given: list[Any]) -> None:
    launch.start_kit(cameras=True, assets="/mnt/my disk/Assets/Isaac/5.1")
    assert sys.argv == ["child", "--/persistent/isaac/asset_root/cloud=/mnt/my disk/Assets/Isaac/5.1"]


def test_a_model_that_is_not_there_is_a_sentence(given: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(isaaclab.utils.assets, "check_file_path", lambda path: asked.append(path) or 0)
    with pytest.raises(UsageError, match=r"franka\.usd cannot be read; give .* or set HPVQA_ISAAC_ASSETS"):
        launch.open_isaac(sample("push"), 2, 10, None)
    assert asked == [MODEL]
    assert given[0]["enable_cameras"] is False
