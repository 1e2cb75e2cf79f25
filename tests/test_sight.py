"""How far objects went: as a span, as pixels of a clip, and drawn into pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from hpvqa import demo
from hpvqa.record.episode import CameraRecord, EpisodeRecord, read_episode
from hpvqa.record.marks import COLORS, Marker, close_ups
from hpvqa.record.moments import spans
from hpvqa.record.plot import plot_trajectory
from hpvqa.record.sheet import contact_sheet
from hpvqa.record.sight import clearest
from hpvqa.scene.camera import look_at, project
from hpvqa.scene.spec import SIDES, CameraSpec
from hpvqa.tasks.outcome import Outcome
from tests.factories import HEIGHT, WIDTH, make_data, make_episode, make_spec

FIRST = ("push", "drop")
"""The tasks that are made without a simulator."""
tasks = pytest.mark.parametrize("task", FIRST)
ABOVE, FAR = (0.5, 0.0, 0.8), (0.5, 0.0, 3.0)


def camera(name: str, position: tuple[float, float, float], focal_length: float = 12.0) -> CameraSpec:
    quat = look_at(position, (0.5, 0.0, 0.0), (1.0, 0.0, 0.0))
    return CameraSpec(name=name, position=position, quat_wxyz=quat, focal_length=focal_length)


def seen_by(record: EpisodeRecord, *cameras: CameraSpec) -> EpisodeRecord:
    return record.model_copy(update={"cameras": tuple(CameraRecord.of(found, WIDTH, HEIGHT) for found in cameras)})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("sight") / "data", push=4, drop=4)


def episode(data: Path, task: str, number: int = 0) -> Path:
    return data / task / "000" / f"episode-{number:06d}"


def test_the_span_of_a_push_is_the_measured_displacement(data: Path) -> None:
    record = read_episode(episode(data, "push"))
    assert record.outcome.measurement is not None
    for side, span in spans(record).items():
        moved = record.outcome.measurement.of(side)
        assert span.length == pytest.approx(moved)
        assert span.start == record.spec.thing(side).position
        assert span.words == f"{100 * moved:.1f} cm"


def test_the_span_of_a_drop_ends_at_the_apex_that_was_found(data: Path) -> None:
    record = read_episode(episode(data, "drop"))
    for side, span in spans(record).items():
        apex = next(event for event in record.events if event.kind == "apex" and event.object == side)
        assert (span.t, span.end) == (apex.t, apex.position)
        assert span.length == pytest.approx(apex.position[2] - record.spec.thing(side).half_height)


def test_a_sphere_that_does_not_bounce_has_a_span_of_no_length(data: Path) -> None:
    record = read_episode(episode(data, "drop"))
    flat = record.model_copy(update={"events": tuple(event for event in record.events if event.kind != "apex")})
    assert [span.words for span in spans(flat).values()] == ["0.0 cm", "0.0 cm"]


def test_the_clearest_camera_is_the_one_with_most_pixels_whatever_its_name(data: Path) -> None:
    record = read_episode(episode(data, "push"))
    for cameras in ((camera("a", ABOVE), camera("b", FAR)), (camera("a", FAR), camera("b", ABOVE))):
        best = clearest(seen_by(record, *cameras))
        assert best.camera.position == ABOVE
        long, short = sorted(spans(record).values(), key=lambda span: -span.length)
        lengths = [np.ptp(project(best.camera, [s.start, s.end], WIDTH, HEIGHT), axis=0).max() for s in (long, short)]
        assert best.pixels == pytest.approx(lengths[0] - lengths[1], rel=0.05)


def test_a_camera_that_misses_an_object_is_never_the_clearest(data: Path) -> None:
    record = read_episode(episode(data, "push"))
    near = camera("near", (0.5, 0.0, 0.2), 30.0)
    assert clearest(seen_by(record, near, camera("far", FAR))).camera.name == "far"


def test_of_a_thing_alone_its_own_way_counts(data: Path) -> None:
    record = read_episode(episode(data, "push"))
    left, measured = record.spec.thing("left"), record.outcome.measurement
    assert measured is not None
    alone = record.model_copy(
        update={
            "spec": record.spec.model_copy(update={"things": (left,), "order": ("left",)}),
            "outcome": Outcome(
                ok=True, measurement=measured.model_copy(update={"values": {"left": measured.of("left")}})
            ),
        }
    )
    best = clearest(seen_by(alone, camera("b", FAR), camera("a", ABOVE)))
    assert best.camera.position == ABOVE
    span = spans(alone)["left"]
    assert best.pixels == pytest.approx(
        np.ptp(project(best.camera, [span.start, span.end], WIDTH, HEIGHT), axis=0).max()
    )


def test_where_nothing_was_measured_there_is_nothing_to_see(data: Path) -> None:
    record = read_episode(episode(data, "push"))
    failed = record.model_copy(update={"outcome": Outcome(ok=False, reason="made to fail")})
    assert spans(failed) == {}
    assert clearest(failed).pixels == 0


def test_the_demo_shows_the_episode_whose_answer_is_plainest(data: Path) -> None:
    for task in FIRST:
        folder, record, sight = demo._plainest(data, task)
        every = [clearest(read_episode(episode(data, task, number))).pixels for number in range(4)]
        assert sight.pixels == max(every)
        assert read_episode(folder) == record


@tasks
def test_close_ups_hold_both_ends_of_a_span_at_one_scale(data: Path, task: str) -> None:
    record = seen_by(read_episode(episode(data, task)), camera("above", FAR, 30.0))
    shown = spans(record)
    windows = close_ups(record, record.cameras[0], shown)
    assert set(windows) == set(SIDES)
    assert len({window.side for window in windows.values()}) == 1
    for side, window in windows.items():
        uv = project(record.cameras[0].camera, [shown[side].start, shown[side].end], WIDTH, HEIGHT)
        assert ((uv >= (window.left, window.top)) & (uv <= np.add((window.left, window.top), window.side))).all()


def test_a_ruler_is_drawn_where_the_object_went(data: Path) -> None:
    record = read_episode(episode(data, "push"))
    spec, above = record.spec, camera("above", FAR, 50.0)
    span = spans(record)["left"]
    picture = Image.new("RGB", (640, 480))
    Marker(picture, above, picture.size, ImageFont.load_default(14)).ruler(spec.thing("left"), COLORS[0], span, "")
    color = tuple(int(COLORS[0][at : at + 2], 16) for at in (1, 3, 5))
    rows, columns = np.nonzero((np.asarray(picture) == color).all(axis=-1))
    table = [(x, y, 0.0) for x, y, _ in (span.start, span.end)]
    (_, first), (u, last) = project(above, table, *picture.size)
    # Seen from behind, a push goes up in the picture; the ruler of the left cube is on its left.
    assert (rows.max(), rows.min()) == (pytest.approx(first, abs=4), pytest.approx(last, abs=4))
    assert columns.max() < u


@pytest.mark.slow
@tasks
def test_sheets_grow_by_two_close_ups_and_plots_say_both_lengths(data: Path, task: str, tmp_path: Path) -> None:
    folder = episode(data, task)
    record = read_episode(folder)
    failed = record.model_copy(update={"outcome": Outcome(ok=False, reason="made to fail")})
    assert contact_sheet(folder, record).width > contact_sheet(folder, failed).width + 300
    texts = {text.get_text() for text in plot_trajectory(folder, record).axes[0].texts}
    assert {span.words for span in spans(record).values()} <= texts


def test_an_object_out_of_the_picture_gets_no_close_up(tmp_path: Path) -> None:
    aside = camera("aside", (0.5, 5.0, 0.5)).model_copy(
        update={"quat_wxyz": look_at((0.5, 5.0, 0.5), (0.5, 9.0, 0.0), (0.0, 0.0, 1.0))}
    )
    spec = make_spec("push", 0, cameras=1).model_copy(update={"cameras": (aside,)})
    (tmp_path / "data").mkdir()
    folder = make_episode(tmp_path / "data", spec)
    record = read_episode(folder)
    assert close_ups(record, record.cameras[0], spans(record)) == {}
    assert contact_sheet(folder, record).width > 0
