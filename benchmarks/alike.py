"""How alike pictures by MuJoCo and by Isaac Lab 3 are: the first moment of the same episodes, in all cameras of a rig.

Run with no arguments, with the Python of the embedded simulator; a child in the Python of Isaac Lab 3 (`make isaac`)
draws the other half. Prints one line of JSON: by task and region the median CIE 1976 colour difference of the brighter
half of its pixels (median over pictures, and the largest), how far the middles of things lie apart [pixels], how much
silhouettes overlap, and how much depths differ [mm]. A file as argument gets the pictures of the first episodes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("LP_NUM_THREADS", "0")

import numpy as np
from numpy.typing import NDArray

from hpvqa.recipe import Recipe
from hpvqa.scene.camera import focal_pixels, rotation
from hpvqa.scene.color import _TO_XYZ, linear
from hpvqa.scene.layers import LAYERS
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.room import FLOOR_Z, ROOM_HALF, TABLE_CENTER, TABLE_HALF
from hpvqa.scene.sampling import sample_episode
from hpvqa.scene.spec import CameraSpec, EpisodeSpec
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import Simulator, labels
from hpvqa.tasks import TASKS

ROOT = Path(__file__).parents[1]
CHOSEN = ("push", "drop", "press")
COUNT = 8
SIZE = (224, 224)
SEED = 7300
LEAST = 20
"""Pixels that a region has in a picture, or it is left out there."""
Pictures = dict[str, NDArray[Any]]
"""Colours, depths and segmentations, shape (cameras, episodes, height, width, …) each."""


def specs(task: str) -> list[EpisodeSpec]:
    """Episodes of one task."""
    rig, found = Recipe().camera_rig(), TASKS[task]
    cameras = rig.cameras(task)
    return [
        sample_episode(found, found.ranges(), Randomization(), rig.name, cameras, seed=SEED, index=index)
        for index in range(COUNT)
    ]


def drawn(simulator: Simulator, episodes: Sequence[EpisodeSpec]) -> Pictures:
    """The first moment of episodes side by side, in all cameras."""
    starts = [Planner(TASKS[spec.task].waypoints(spec)).command(0.0) for spec in episodes]
    simulator.begin(episodes, starts)
    found: dict[str, list[NDArray[Any]]] = defaultdict(list)
    for camera in episodes[0].cameras:
        found["rgb"].append(simulator.images(camera))
        for layer, values in simulator.layers(camera, LAYERS).items():
            found[layer].append(values)
    assert not any(simulator.troubles()), simulator.troubles()
    return {name: np.stack(values) for name, values in found.items()}


def by_mujoco(task: str) -> Pictures:
    """All episodes, one after another."""
    from hpvqa.sim import open_simulator

    simulator = open_simulator(SIZE)
    each = [drawn(simulator, [spec]) for spec in specs(task)]
    return {name: np.concatenate([one[name] for one in each], axis=1) for name in each[0]}


def by_child(task: str) -> Pictures:
    """The same by PhysX and the Warp renderer."""
    from hpvqa.sim import isaac_python

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pictures.npz"
        command = [*isaac_python("ovphysx").command, "-m", "benchmarks.alike", "--child", task, str(file)]
        environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'cli'}"}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environ)
        with np.load(file) as found:
            return dict(found)


def child(task: str, file: str) -> None:
    """Draw in Isaac Lab."""
    from hpvqa.sim.isaaclab3.launch import open_lab3

    episodes = specs(task)
    simulator = open_lab3(episodes[0], COUNT, TASKS[task].default_fps, SIZE, LAYERS)
    np.savez(file, **drawn(simulator, episodes))  # type: ignore[arg-type]
    os._exit(0)


def lab(colors: NDArray[np.uint8]) -> NDArray[np.float64]:
    """CIE L*a*b* (D65) of sRGB pixels, shape (n, 3)."""
    t = linear(colors / 255) @ _TO_XYZ.T  # type: ignore[arg-type]
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def regions(camera: CameraSpec, depth: NDArray[Any], segments: NDArray[Any], things: int) -> dict[str, NDArray[Any]]:
    """Which pixels show what."""
    height, width = depth.shape
    focal = focal_pixels(camera.focal_length, width)
    v, u = np.mgrid[:height, :width] + 0.5
    rays = np.stack([(u - width / 2) / focal, (height / 2 - v) / focal, -np.ones_like(u)], axis=2)
    place = np.array(camera.position) + (rays @ rotation(camera.quat_wxyz).T) * depth[:, :, None] / 1000
    rest = (segments == 0) & (depth > 0)
    inside = (np.abs(place[..., :2] - TABLE_CENTER) < np.array(TABLE_HALF[:2]) - 0.01).all(axis=2)
    return {
        "table": rest & inside & (np.abs(place[..., 2]) < 0.005),
        "floor": rest & (np.abs(place[..., 2] - FLOOR_Z) < 0.01),
        "things": (segments >= 2) & (segments < 2 + things),
        "robot": segments == 1,
        "walls": rest & (np.abs(np.abs(place[..., :2]).max(axis=2) - ROOM_HALF) < 0.01),
    }


def middle(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The mean place of pixels, shape (2,)."""
    found: NDArray[np.float64] = np.argwhere(mask).mean(axis=0)
    return found


def compared(task: str, ours: Pictures, theirs: Pictures) -> dict[str, Any]:
    """All figures of one task."""
    colors, darker = defaultdict(list), defaultdict(list)
    apart, overlaps, depths = [], defaultdict(list), []
    for number, spec in enumerate(specs(task)):
        known = labels(spec.names)
        for index, camera in enumerate(spec.cameras):
            a, b = ({name: values[index, number] for name, values in one.items()} for one in (ours, theirs))
            mine, other = (regions(camera, one["depth"], one["segmentation"], len(spec.names)) for one in (a, b))
            for name in mine:
                both = mine[name] & other[name]
                if both.sum() < LEAST:
                    continue
                one, two = lab(a["rgb"][both]), lab(b["rgb"][both])
                bright = one[:, 0] >= np.median(one[:, 0])
                colors[name].append(float(np.median(np.linalg.norm(one - two, axis=1)[bright])))
                darker[name].append(float(np.median((two - one)[bright, 0])))
            for name, label in known.items():
                here, there = a["segmentation"] == label, b["segmentation"] == label
                if min(here.sum(), there.sum()) >= LEAST:
                    what = "robot" if name == "robot" else "things"
                    overlaps[what].append((here & there).sum() / (here | there).sum())
                    if name != "robot":
                        apart.append(float(np.linalg.norm(middle(here) - middle(there))))
            same = (a["segmentation"] == b["segmentation"]) & (a["depth"] > 0) & (b["depth"] > 0)
            depths.append(np.abs(a["depth"][same].astype(int) - b["depth"][same].astype(int)))
    return {
        "colour difference": {name: [round(float(np.median(v)), 1), round(max(v), 1)] for name, v in colors.items()},
        "lighter by L*": {name: round(float(np.median(v)), 1) for name, v in darker.items()},
        "middles apart [pixels]": [round(float(np.median(apart)), 2), round(max(apart), 2)],
        "overlap": {name: [round(float(min(v)), 3), round(float(np.median(v)), 3)] for name, v in overlaps.items()},
        "depths differ [mm]": [float(np.percentile(np.concatenate(depths), share)) for share in (50, 99)],
    }


def main() -> None:
    """Draw, compare and tell."""
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:4])
    found, rows = {}, []
    for task in CHOSEN:
        ours, theirs = by_mujoco(task), by_child(task)
        found[task] = compared(task, ours, theirs)
        rows += [np.concatenate(list(one["rgb"][:, 0]), axis=1) for one in (ours, theirs)]
    if sys.argv[1:]:
        from PIL import Image

        Image.fromarray(np.concatenate(rows)).save(sys.argv[1], quality=90)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
