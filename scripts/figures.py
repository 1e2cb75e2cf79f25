"""Draws all pictures of the documentation but those of the panel, from fresh episodes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle, Wedge
from PIL import Image, ImageDraw, ImageFont

from hpvqa.recipe import Recipe
from hpvqa.record.episode import TRAJECTORY_FILE, EpisodeRecord, episode_dir, publish, read_episode
from hpvqa.record.marks import PAPER, Marker, close_ups, color_of
from hpvqa.record.moments import Moment, frame_at, key_moments, spans
from hpvqa.record.plot import plot_trajectory
from hpvqa.record.recorder import record_episodes
from hpvqa.record.sheet import contact_sheet, frames
from hpvqa.record.sight import clearest
from hpvqa.record.trajectory import read_trajectory
from hpvqa.scene.camera import fovy, rotation
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.room import TABLE_CENTER, TABLE_HALF
from hpvqa.scene.sampling import sample_episode
from hpvqa.scene.spec import SIDES, CameraSpec, EpisodeSpec
from hpvqa.sim import open_simulator
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import SteppedSimulator
from hpvqa.tasks import TASKS

IMAGES = Path("docs/images")
RIG = "close"
"""The rig of all pictures with frames: a person has to see the answer in them."""
RESOLUTION = (640, 480)
TITLES = {"push": "push: two cubes", "drop": "drop: two spheres"}
EPISODES = {"push": 0, "drop": 2}
"""The episodes of all pictures, of the default seed; this drop bounces plainly."""
CLAIMS = {
    "push": "the {answer} cube is heavier: pushed alike, it went less far",
    "drop": "the {answer} sphere is more elastic: dropped from the same height, it bounced higher",
}
EXPERIMENTS = {
    "push": "push: which cube is heavier?",
    "drop": "drop: which sphere is more elastic?",
    "weigh": "weigh: which cube is heavier?",
    "slide": "slide: which cube has more friction?",
    "press": "press: which spring is stiffer?",
    "balance": "balance: which end is heavier?",
}
TILE = 330
"""Of each close-up in the picture of all experiments [pixels]."""
LOOKS: tuple[tuple[int, Literal["plain", "materials"]], ...] = ((2, "plain"), (2, "materials"), (4, "materials"))
"""Episodes whose rooms are shown beside each other."""
HELD = 2.2
"""When the first sphere is held up [s]."""
WIDTH = 480
"""Of each frame in the picture of the README [pixels]."""
GAP = 8
INK, FAINT = "#19191C", "#6E6E74"
PLACES = {
    "front_top_narrow": (-1.15, 1.2),
    "back_top_narrow": (1.15, 1.2),
    "back_wide": (0.0, -0.62),
    "back_left_wide": (-1.2, -0.25),
    "back_right_wide": (1.2, -0.25),
}
"""Where the names of crowded cameras are written; the others stand beside their cameras."""


def main() -> None:
    """Write all of them into ``docs/images``."""
    matplotlib.rcParams.update({"font.size": 9})
    from_above().savefig(IMAGES / "from-above.png", dpi=130)
    simulator = open_simulator(RESOLUTION)
    looks(simulator).save(IMAGES / "looks.jpg", quality=88)
    with tempfile.TemporaryDirectory() as folder:
        made = [_collect(simulator, task, number, Path(folder)) for task, number in EPISODES.items()]
        others = [_collect(simulator, task, 0, Path(folder)) for task in EXPERIMENTS if task not in EPISODES]
        experiments([*made, *others]).save(IMAGES / "experiments.jpg", quality=90)
        timeline(made).savefig(IMAGES / "timeline.png", dpi=130)
        stories = [story(episode, read_episode(episode)) for episode in made]
        stacked(stories).save(IMAGES / "episodes.jpg", quality=90)
        for episode in made:
            record = read_episode(episode)
            contact_sheet(episode, record).save(IMAGES / f"{record.spec.task}-sheet.jpg", quality=85)
        drop = made[list(EPISODES).index("drop")]
        plot_trajectory(drop, read_episode(drop)).savefig(IMAGES / "drop-plot.png", dpi=120)


def _collect(simulator: SteppedSimulator, task: str, number: int, folder: Path) -> Path:
    """Record one episode of the default seed."""
    spec = _spec(task, number, RIG, "materials")
    partial, final = folder / "partial", episode_dir(folder, task, number)
    partial.mkdir()
    (made,) = record_episodes(simulator, [spec], [partial], fps=TASKS[task].default_fps, resolution=RESOLUTION)
    publish(partial, made, final)
    return final


def _spec(task: str, number: int, rig: str, look: Literal["plain", "materials"]) -> EpisodeSpec:
    """An episode of the default seed."""
    cameras = load_rig(rig).cameras(task)
    return sample_episode(
        TASKS[task], TASKS[task].ranges(), Randomization(look=look), rig, cameras, seed=Recipe().seed, index=number
    )


def looks(simulator: SteppedSimulator) -> Image.Image:
    """The moment before a release, in a plain room and in two of materials."""
    pictures = []
    for number, look in LOOKS:
        spec = _spec("drop", number, "paper", look)
        planner = Planner(TASKS["drop"].waypoints(spec))
        simulator.reset(spec, planner.command(0.0))
        for step in range(round(HELD / simulator.timestep)):
            simulator.step(planner.command(step * simulator.timestep))
        for camera in (found for found in spec.cameras if found.name in ("front_wide", "front_right_narrow")):
            pictures.append(Image.fromarray(simulator.render(camera).copy()).resize((WIDTH, 360)))
    columns = [stacked(pictures[start : start + 2]) for start in range(0, len(pictures), 2)]
    sheet = Image.new("RGB", (len(columns) * (WIDTH + GAP) - GAP, columns[0].height), PAPER)
    for number, column in enumerate(columns):
        sheet.paste(column, (number * (WIDTH + GAP), 0))
    return sheet


def story(folder: Path, record: EpisodeRecord) -> Image.Image:
    """Start and outcome of an episode by its clearest camera, with names and distances."""
    camera = clearest(record)
    shown, rows = spans(record), read_trajectory(folder / TRAJECTORY_FILE, SIDES)
    first, second = record.spec.order
    moments = [Moment(0.0, "start"), _outcome(record, shown[first].t), _outcome(record, shown[second].seen)]
    numbers = [frame_at(record, moment.time) for moment in moments]
    pictures = frames(folder, next(found for found in record.cameras if found.camera == camera.camera), numbers)
    height = round(WIDTH * RESOLUTION[1] / RESOLUTION[0])
    strip = Image.new("RGB", (len(moments) * (WIDTH + GAP) - GAP, height + 68), PAPER)
    draw = ImageDraw.Draw(strip)
    claim = CLAIMS[record.spec.task].format(answer=record.task.answer(record.spec))
    draw.text((2, 4), f"{record.spec.task}: {claim}", fill=INK, font=ImageFont.load_default(24))
    by = f"camera {camera.camera.name}"
    draw.text((strip.width - 2, 8), by, fill=FAINT, font=ImageFont.load_default(20), anchor="ra")
    for column, (moment, number, picture) in enumerate(zip(moments, numbers, pictures, strict=True)):
        small = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
        marker = Marker(small, camera.camera, RESOLUTION, ImageFont.load_default(24))
        for side in SIDES:
            x, y, z = (float(rows[f"{side}_{axis}"][number]) for axis in "xyz")
            marker.name(record.spec.thing(side), color_of(side, SIDES), (x, y, z))
            if moment.time in (shown[side].t, shown[side].seen):
                marker.ruler(record.spec.thing(side), color_of(side, SIDES), shown[side], shown[side].words)
        x = column * (WIDTH + GAP)
        draw.text((x + 2, 39), f"{moment.time:.2f} s  {moment.label}", fill=FAINT, font=ImageFont.load_default(20))
        strip.paste(small, (x, 68))
    return strip


def experiments(episodes: Sequence[Path]) -> Image.Image:
    """What each experiment shows: close-ups of the outcome of an episode, with distances, two experiments a row."""
    tiles = [_experiment(folder, read_episode(folder)) for folder in episodes]
    width, height = tiles[0].size
    rows = -(-len(tiles) // 2)
    sheet = Image.new("RGB", (2 * width + 4 * GAP, rows * (height + GAP) - GAP), PAPER)
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (number % 2 * (width + 4 * GAP), number // 2 * (height + GAP)))
    return sheet


def _experiment(folder: Path, record: EpisodeRecord) -> Image.Image:
    """The close-ups of one episode, by its clearest camera; of a thing alone also how it began."""
    found, names = clearest(record).camera, record.spec.names
    camera = next(item for item in record.cameras if item.camera == found)
    shown = spans(record)
    seen = [(name, shown[name].seen, True) for name in names]
    if len(seen) == 1:
        seen.insert(0, (names[0], 0.0, False))
    pictures = frames(folder, camera, [frame_at(record, time) for _, time, _ in seen])
    windows = close_ups(record, camera, shown)
    tile = Image.new("RGB", (2 * TILE + GAP, TILE + 36), PAPER)
    draw = ImageDraw.Draw(tile)
    draw.text((2, 4), EXPERIMENTS[record.spec.task], fill=INK, font=ImageFont.load_default(22))
    answer = f"answer: {record.task.answer(record.spec)}"
    draw.text((tile.width - 2, 6), answer, fill=FAINT, font=ImageFont.load_default(20), anchor="ra")
    for column, ((name, _, outcome), picture) in enumerate(zip(seen, pictures, strict=True)):
        part = windows[name].cut(picture, TILE)
        marker = Marker(part, camera.camera, RESOLUTION, ImageFont.load_default(24), windows[name])
        color = color_of(name, names)
        if outcome:
            marker.ruler(record.spec.thing(name), color, shown[name], shown[name].words)
        words = name if outcome and len(names) > 1 else ("after" if outcome else "before")
        ImageDraw.Draw(part).text(
            (8, 4), words, fill=color, font=ImageFont.load_default(22), stroke_width=3, stroke_fill=PAPER
        )
        tile.paste(part, (column * (TILE + GAP), 36))
    return tile


def _outcome(record: EpisodeRecord, time: float) -> Moment:
    """The key moment at a time."""
    return next(moment for moment in key_moments(record) if moment.time == time)


def stacked(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one width, one below the other."""
    sheet = Image.new("RGB", (pictures[0].width, sum(picture.height + GAP for picture in pictures) - GAP), PAPER)
    top = 0
    for picture in pictures:
        sheet.paste(picture, (0, top))
        top += picture.height + GAP
    return sheet


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
        shape.set_color(color_of(side, SIDES))
        axes.add_patch(shape)
        axes.text(x, 0.52, side, ha="center", color=color_of(side, SIDES), weight="bold")


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


def timeline(episodes: Sequence[Path]) -> Figure:
    """What both objects do in one episode of each task, with its events."""
    figure = Figure(figsize=(9.6, 5.4), layout="constrained")
    for axes, folder in zip(figure.subplots(2, 1), episodes, strict=True):
        record = read_episode(folder)
        _episode(axes, record, folder)
        axes.set_title(f"{TITLES[record.spec.task]}, one after the other", loc="left", fontsize=9)
    return figure


def _episode(axes: Axes, record: EpisodeRecord, folder: Path) -> None:
    rows = read_trajectory(folder / "trajectory.parquet", SIDES)
    task, probe = record.task, record.task.probe
    component = "xyz".index(probe.axis)
    for side in SIDES:
        hidden = f"{task.hidden} {task.words_for(task.hidden_value(record.spec, side))}"
        axes.plot(
            rows["time"], 100 * rows[f"{side}_{probe.axis}"], color=color_of(side, SIDES), label=f"{side}, {hidden}"
        )
    seen = set()
    for event in record.events:
        # Later bounces would be written over each other.
        if (event.kind, event.object) in seen:
            continue
        seen.add((event.kind, event.object))
        height = 100 * event.position[component]
        axes.plot(event.t, height, "o", color=color_of(event.object, SIDES), mfc="white", ms=5)
        below = event.kind in ("first_touch", "impact") or (event.kind == "rest" and probe.axis == "z")
        axes.annotate(
            f"{event.kind.replace('_', ' ')}\n{event.t:.2f} s",
            (event.t, height),
            (0, -11 if below else 7),
            textcoords="offset points",
            ha="center",
            va="top" if below else "bottom",
            fontsize=7,
            color=color_of(event.object, SIDES),
        )
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.22 * (high - low), high + 0.22 * (high - low))
    axes.set(xlim=(0, record.duration), xlabel="time [s]", ylabel=f"{probe.axis_label} [cm]")
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", fontsize=8)


if __name__ == "__main__":
    main()
