"""The open stage: its cameras, and the preview on it."""

from __future__ import annotations

from typing import Any

import omni.usd
from omni.kit.viewport.utility import get_active_viewport, get_active_viewport_camera_string

from hpvqa_collector import preview
from hpvqa_collector.errors import BadInputError


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


def erase() -> None:
    """Take the preview away, if a stage is open and has one."""
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
        raise BadInputError("The previewed camera has gone; preview the scene again")
    viewport.camera_path = path


def _stage() -> Any:
    stage = omni.usd.get_context().get_stage()
    if stage is None:
        raise BadInputError("No stage is open; make or open one first")
    return stage
