from collections.abc import Iterator
from functools import cache
from pathlib import Path

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import KDTree

from hpvqa.errors import UsageError
from hpvqa.resources import default_cache
from hpvqa.scene.camera import project
from hpvqa.scene.rigs import load_rig, rig_names
from hpvqa.scene.spec import SIDES, EpisodeSpec
from hpvqa.sim.mujoco.assets import MODEL, robot_dir
from hpvqa.tasks import TASKS
from tests.worlds import Run, physics, run, sample, with_hidden

rigs = pytest.mark.parametrize("rig", rig_names())
tasks = pytest.mark.parametrize("task", TASKS)
EXTREME = {"push": (0.5, 0.5), "drop": (1.0, 1.0)}
"""Hidden values with which both objects travel furthest."""


@cache
def extreme_run(task: str) -> tuple[EpisodeSpec, Run]:
    spec = with_hidden(sample(task, 1), *EXTREME[task])
    return spec, run(spec)


@rigs
@tasks
def test_every_rig_has_seven_cameras_for_every_task(rig: str, task: str) -> None:
    cameras = load_rig(rig).cameras(task)
    assert len({camera.name for camera in cameras}) == 7
    for camera in cameras:
        lens = 12 if camera.name.endswith("wide") else 24
        assert camera.focal_length == lens
        assert np.linalg.norm(camera.quat_wxyz) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("resolution", [(640, 480), (224, 224)])
@tasks
def test_start_path_and_end_of_both_objects_are_in_every_frame(task: str, resolution: tuple[int, int]) -> None:
    spec, done = extreme_run(task)
    for camera in load_rig("paper").cameras(task):
        for points in corners(spec, done):
            u, v = project(camera, points, *resolution).T
            assert ((u >= 0) & (u <= resolution[0])).all(), camera.name
            assert ((v >= 0) & (v <= resolution[1])).all(), camera.name


def corners(spec: EpisodeSpec, done: Run) -> Iterator[NDArray[np.float64]]:
    """For each object, the corners of its bounding box along its whole way, and at starts up to 1 cm away."""
    for side in SIDES:
        path = np.stack([done.rows[f"{side}_{axis}"] for axis in "xyz"], axis=1)
        half = spec.object(side).size + np.array([0.02, 0.02, 0.0])
        signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8).T
        yield (path[:, None] + signs * half).reshape(-1, 3)


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
def test_no_camera_is_within_five_centimetres_of_the_robot(task: str) -> None:
    distances = robot_distances(task, "paper")
    assert min(distances.values()) > 0.05, distances


def test_the_original_back_wide_is_inside_the_robot() -> None:
    # So the distance above can fail: this camera stands within the first link's shell.
    assert robot_distances("push", "paper-original")["back_wide"] < 0.1


def robot_distances(task: str, rig: str) -> dict[str, float]:
    """Least distance [m] of each camera to any vertex of the robot's original meshes, over a whole episode."""
    path = robot_dir(default_cache({"HOME": str(Path.home())})) / MODEL
    model = mujoco.MjModel.from_xml_path(str(path))
    data = mujoco.MjData(model)
    _, done = extreme_run(task)
    joints = [model.joint(f"joint{number}").qposadr[0] for number in range(1, 8)]
    trees = [(geom, KDTree(vertices(model, geom))) for geom in range(model.ngeom) if model.geom_dataid[geom] >= 0]
    least = {camera.name: np.inf for camera in load_rig(rig).cameras(task)}
    for moment in range(0, len(done.rows["time"]), 10):
        data.qpos[joints] = [done.rows[f"joint_{number}"][moment] for number in range(1, 8)]
        mujoco.mj_kinematics(model, data)
        for camera in load_rig(rig).cameras(task):
            for geom, tree in trees:
                local = (np.array(camera.position) - data.geom_xpos[geom]) @ data.geom_xmat[geom].reshape(3, 3)
                least[camera.name] = min(least[camera.name], tree.query(local)[0])
    return least


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


def test_a_rig_with_too_many_cameras_is_refused() -> None:
    spec = sample("push")
    crowd = tuple(spec.cameras[0].model_copy(update={"name": f"c{number}"}) for number in range(17))
    with pytest.raises(UsageError, match="at most 16"):
        run(spec.model_copy(update={"cameras": crowd}), physics())
