"""What a change of the code must not change: trajectories and decoded frames of the first tasks, bit for bit.

The digests hold for one kind of machine and the versions that are named with them; elsewhere floating-point numbers and
pictures may differ in the last bit, and the test says so and skips. Those of frames hold for one processor, too: Mesa
draws with its approximate reciprocals, which processors of different makers give differently.
``python -m tests.test_same_bytes`` makes them anew, for a change that is meant to change bytes; ``--keep`` adds this
processor's frames to what else is known of the same code.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from hpvqa.record.decode import read_frames
from hpvqa.record.episode import find_episodes, read_episode
from hpvqa.record.trajectory import COMMAND, read_trajectory
from tests.shared import EPISODES, FILMED, MOVES, PUSHES, collect, made_by_two

DIGESTS = Path(__file__).with_name("digests.json")
TASKS = ("push", "drop")
MOVED = 8
"""So many of the episodes of each task in :func:`tests.shared.moved`, or fewer if it has fewer."""
FILMS = {"push": 4, "drop": 2}
"""How many episodes with clips the digests are of."""
DROPS = PUSHES // 2
"""So many drops are made beside the pushes of :func:`tests.shared.filmed`."""


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


def processor() -> str:
    """Which processor this is: maker, family and model."""
    told = dict(re.findall(r"^(\w[\w ]*?)\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE))
    return " ".join(told.get(name, "?") for name in ("vendor_id", "cpu family", "model"))


def trajectory_of(folder: Path) -> str:
    """SHA-256 of where everything was in an episode."""
    return _columns_of(folder, lambda name: name not in COMMAND)


def commands_of(folder: Path) -> str:
    """SHA-256 of what the robot was told in an episode."""
    return _columns_of(folder, lambda name: name in COMMAND)


def _columns_of(folder: Path, wanted: Callable[[str], bool]) -> str:
    numbers = hashlib.sha256()
    for name, column in sorted(read_trajectory(folder / "trajectory.parquet", read_episode(folder).spec.names).items()):
        if wanted(name):
            numbers.update(name.encode() + column.tobytes())
    return numbers.hexdigest()


def frames_of(folder: Path) -> str:
    """SHA-256 of all frames of an episode's clips, as they decode."""
    record = read_episode(folder)
    assert record.video is not None
    pictures = hashlib.sha256()
    for camera in record.cameras:
        for image in read_frames(folder / f"{camera.camera.name}.mp4", list(range(record.video.frames))):
            pictures.update(np.ascontiguousarray(image).tobytes())
    return pictures.hexdigest()


def digests(moved: Path, filmed: Path, dropped: Path) -> dict[str, list[str]]:
    """What is compared: trajectories of both tasks, commands, and frames."""
    pictured = [*find_episodes(filmed, "push"), *find_episodes(dropped, "drop")]
    return {
        **{task: list(map(trajectory_of, list(find_episodes(moved, task))[:MOVED])) for task in TASKS},
        "filmed": list(map(trajectory_of, pictured)),
        "commands": list(map(commands_of, pictured)),
        "frames": list(map(frames_of, pictured)),
    }


@pytest.fixture(scope="module")
def known() -> dict[str, object]:
    found: dict[str, object] = json.loads(DIGESTS.read_text())
    here = made_with()
    different = {name: (there, here.get(name)) for name, there in found["made_with"].items() if here.get(name) != there}  # type: ignore[attr-defined]
    if different:
        pytest.skip(f"the digests are of another machine or other versions: {different}")
    return found


def test_push_and_drop_are_the_same_bit_for_bit(
    known: dict[str, object], moved: Path, filmed: Path, tmp_path: Path
) -> None:
    expected = known["episodes"]
    assert isinstance(expected, dict)
    expected.update({task: expected[task][:EPISODES] for task in TASKS})
    expected.update({name: made(expected[name]) for name in ("filmed", "commands")})
    found = digests(moved, filmed, collect(tmp_path / "data", "drop", *FILMED, *made_by_two(DROPS)))
    here, seen, frames = processor(), found.pop("frames"), expected.pop("frames")
    assert found == expected
    if here not in frames:
        pytest.skip(f"nothing is known of frames of this processor, {here}")
    assert seen == made(frames[here])


def made(known: list[str]) -> list[str]:
    """Of what is known of all episodes with clips, that of those that are made here."""
    return known[:PUSHES] + known[FILMS["push"] :][:DROPS]


if __name__ == "__main__":
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        moves = collect(Path(folder) / "moved", *TASKS, *MOVES, "--episodes", str(MOVED))
        films, drops = (
            collect(Path(folder) / task, task, *FILMED, *made_by_two(episodes)) for task, episodes in FILMS.items()
        )
        new: dict[str, object] = {**digests(moves, films, drops)}
    others = json.loads(DIGESTS.read_text())["episodes"]["frames"] if "--keep" in sys.argv else {}
    new["frames"] = {**others, processor(): new["frames"]}
    DIGESTS.write_text(json.dumps({"made_with": made_with(), "episodes": new}, indent=1) + "\n")
