"""Parts of the pixels baseline by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.probes.distribution import Distribution
from hpvqa.probes.drop import dropped
from hpvqa.scene.camera import project
from hpvqa.tasks.balance import BalanceTask
from hpvqa.tasks.drop import DropTask
from hpvqa.tasks.press import PressTask
from hpvqa.tasks.push import PushTask
from hpvqa.vlm.pixels.locate import Solid, find, presence
from hpvqa.vlm.pixels.path import STEP, Ruler, support
from hpvqa.vlm.pixels.table import survey, table_paint
from hpvqa.vlm.pixels.view import View
from tests.pixel_clips import BLUE, RED, Caster, bounced, camera, push_clip, squeezed

LEFT, RIGHT = (Solid.of(thing) for thing in PushTask().examples())
BAR = BalanceTask().examples()[0]
BOUNCES = DropTask.probe.trace(DropTask().examples()[0], "restitution")
PLATE = PressTask.probe.trace(PressTask().examples()[0], "stiffness")

WEIGHTS = st.lists(st.floats(-50, 50), min_size=8, max_size=8)
GRID = np.linspace(0, 1, 8)


def test_a_view_projects_as_the_scene_does() -> None:
    record, points = camera("low"), np.array([[0.4, 0.2, 0.0], [0.6, -0.3, 0.1], [9.0, -9.0, 0.5]])
    view = View(record, 320, 240)
    assert view.project(points) == pytest.approx(project(record.camera, points, 320, 240), nan_ok=True)
    assert np.isnan(view.project(points)[2]).all()


def test_a_squeezed_view_only_halves_u() -> None:
    record, points = camera("low"), np.array([[0.4, 0.2, 0.0], [0.6, -0.3, 0.1]])
    full, half = View(record, 320, 240).project(points), View(squeezed(record), 160, 240).project(points)
    assert half == pytest.approx(full * [0.5, 1.0])


def test_samples_are_bilinear_and_nan_outside() -> None:
    view = View(camera("low"), 320, 240)
    points = np.array([[0.4, 0.2, 0.0], [0.6, -0.3, 0.1], [0.4, 5.0, 0.0]])
    v, u = np.mgrid[:240, :320].astype(np.float32) + 0.5
    read = view.samples(points).read(np.stack([u, v], axis=-1))
    assert read[:2] == pytest.approx(view.project(points)[:2], abs=1e-3)
    assert np.isnan(read[2]).all()


def test_shadow_is_table_and_objects_are_not() -> None:
    caster = Caster(camera("top"))
    cubes = [caster.box((0.4, y, 0.025), (0.025, 0.025, 0.025)) for y in (-0.2, 0.2)]
    image = caster.draw([(cubes[0], RED), (cubes[1], BLUE)], np.random.default_rng(0))
    paint = table_paint(image, View(camera("top"), 320, 240))
    assert paint is not None
    other = paint.absence(image)
    assert other[cubes[0] | cubes[1]].min() > 0.9
    table = (caster.room[..., 1] > caster.room[..., 0]) & ~cubes[0] & ~cubes[1]
    assert table.sum() > 5000
    assert np.mean(other[table] > 0.5) < 0.01


def test_a_camera_that_sees_no_table_sees_no_paint() -> None:
    away = camera("top").camera.model_copy(update={"quat_wxyz": (0.0, 1.0, 0.0, 0.0)})
    view = View(camera("top").model_copy(update={"camera": away}), 320, 240)
    assert table_paint(np.zeros((240, 320, 3), np.uint8), view) is None


@pytest.mark.parametrize("name", ["top", "low"])
@pytest.mark.slow
def test_a_cube_is_found_where_it_stands_and_only_there(name: str) -> None:
    seen = survey(push_clip(camera(name), {"left": 0.1}), camera(name), 15)
    assert seen is not None
    assert find(seen.start, seen.end, seen.view, LEFT) == pytest.approx((0.394, 0.207), abs=0.02)
    assert find(seen.end, seen.start, seen.view, LEFT) == pytest.approx((0.494, 0.207), abs=0.02)
    assert find(seen.start, seen.end, seen.view, RIGHT) is None


@pytest.mark.parametrize("restitution", [0.0, 0.1, 0.37, 0.7, 0.93, 1.0])
def test_height_is_that_of_one_bounce_after_the_other(restitution: float) -> None:
    times = np.linspace(0, 2, 97)
    expected = [bounced(restitution, float(time)) for time in times]
    assert dropped(np.array([restitution]), times)[0] == pytest.approx(expected, abs=1e-3)


@given(restitution=st.floats(0, 1), time=st.floats(-0.25, 2))
def test_height_stays_between_table_and_release(restitution: float, time: float) -> None:
    found = dropped(np.array([restitution]), np.array([time]))
    assert 0 <= found.item() <= 0.3 + 1e-9


def test_support_is_greatest_for_the_path_that_was_seen() -> None:
    times = np.arange(0, 4, 1 / 30)
    heights = np.arange(Ruler.of(BOUNCES).above + 1) * STEP
    alike = np.zeros((len(times), len(heights)), np.float32)
    for number, time in enumerate(times):
        z = bounced(0.6, time - 1.4) if time > 1.4 else (0.3 if time > 1.0 else 0.0)
        alike[number] = np.exp(-(((heights - z) / 0.01) ** 2))
    found = support(alike, 0, times, BOUNCES)
    release, best = np.unravel_index(found.argmax(), found.shape)
    assert BOUNCES.values[best] == pytest.approx(0.6, abs=0.02)
    assert release / 120 == pytest.approx(1.4, abs=0.02)


def test_what_never_moved_supports_nothing() -> None:
    alike = np.tile(np.exp(-np.arange(73) * STEP * 30).astype(np.float32), (60, 1))
    assert support(alike, 0, np.arange(60) / 30, BOUNCES).max() <= 0


def test_a_path_down_is_followed_below_the_place_of_rest() -> None:
    times, ruler = np.arange(0, 4, 1 / 15), Ruler.of(PLATE)
    assert (ruler.above, ruler.below * STEP) == (0, pytest.approx(0.075, abs=STEP))
    heights = np.arange(-ruler.below, 1) * STEP
    seen = PLATE.height(np.array([300.0]), times - 0.9)[0]
    alike = np.exp(-(((heights - seen[:, None]) / 0.006) ** 2)).astype(np.float32)
    found = support(alike, ruler.below, times, PLATE)
    moment, best = np.unravel_index(found.argmax(), found.shape)
    assert PLATE.values[best] == pytest.approx(300, rel=0.15)
    assert moment / 120 == pytest.approx(0.9, abs=0.1)


@pytest.mark.parametrize("yaw", [-0.5, 0.3])
def test_a_turned_solid_covers_what_is_turned(yaw: float) -> None:
    caster, view = Caster(camera("top")), View(camera("top"), 320, 240)
    bar = caster.box((0.46, 0.01, 0.02), (0.02, 0.12, 0.02), yaw).astype(np.float32)
    bare, x, y = np.zeros_like(bar), np.array([0.46]), np.array([0.01])
    scores = [presence(bar, bare, view, Solid.of(BAR).turned(angle), x, y)[0] for angle in (-0.5, 0.0, 0.3)]
    assert int(np.argmax(scores)) == (0 if yaw < 0 else 2)
    assert max(scores) > 0.8


def test_a_property_follows_from_what_it_causes() -> None:
    seen, values = Distribution.sure(np.linspace(-1, 1, 21), 0.4), np.linspace(0, 4, 41)
    cause = seen.cause(values, 1 - values / 2, 0.05)
    assert cause.best == pytest.approx(1.2)
    assert cause.probability.sum() == pytest.approx(1)


@given(a=WEIGHTS, b=WEIGHTS)
def test_one_of_two_quantities_is_the_larger(a: list[float], b: list[float]) -> None:
    one, other = Distribution.from_log(GRID, np.array(a)), Distribution.from_log(GRID, np.array(b))
    assert one.probability.sum() == pytest.approx(1)
    assert 0 <= one.exceeds(other) <= 1
    assert one.exceeds(other) + other.exceeds(one) == pytest.approx(1)
    assert one.exceeds(one) == pytest.approx(0.5)
    assert a[list(GRID).index(one.best)] == pytest.approx(max(a))


def test_knowing_one_quantity_tells_which_is_probably_larger() -> None:
    high = Distribution.from_log(GRID, np.where(GRID > 0.8, 0.0, -50.0))
    assert high.exceeds(Distribution.none(GRID)) > 0.8
    assert Distribution.none(GRID).exceeds(Distribution.none(GRID)) == pytest.approx(0.5)
