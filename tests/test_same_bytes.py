"""What a change of the code must not change: trajectories and decoded frames of the first tasks, bit for bit.

The digests were made before things had names. They hold for one kind of machine and the versions that are named with
them; elsewhere floating-point numbers and pictures may differ in the last bit, and the test says so and skips.
``python -m tests.test_same_bytes`` makes them anew, for a change that is meant to change bytes.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from hpvqa.record.decode import read_frames
from hpvqa.record.episode import find_episodes, read_episode
from hpvqa.record.trajectory import read_trajectory
from tests.shared import collect

DIGESTS = Path(__file__).with_name("digests.json")
TASKS = ("push", "drop")
EPISODES = 8
FILMED = f"--episodes {EPISODES} --seed 20261125 --fps 1 --resolution 224x224 --workers 2"
"""One frame a second costs least and shows as much."""


def made_with() -> dict[str, str]:
    """What bits depend on."""
    pytest.importorskip("mujoco", exc_type=ImportError)
    import os
    import platform

    from hpvqa.sim.mujoco.gl import choose_gl
    from hpvqa.sim.render.context import open_context

    gl = choose_gl(os.environ)
    context = open_context(gl, 32, 32)
    from OpenGL import GL

    found = {
        "machine": platform.machine(),
        "renderer": GL.glGetString(GL.GL_RENDERER).decode(),
        "mesa": GL.glGetString(GL.GL_VERSION).decode(),
        **{name: version(name) for name in ("mujoco-core", "numpy", "av", "fast-simplification")},
    }
    context.free()
    return found


def digest_of(folder: Path) -> dict[str, str]:
    """SHA-256 of an episode's trajectory and of all frames of its clips, as they decode."""
    record = read_episode(folder)
    assert record.video is not None
    numbers, pictures = hashlib.sha256(), hashlib.sha256()
    for name, column in sorted(read_trajectory(folder / "trajectory.parquet", record.spec.names).items()):
        numbers.update(name.encode() + column.tobytes())
    for camera in record.cameras:
        for image in read_frames(folder / f"{camera.camera.name}.mp4", list(range(record.video.frames))):
            pictures.update(np.ascontiguousarray(image).tobytes())
    return {"trajectory": numbers.hexdigest(), "frames": pictures.hexdigest()}


def digests(data: Path) -> dict[str, list[dict[str, str]]]:
    """Of all episodes in a data folder, by task."""
    return {task: [digest_of(folder) for folder in find_episodes(data, task)] for task in TASKS}


@pytest.fixture(scope="module")
def known() -> dict[str, object]:
    found: dict[str, object] = json.loads(DIGESTS.read_text())
    here = made_with()
    different = {name: (there, here.get(name)) for name, there in found["made_with"].items() if here.get(name) != there}  # type: ignore[attr-defined]
    if different:
        pytest.skip(f"the digests are of another machine or other versions: {different}")
    return found


def test_push_and_drop_are_the_same_bit_for_bit(known: dict[str, object], tmp_path: Path) -> None:
    found = digests(collect(tmp_path / "data", *TASKS, *FILMED.split()))
    assert [len(episodes) for episodes in found.values()] == [EPISODES] * len(TASKS)
    assert found == known["episodes"]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        made = digests(collect(Path(folder) / "data", *TASKS, *FILMED.split()))
    DIGESTS.write_text(json.dumps({"made_with": made_with(), "episodes": made}, indent=1) + "\n")
