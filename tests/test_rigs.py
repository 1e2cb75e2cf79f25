from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, KDTree

from hpvqa.errors import UsageError
from hpvqa.resources import default_cache
from hpvqa.scene.camera import faces_robot, project, rotation
from hpvqa.scene.rigs import load_rig, rig_names
from hpvqa.scene.spec import CameraSpec, EpisodeSpec
from hpvqa.sim.mujoco.assets import MODEL, robot_dir
from hpvqa.tasks import TASKS
from tests.needs import long_but
from tests.worlds import Run, run, sample, with_values

rigs = pytest.mark.parametrize("rig", rig_names())
tasks = pytest.mark.parametrize("task", TASKS)
moved_tasks = pytest.mark.parametrize("task", long_but(TASKS, "push"))
"""Of which an episode is run, or all of the robot is looked at."""
EXTREME = {
    "push": {"left": 0.5, "right": 0.5},
    "drop": {"left": 1.0, "right": 1.0},
    "weigh": {"left": 0.5, "right": 0.5},
    "slide": {"left": 0.1, "right": 0.1},
    "press": {"left": 100.0, "right": 100.0},
    "balance": {"bar": 0.04},
}
"""Hidden values with which both objects travel furthest."""


@cache
def extreme_run(task: str) -> tuple[EpisodeSpec, Run]:
    spec = with_values(sample(task, 1), EXTREME[task])
    return spec, run(spec)


@rigs
@tasks
def test_every_rig_has_seven_cameras_for_every_task(rig: str, task: str) -> None:
    cameras = load_rig(rig).cameras(task)
    assert [camera.name for camera in cameras] == [camera.name for camera in load_rig("paper").cameras(task)]
    assert len({camera.name for camera in cameras}) == 7
    for camera in cameras:
        assert camera.focal_length == LENSES[rig][camera.name.endswith("wide")]
        assert np.linalg.norm(camera.quat_wxyz) == pytest.approx(1, abs=1e-3)


@dataclass(frozen=True)
class Figures:
    """What the views of a rig are held to for one task.

    Attributes:
        width: How wide every object is at least, in every view of 224 x 224, at every moment [pixels].
        misses: Cameras that do not see both objects whole from start to end.
        crops: Cameras that do not see hand and gripper whole while they handle an object.
    """

    width: int
    misses: frozenset[str] = frozenset()
    crops: frozenset[str] = frozenset()


LENSES = {"close": (60, 30), "paper": (24, 12), "paper-original": (24, 12), "shift-views": (24, 12)}
"""Focal lengths of narrow and wide cameras [mm]."""
BEHIND = frozenset({"back_wide", "back_left_wide", "back_right_wide"})
FIGURES = {
    ("close", "push"): Figures(14),
    ("close", "drop"): Figures(14),
    ("close", "weigh"): Figures(17),
    ("close", "slide"): Figures(14),
    ("close", "press"): Figures(20),
    ("close", "balance"): Figures(23),
    ("paper", "push"): Figures(4),
    ("paper", "drop"): Figures(3),
    ("paper", "weigh"): Figures(5),
    ("paper", "slide"): Figures(4),
    ("paper", "press"): Figures(6),
    ("paper", "balance"): Figures(6),
    ("shift-views", "push"): Figures(5),
    ("shift-views", "drop"): Figures(4),
    ("shift-views", "weigh"): Figures(5),
    ("shift-views", "slide"): Figures(5),
    ("shift-views", "press"): Figures(6),
    ("shift-views", "balance"): Figures(7),
    ("paper-original", "push"): Figures(4, misses=BEHIND, crops=BEHIND),
    ("paper-original", "drop"): Figures(3),
    ("paper-original", "weigh"): Figures(5),
    ("paper-original", "slide"): Figures(4, misses=BEHIND, crops=BEHIND),
    ("paper-original", "press"): Figures(6),
    ("paper-original", "balance"): Figures(6, misses=BEHIND, crops=frozenset({"back_wide"})),
}
RESOLUTIONS = ((640, 480), (224, 224))


@rigs
@moved_tasks
def test_objects_are_as_wide_as_the_rig_promises(rig: str, task: str) -> None:
    spec, done = extreme_run(task)
    cameras = load_rig(rig).cameras(task)
    widths = [
        np.ptp(project(camera, ends, 224, 224)[:, 0]) for camera in cameras for ends in outlines(spec, done, camera)
    ]
    assert np.floor(np.nanmin(widths)) == FIGURES[rig, task].width


@rigs
@moved_tasks
def test_start_path_and_end_of_both_objects_are_in_every_frame(rig: str, task: str) -> None:
    spec, done = extreme_run(task)
    assert cutting(rig, task, np.vstack(list(corners(spec, done)))) == FIGURES[rig, task].misses


@rigs
@moved_tasks
def test_the_wrist_is_whole_while_it_handles_an_object(rig: str, task: str) -> None:
    spec, done = extreme_run(task)
    assert cutting(rig, task, np.vstack(list(wrists(spec, done)))) == FIGURES[rig, task].crops


def cutting(rig: str, task: str, points: NDArray[np.float64]) -> set[str]:
    """Names of the cameras in whose pictures, of one size at least, not all of these points are."""
    return {
        camera.name
        for camera in load_rig(rig).cameras(task)
        for size in RESOLUTIONS
        for uv in [project(camera, points, *size)]
        if not ((uv >= 0) & (uv <= size)).all()
    }


@pytest.mark.parametrize("rig", ["close", "paper"])
@tasks
def test_names_of_cameras_say_from_where_they_look(rig: str, task: str) -> None:
    for camera in load_rig(rig).cameras(task):
        parts, forward = camera.name.split("_"), -rotation(camera.quat_wxyz)[:, 2]
        assert faces_robot(camera) == ("front" in parts)
        if "top" in parts:
            assert forward[2] < -0.9
        else:
            assert (forward[0] < 0) == ("front" in parts)
            # Someone who faces the robot has its right on the left.
            sideways = {"left": 1, "right": -1}.get(parts[1], 0) * (-1 if "front" in parts else 1)
            assert np.sign(np.round(camera.position[1], 6)) == sideways


def outlines(spec: EpisodeSpec, done: Run, camera: CameraSpec) -> Iterator[NDArray[np.float64]]:
    """Corners of a cube, or both ends of the diameter of a sphere that lies across the picture, ten times a second."""
    for thing in spec.things:
        side = thing.name
        for moment in range(0, len(done.rows["time"]), 6):
            center = np.array([done.rows[f"{side}_{axis}"][moment] for axis in "xyz"])
            turned = rotation(tuple(done.rows[f"{side}_q{part}"][moment] for part in "wxyz"))
            across = rotation(camera.quat_wxyz)[:, 0]
            half = np.array(thing.size) / 2
            yield center + (
                half[0] * np.array([across, -across]) if thing.shape == "sphere" else half * SIGNS @ turned.T
            )


def wrists(spec: EpisodeSpec, done: Run) -> Iterator[NDArray[np.float64]]:
    """Outlines of hand and gripper down to the pinch point, while that is within 6 cm of the middle of an object."""
    outline = hand()
    ee = np.stack([done.rows[f"ee_{axis}"] for axis in "xyz"], axis=1)
    for side in spec.names:
        path = np.stack([done.rows[f"{side}_{axis}"] for axis in "xyz"], axis=1)
        if spec.thing(side).shape == "spring":
            path = path + np.array([0.0, 0.0, spec.thing(side).half_height])
        for moment in np.flatnonzero(np.linalg.norm(path - ee, axis=1) < 0.06)[::6]:
            yield outline @ rotation(tuple(done.rows[f"ee_q{part}"][moment] for part in "wxyz")).T + ee[moment]


def hand() -> NDArray[np.float64]:
    """Corners of the convex hull of everything beyond the arm's flange, the gripper open, seen from the pinch point."""
    model = robot_model()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    first, site = model.body("attachment").id, model.site("pinch").id
    geoms = [geom for geom in range(model.ngeom) if model.geom_bodyid[geom] >= first and model.geom_dataid[geom] >= 0]
    parts = [vertices(model, geom) @ data.geom_xmat[geom].reshape(3, 3).T + data.geom_xpos[geom] for geom in geoms]
    points = (np.vstack(parts) - data.site_xpos[site]) @ data.site_xmat[site].reshape(3, 3)
    return points[ConvexHull(points).vertices]


SIGNS = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8).T


def corners(spec: EpisodeSpec, done: Run) -> Iterator[NDArray[np.float64]]:
    """For each object, the corners of its bounding box along its whole way, and at starts up to 1 cm away."""
    for side in spec.names:
        path = np.stack([done.rows[f"{side}_{axis}"] for axis in "xyz"], axis=1)
        if spec.thing(side).shape == "spring":
            # Its plate goes down, and its foot stays.
            path = path[:1]
        half = np.array(spec.thing(side).size) / 2 + np.array([0.02, 0.02, 0.0])
        yield (path[:, None] + SIGNS * half).reshape(-1, 3)


def test_the_original_rig_misses_what_the_originals_clips_miss() -> None:
    cameras = {camera.name: camera for camera in load_rig("paper-original").cameras("push")}
    starts = {"left": (0.4, 0.2, 0.025), "right": (0.4, -0.2, 0.025)}

    def seen(camera: str, side: str) -> bool:
        u, v = project(cameras[camera], [starts[side]], 640, 480)[0]
        return bool(0 <= u <= 640 and 0 <= v <= 480)

    assert not seen("back_wide", "left")
    assert not seen("back_wide", "right")
    assert seen("back_left_wide", "left") != seen("back_left_wide", "right")
    assert seen("back_right_wide", "left") != seen("back_right_wide", "right")


@tasks
def test_every_camera_of_shifted_views_stands_clearly_elsewhere_and_on_the_same_side(task: str) -> None:
    for usual, moved in zip(load_rig("paper").cameras(task), load_rig("shift-views").cameras(task), strict=True):
        middle = np.array([0.42, 0.0, 0.0])
        a, b = (np.subtract(camera.position, middle) for camera in (usual, moved))
        turned = np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))
        assert turned > 12, usual.name
        assert faces_robot(usual) == faces_robot(moved)
        if usual.position[1]:
            assert np.sign(usual.position[1]) == np.sign(moved.position[1])


@pytest.mark.parametrize("rig", ["close", "paper", "shift-views"])
@moved_tasks
def test_no_camera_is_within_five_centimetres_of_the_robot(rig: str, task: str) -> None:
    distances = robot_distances(task, rig)
    assert min(distances.values()) > 0.05, distances


def test_the_original_back_wide_is_inside_the_robot() -> None:
    # So the distance above can fail: this camera stands within the first link's shell.
    assert robot_distances("push", "paper-original")["back_wide"] < 0.1


def robot_distances(task: str, rig: str) -> dict[str, float]:
    """Least distance [m] of each camera to any vertex of the robot's original meshes, over a whole episode."""
    model, trees = robot_model(), robot_meshes()
    data = mujoco.MjData(model)
    _, done = extreme_run(task)
    joints = [model.joint(f"joint{number}").qposadr[0] for number in range(1, 8)]
    cameras = load_rig(rig).cameras(task)
    positions = np.array([camera.position for camera in cameras])
    seen: dict[int, list[NDArray[np.float64]]] = {geom: [] for geom in trees}
    for moment in range(0, len(done.rows["time"]), 10):
        data.qpos[joints] = [done.rows[f"joint_{number}"][moment] for number in range(1, 8)]
        mujoco.mj_kinematics(model, data)
        for geom in trees:
            seen[geom].append((positions - data.geom_xpos[geom]) @ data.geom_xmat[geom].reshape(3, 3))
    least = np.min([tree.query(seen[geom])[0].min(axis=0) for geom, tree in trees.items()], axis=0)
    return {camera.name: float(distance) for camera, distance in zip(cameras, least, strict=True)}


@cache
def robot_meshes() -> dict[int, KDTree]:
    """The vertices of each mesh of the robot."""
    model = robot_model()
    return {geom: KDTree(vertices(model, geom)) for geom in range(model.ngeom) if model.geom_dataid[geom] >= 0}


@cache
def robot_model() -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_path(str(robot_dir(default_cache({"HOME": str(Path.home())})) / MODEL))


def vertices(model: mujoco.MjModel, geom: int) -> NDArray[np.float64]:
    mesh = model.geom_dataid[geom]
    start = model.mesh_vertadr[mesh]
    return np.array(model.mesh_vert[start : start + model.mesh_vertnum[mesh]])


def test_an_edited_copy_of_a_rig_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "name: mine\ntasks:\n  push:\n    - {name: top, position: [0.5, 0, 2], look_at: [0.5, 0, 0], up: [1, 0, 0]}\n"
    )
    (camera,) = load_rig(str(file)).cameras("push")
    assert (camera.name, camera.focal_length) == ("top", 24.0)
    with pytest.raises(UsageError, match="no cameras for 'drop'"):
        load_rig(str(file)).cameras("drop")


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        ("{name: a, position: [0, 0, 1]}", "exactly one of look_at and quat_wxyz"),
        ("{name: a, position: [0, 0, 1], look_at: [0, 0, 0]}", "parallel"),
        ("{name: A b, position: [0, 0, 1], look_at: [1, 0, 0]}", "name"),
        ("{name: a, position: [0, 0, 1], look_at: [1, 0, 0], zoom: 3}", "zoom"),
        (
            "{name: a, position: [0, 0, 1], look_at: [1, 0, 0]}\n"
            "    - {name: a, position: [0, 0, 2], look_at: [1, 0, 0]}",
            "twice",
        ),
    ],
)
def test_a_rig_that_makes_no_sense_is_refused_in_words(tmp_path: Path, camera: str, message: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(f"name: bad\ntasks:\n  push:\n    - {camera}\n")
    with pytest.raises(UsageError, match=message):
        load_rig(str(file))


def test_an_unknown_rig_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'paper'"):
        load_rig("papr")
