import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hpvqa.scene.camera import fovy, look_at, project, quaternion, rays, rotation
from hpvqa.scene.spec import CameraSpec

coordinate = st.floats(-3, 3, allow_nan=False)
point = st.tuples(coordinate, coordinate, coordinate)


def camera(position: tuple[float, float, float], target: tuple[float, float, float]) -> CameraSpec:
    return CameraSpec(name="test", position=position, quat_wxyz=look_at(position, target), focal_length=24)


@pytest.mark.parametrize(
    ("focal", "horizontal", "vertical"), [(24, 47.2, 36.3), (12, 82.3, 66.4)], ids=["narrow", "wide"]
)
def test_fields_of_view_are_the_originals(focal: float, horizontal: float, vertical: float) -> None:
    assert np.degrees(fovy(focal, 640, 480)) == pytest.approx(vertical, abs=0.05)
    assert np.degrees(fovy(focal, 480, 480)) == pytest.approx(horizontal, abs=0.05)


@given(position=point, target=point)
def test_the_target_is_in_the_middle(position: tuple[float, float, float], target: tuple[float, float, float]) -> None:
    line = np.subtract(target, position)
    assume(np.linalg.norm(line[:2]) > 0.05)
    assert project(camera(position, target), [target], 640, 480)[0] == pytest.approx((320, 240), abs=1e-6)


def test_up_is_up_and_left_is_left() -> None:
    # A camera in front of the robot sees the robot's left (+y) on its right.
    front = camera((2, 0, 0.3), (0, 0, 0.3))
    middle, left, above = project(front, [(0, 0, 0.3), (0, 0.2, 0.3), (0, 0, 0.5)], 640, 480)
    assert left[0] > middle[0]
    assert above[1] < middle[1]


def test_behind_the_camera_is_nowhere() -> None:
    assert np.isnan(project(camera((2, 0, 0.3), (0, 0, 0.3)), [(3, 0, 0.3)], 640, 480)).all()


@given(u=st.floats(0, 640), v=st.floats(0, 480), depth=st.floats(0.1, 5))
def test_rays_and_projection_are_inverse(u: float, v: float, depth: float) -> None:
    view = camera((1.0, -2.0, 0.8), (0.4, 0.0, 0.1))
    direction = rays(view, [(u, v)], 640, 480)[0]
    assert project(view, [np.array(view.position) + depth * direction], 640, 480)[0] == pytest.approx((u, v), abs=1e-6)


@given(st.tuples(*[st.floats(-1, 1)] * 4))
def test_quaternions_and_matrices_are_inverse(quat: tuple[float, float, float, float]) -> None:
    assume(np.linalg.norm(quat) > 0.1)
    assert rotation(quaternion(rotation(quat))) == pytest.approx(rotation(quat), abs=1e-9)


def test_impossible_orientations_are_refused() -> None:
    with pytest.raises(ValueError, match="own position"):
        look_at((1, 1, 1), (1, 1, 1))
    with pytest.raises(ValueError, match="parallel"):
        look_at((1, 1, 1), (1, 1, 0))
