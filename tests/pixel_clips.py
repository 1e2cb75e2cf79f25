"""Clips from a tiny ray caster, whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.traces import Moved, Path, Turned
from hpvqa.record.episode import CameraRecord
from hpvqa.scene.camera import look_at, rotation
from hpvqa.scene.spec import CameraSpec, Thing, Vec3
from hpvqa.tasks import TASKS

Frames = list[NDArray[np.uint8]]
Place = tuple[float, float, float]
Color = tuple[int, int, int]
HALF, TABLE, WALL, ROBOT, STEEL = 0.025, (120, 150, 110), (90, 60, 90), (235, 235, 235), (75, 80, 85)
RED, BLUE = (200, 60, 50), (50, 70, 190)
LIFTING = 0.5
"""A thing gets to where its path begins within this time [s]."""
CAMERAS: dict[str, tuple[Vec3, Vec3, float]] = {
    "top": ((0.9, 0.0, 2.0), (0.45, 0.0, 0.0), 24),
    "low": ((1.6, -1.4, 0.5), (0.45, 0.0, 0.1), 24),
    "front": ((1.6, 0.0, 0.35), (0.4, 0.0, 0.15), 24),
}


def camera(name: str, width: int = 320, height: int = 240) -> CameraRecord:
    position, target, focal = CAMERAS[name]
    spec = CameraSpec(name=name, position=position, quat_wxyz=look_at(position, target), focal_length=focal)
    return CameraRecord.of(spec, width, height)


def squeezed(record: CameraRecord) -> CameraRecord:
    """Half as wide: pixels are no longer square."""
    return record.model_copy(update={"fx": record.fx / 2, "cx": record.cx / 2})


class Caster:
    """Draws a table in a room, a box that stands for the robot, and the objects."""

    def __init__(self, record: CameraRecord) -> None:
        self.size = (round(2 * record.cy), round(2 * record.cx))
        v, u = np.mgrid[: self.size[0], : self.size[1]] + 0.5
        local = np.stack([(u - record.cx) / record.fx, (record.cy - v) / record.fy, -np.ones_like(u)], axis=-1)
        self.rays = local @ rotation(record.camera.quat_wxyz).T
        self.rays /= np.linalg.norm(self.rays, axis=-1, keepdims=True)
        self.eye = np.array(record.camera.position)
        with np.errstate(divide="ignore"):
            reach = -self.eye[2] / self.rays[..., 2]
        x, y = (self.eye[i] + reach * self.rays[..., i] for i in (0, 1))
        on_table = (reach > 0) & (x > 0.1) & (x < 1.1) & (np.abs(y) < 0.6)
        # Half of the table lies in a shadow.
        shade = np.where(x - 0.3 * y > 0.45, 0.65, 1.0)
        self.room = np.where(on_table[..., None], shade[..., None] * TABLE, np.array(WALL, float))
        self.room[self.box((0.15, 0.0, 0.2), (0.05, 0.05, 0.2))] = ROBOT

    def box(self, center: Place, half: Place, yaw: float = 0.0) -> NDArray[np.bool_]:
        turned = np.array([[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1]])
        to_center, rays = np.subtract(center, self.eye) @ turned, self.rays @ turned
        with np.errstate(divide="ignore", invalid="ignore"):
            a = (to_center - half) / rays
            b = (to_center + half) / rays
        return np.asarray(np.minimum(a, b).max(axis=-1) < np.maximum(a, b).min(axis=-1))

    def ball(self, center: Place, radius: float = HALF) -> NDArray[np.bool_]:
        to_center = np.subtract(center, self.eye)
        along = self.rays @ to_center
        return np.asarray(to_center @ to_center - along**2 < radius**2)

    def draw(self, masks: Sequence[tuple[NDArray[np.bool_], Color]], rng: np.random.Generator) -> NDArray[np.uint8]:
        image = self.room.copy()
        for mask, color in masks:
            image[mask] = color
        return (image + rng.normal(0, 2, image.shape)).clip(0, 255).astype(np.uint8)


def push_clip(record: CameraRecord, moved: dict[str, float], colors: tuple[Color, Color] = (RED, RED)) -> Frames:
    """Cubes slide one after the other, by so much; an object that is not named is not there."""
    caster, rng = Caster(record), np.random.default_rng(1)
    starts = {"left": (0.394, 0.207), "right": (0.408, -0.195)}
    frames = []
    for time in np.linspace(0, 1, 12):
        masks = []
        for side, color, begin in (("left", colors[0], 0.1), ("right", colors[1], 0.5)):
            if side in moved:
                x, y = starts[side]
                share = min(max((time - begin) / 0.3, 0), 1)
                masks.append((caster.box((x + share * moved[side], y, HALF), (HALF, HALF, HALF)), color))
        frames.append(caster.draw(masks, rng))
    return frames


def bounced(restitution: float, time: float) -> float:
    """Height of a sphere that many seconds after its release, one bounce after the other."""
    gravity, speed, since = 9.81, math.sqrt(2 * 9.81 * 0.3), time - math.sqrt(2 * 0.3 / 9.81)
    if since < 0:
        return 0.3 - gravity / 2 * time**2
    while speed > 0.02:
        speed *= restitution
        if since < 2 * speed / gravity:
            return speed * since - gravity / 2 * since**2
        since -= 2 * speed / gravity
    return 0.0


def lifted(restitution: float, time: float, release: float) -> float:
    """Height of a sphere that rests, is lifted within half a second, held for a while, and dropped."""
    if time >= release:
        return bounced(restitution, time - release)
    return 0.3 * min(max((time - release + 0.8) / 0.5, 0), 1)


def drop_clip(
    record: CameraRecord, restitution: dict[str, float], fps: float = 30, colors: tuple[Color, Color] = (RED, RED)
) -> Frames:
    """Spheres are dropped one after the other; an object that is not named is not there."""
    caster, rng = Caster(record), np.random.default_rng(2)
    frames = []
    for time in np.arange(0, 5.0, 1 / fps):
        masks = []
        for side, color, place, release in (
            ("left", colors[0], (0.393, 0.207), 1.21),
            ("right", colors[1], (0.409, -0.194), 2.83),
        ):
            if side in restitution:
                z = HALF + lifted(restitution[side], time, release)
                masks.append((caster.ball((*place, z)), color))
        frames.append(caster.draw(masks, rng))
    return frames


def task_clip(record: CameraRecord, task: str, hidden: dict[str, float], fps: float = 15) -> Frames:
    """Things with these hidden values do what the task's probe says can be seen, one after the other."""
    caster, rng, kind = Caster(record), np.random.default_rng(3), TASKS[task]
    things = [thing for thing in kind.examples() if thing.name in hidden]
    trace = kind.probe.trace(kind.examples()[0], kind.hidden)
    every = trace.before + trace.after + LIFTING if isinstance(trace, Path) else 0.5
    frames = []
    for time in np.arange(0, 1.0 + len(things) * every, 1 / fps):
        masks = []
        for number, thing in enumerate(things):
            masks += _masks(caster, task, thing, hidden[thing.name], time - 1.0 - number * every)
        frames.append(caster.draw(masks, rng))
    return frames


def _masks(
    caster: Caster, task: str, thing: Thing, hidden: float, since: float
) -> list[tuple[NDArray[np.bool_], Color]]:
    """What is drawn of a thing, that long after its time has come."""
    kind = TASKS[task]
    trace, value = kind.probe.trace(thing, kind.hidden), np.array([hidden])
    x, y = thing.position[0] - 0.006, thing.position[1] + 0.007
    if isinstance(trace, Path):
        share = min(max((since + trace.before + LIFTING) / LIFTING, 0), 1)
        seen = trace.height(value, np.array([max(since, -trace.before)])).item()
        z = trace.rest + (share * seen if since <= trace.after else 0.0)
        half = (trace.size[0] / 2, trace.size[1] / 2, trace.size[2] / 2)
        moving = caster.ball((x, y, z), half[0]) if trace.rounded else caster.box((x, y, z), half)
        if trace.base is None:
            return [(moving, RED)]
        across, along, high = (length / 2 for length in trace.base)
        return [(caster.box((x, y, high), (across, along, high)), STEEL), (moving, RED)]
    assert isinstance(trace, Moved | Turned)
    share = min(max(since / 0.4, 0), 1)
    goal = kind.probe.expected(thing, kind.hidden, value).item() * share
    forward, yaw = (goal, 0.0) if isinstance(trace, Moved) else (0.08 * share, goal)
    across, along, high = (length / 2 for length in thing.size)
    return [(caster.box((x + forward, y, high), (across, along, high), yaw), RED)]
