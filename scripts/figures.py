"""Draws figures of the documentation: the table from above with all cameras, and an episode over time."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle, Wedge

from hpvqa.main import cli
from hpvqa.record.episode import EpisodeRecord, episode_dir, read_episode
from hpvqa.record.plot import COLORS
from hpvqa.record.trajectory import read_trajectory
from hpvqa.scene.camera import fovy, rotation
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.spec import SIDES, CameraSpec
from hpvqa.sim.room import TABLE_CENTER, TABLE_HALF

IMAGES = Path("docs/images")
TITLES = {"push": "push: two cubes", "drop": "drop: two spheres"}
EPISODES = {"push": 0, "drop": 2}
"""The episodes of the timeline, of the default seed; this drop bounces plainly."""
PLACES = {
    "front_top_narrow": (-1.15, 1.2),
    "back_top_narrow": (1.15, 1.2),
    "back_wide": (0.0, -0.62),
    "back_left_wide": (-1.2, -0.25),
    "back_right_wide": (1.2, -0.25),
}
"""Where the names of crowded cameras are written; the others stand beside their cameras."""


def main() -> None:
    """Write both figures into ``docs/images``."""
    matplotlib.rcParams.update({"font.size": 9})
    from_above().savefig(IMAGES / "from-above.png", dpi=130)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        for task, episode in EPISODES.items():
            call = ["collect", task, "--episodes", str(episode + 1), "--no-video", "--out", str(data)]
            cli.main(call, standalone_mode=False)
        timeline(data).savefig(IMAGES / "timeline.png", dpi=130)


def from_above() -> Figure:
    """The table as the robot sees it: forward is up, the robot's left is on the left."""
    figure = Figure(figsize=(9.6, 5.6), layout="constrained")
    for axes, task in zip(figure.subplots(1, 2), TITLES, strict=True):
        _table(axes, task)
        for camera in load_rig("paper").cameras(task):
            _camera(axes, camera)
        axes.set(xlim=(-2.6, 2.6), ylim=(-2.7, 2.7), aspect="equal", title=TITLES[task])
        axes.set_xlabel("y [m], the robot's left is +y")
        axes.set_ylabel("x [m], forward")
        # The picture's right is the robot's right, which is -y.
        axes.set_xticks([-2, -1, 0, 1, 2], ["2", "1", "0", "-1", "-2"])
        axes.grid(alpha=0.2)
    return figure


def _table(axes: Axes, task: str) -> None:
    width, depth = 2 * TABLE_HALF[1], 2 * TABLE_HALF[0]
    axes.add_patch(Rectangle((-width / 2, TABLE_CENTER[0] - depth / 2), width, depth, color="#eadfcf"))
    axes.add_patch(Circle((0, 0), 0.1, color="#555555"))
    axes.annotate("", (0, 0.34), (0, 0.05), arrowprops={"arrowstyle": "->", "color": "#555555"})
    axes.text(0.13, 0, "robot", ha="left", va="center", color="#555555", fontsize=8)
    for side, x in (("left", -0.2), ("right", 0.2)):
        shape: Any = Rectangle((x - 0.05, 0.35), 0.1, 0.1) if task == "push" else Circle((x, 0.4), 0.055)
        shape.set_color(COLORS[side])
        axes.add_patch(shape)
        axes.text(x, 0.52, side, ha="center", color=COLORS[side], weight="bold")


def _camera(axes: Axes, camera: CameraSpec) -> None:
    x, y, z = camera.position
    forward = -rotation(camera.quat_wxyz)[:, 2]
    # The picture's axes are the robot's, turned: right is -y, up is x.
    heading = np.degrees(np.arctan2(forward[0], -forward[1]))
    half = np.degrees(np.arctan(np.tan(fovy(camera.focal_length, 4, 3) / 2) * 4 / 3))
    if abs(forward[2]) < 0.9:
        axes.add_patch(Wedge((-y, x), 0.6, heading - half, heading + half, color="#777777", alpha=0.3, lw=0))
    axes.plot(-y, x, "o", color="black", ms=4)
    name = f"{camera.name}\n{z:g} m high"
    if camera.name in PLACES:
        line = {"arrowstyle": "-", "color": "#999999", "lw": 0.7}
        axes.annotate(name, (-y, x), PLACES[camera.name], ha="center", va="center", fontsize=7, arrowprops=line)
    else:
        above = x > 0
        axes.text(-y, x + (0.12 if above else -0.12), name, ha="center", va="bottom" if above else "top", fontsize=7)


def timeline(data: Path) -> Figure:
    """What both objects do in one episode of each task, with its events."""
    figure = Figure(figsize=(9.6, 5.4), layout="constrained")
    for axes, task in zip(figure.subplots(2, 1), TITLES, strict=True):
        folder = episode_dir(data, task, EPISODES[task])
        _episode(axes, read_episode(folder), folder)
        axes.set_title(f"{TITLES[task]}, one after the other", loc="left", fontsize=9)
    return figure


def _episode(axes: Axes, record: EpisodeRecord, folder: Path) -> None:
    rows = read_trajectory(folder / "trajectory.parquet")
    push = record.spec.task == "push"
    axis, component, label = ("x", 0, "x, forward [cm]") if push else ("z", 2, "height [cm]")
    for side in SIDES:
        thing = record.spec.object(side)
        hidden = f"{thing.mass:.1f} kg" if push else f"restitution {thing.restitution:.2f}"
        axes.plot(rows["time"], 100 * rows[f"{side}_{axis}"], color=COLORS[side], label=f"{side}, {hidden}")
    seen = set()
    for event in record.events:
        # Later bounces would be written over each other.
        if (event.kind, event.object) in seen:
            continue
        seen.add((event.kind, event.object))
        height = 100 * event.position[component]
        axes.plot(event.t, height, "o", color=COLORS[event.object], mfc="white", ms=5)
        below = event.kind in ("first_touch", "impact") or (event.kind == "rest" and not push)
        axes.annotate(
            f"{event.kind.replace('_', ' ')}\n{event.t:.2f} s",
            (event.t, height),
            (0, -11 if below else 7),
            textcoords="offset points",
            ha="center",
            va="top" if below else "bottom",
            fontsize=7,
            color=COLORS[event.object],
        )
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.22 * (high - low), high + 0.22 * (high - low))
    axes.set(xlim=(0, record.duration), xlabel="time [s]", ylabel=label)
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", fontsize=8)


if __name__ == "__main__":
    sys.exit(main())
