"""The open stage: its cameras, and the preview or the episode on it."""

from __future__ import annotations

from typing import Any

import omni.usd
from omni.kit.viewport.utility import get_active_viewport, get_active_viewport_camera_string

from hpvqa_collector import preview, replay
from hpvqa_collector.errors import BadInputError

_seen_before: list[str] = []
"""The camera that the viewport looked through before it looked through one of ours."""


def viewport_camera() -> dict[str, Any]:
    """The camera that the viewport looks through, as a rig has it.

    Raises:
        BadInputError: There is none.
    """
    camera = preview.camera_of(_stage(), get_active_viewport_camera_string() or "/")
    if camera is None:
        raise BadInputError("There is no viewport with a camera; open one first")
    return camera


def selected_cameras() -> list[dict[str, Any]]:
    """The cameras that are selected, as a rig has them.

    Raises:
        BadInputError: None is.
    """
    stage = _stage()
    paths = omni.usd.get_context().get_selection().get_selected_prim_paths()
    cameras = [camera for path in paths if (camera := preview.camera_of(stage, path)) is not None]
    if not cameras:
        raise BadInputError("No camera is selected; select one in the stage first")
    return cameras


def draw(spec: dict[str, Any], resolution: tuple[int, int]) -> dict[str, str]:
    """Draw an episode on the stage; returns the prims of its cameras by name.

    Raises:
        BadInputError: No stage is open.
    """
    return preview.draw(_stage(), spec, resolution)


def draw_episode(episode: dict[str, Any]) -> dict[str, str]:
    """Draw a recorded episode at its start on the stage; returns the prims of its cameras by name.

    Raises:
        BadInputError: No stage is open.
    """
    return replay.draw(_stage(), episode)


def pose(episode: dict[str, Any], row: int) -> None:
    """Put the bodies of the episode that was drawn where they were at a row.

    Raises:
        BadInputError: They are not on the stage any more.
    """
    if not replay.pose(_stage(), episode, row):
        raise BadInputError("The episode is not on the stage any more; press Replay again")


def erase() -> None:
    """Take what was drawn away, if a stage is open and has it, and let the viewport look as it did before."""
    viewport = get_active_viewport()
    if viewport is not None and _seen_before and _is_ours(viewport):
        viewport.camera_path = _seen_before[-1]
    _seen_before.clear()
    stage = omni.usd.get_context().get_stage()
    if stage is not None:
        preview.erase(stage)


def look_through(path: str) -> None:
    """Let the viewport look through a camera.

    Raises:
        BadInputError: There is no viewport, or the camera has gone.
    """
    viewport = get_active_viewport()
    if viewport is None:
        raise BadInputError("There is no viewport; open one first")
    if not _stage().GetPrimAtPath(path):
        raise BadInputError("This camera has gone from the stage; preview the scene, or replay the episode, again")
    if not _is_ours(viewport):
        _seen_before[:] = [str(viewport.camera_path)]
    viewport.camera_path = path


def _is_ours(viewport: Any) -> bool:
    return preview.is_ours(str(viewport.camera_path))


def _stage() -> Any:
    stage = omni.usd.get_context().get_stage()
    if stage is None:
        raise BadInputError("No stage is open; make or open one first")
    return stage
