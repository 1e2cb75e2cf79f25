"""The pixels baseline against a tiny ray caster whose truth is known."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from hpvqa.record.episode import CameraRecord
from hpvqa.record.video import ClipWriter
from hpvqa.tasks import TASKS
from hpvqa.vlm.pixels import Measured, PixelsAnswerer, measure_clip
from hpvqa.vlm.protocol import Query
from tests.needs import long_but
from tests.pixel_clips import BLUE, RED, Frames, camera, drop_clip, push_clip, squeezed, task_clip

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", long_but(["top", "low"]))
@pytest.mark.parametrize("moved", [{"left": 0.06, "right": 0.14}, {"left": 0.15, "right": 0.045}])
def test_displacement_is_recovered(name: str, moved: dict[str, float]) -> None:
    measured = measure_clip(push_clip(camera(name), moved, (RED, BLUE)), camera(name), 15, "push")
    assert measured.quantity == "displacement"
    assert measured.values["left"] == pytest.approx(moved["left"], abs=0.015)
    assert measured.values["right"] == pytest.approx(moved["right"], abs=0.015)
    assert (measured.p_left > 0.95) == (moved["left"] < moved["right"])
    assert (measured.p_left < 0.05) == (moved["left"] > moved["right"])


@pytest.mark.parametrize("name", long_but(["front", "low"]))
@pytest.mark.parametrize(
    ("left", "right"),
    [
        (0.0, 0.22),
        pytest.param(0.35, 0.1, marks=pytest.mark.long),
        pytest.param(0.9, 0.65, marks=pytest.mark.long),
        (0.5, 0.97),
    ],
)
def test_restitution_is_recovered(name: str, left: float, right: float) -> None:
    frames = drop_clip(camera(name), {"left": left, "right": right}, colors=(RED, BLUE))
    measured = measure_clip(frames, camera(name), 30, "drop")
    assert measured.quantity == "restitution"
    # Below 0.1 a sphere jumps by less than 3 mm: a pixel.
    assert measured.values["left"] == pytest.approx(left, abs=0.03 if left else 0.1)
    assert measured.values["right"] == pytest.approx(right, abs=0.03)
    assert (measured.p_left > 0.9) == (left > right)
    assert (measured.p_left < 0.1) == (left < right)


@pytest.mark.parametrize(
    ("task", "clip", "values"),
    [("push", push_clip, {"left": 0.07, "right": 0.14}), ("drop", drop_clip, {"left": 0.8, "right": 0.4})],
)
def test_the_other_truth_gives_the_other_answer(
    task: str, clip: Callable[..., Frames], values: dict[str, float]
) -> None:
    swapped = {"left": values["right"], "right": values["left"]}
    assert measure_clip(clip(camera("low"), values), camera("low"), 30, task).p_left > 0.9
    assert measure_clip(clip(camera("low"), swapped), camera("low"), 30, task).p_left < 0.1


def hidden_values(task: str, more: str) -> dict[str, float]:
    """Two things far apart, of which one has ``more``; one alone is far from the middle."""
    low, high = TASKS[task].hidden_range
    few, many = (low + share * (high - low) for share in (0.1, 0.9))
    names = [thing.name for thing in TASKS[task].examples()]
    if len(names) == 1:
        return {names[0]: many if more == "left" else few}
    return {name: many if name == more else few for name in names}


@pytest.mark.parametrize("more", ["left", "right"])
@pytest.mark.parametrize("task", long_but(TASKS, "slide"))
def test_every_task_is_read_from_its_probe_and_things_alone(task: str, more: str) -> None:
    hidden = hidden_values(task, more)
    measured = measure_clip(task_clip(camera("low"), task, hidden), camera("low"), 15, task)
    assert (measured.p_left > 0.95) == (more == "left")
    assert (measured.p_left < 0.05) == (more == "right")
    low, high = TASKS[task].hidden_range
    assert measured.hidden.keys() == measured.values.keys() == hidden.keys()
    for name, value in hidden.items():
        assert measured.hidden[name].best == pytest.approx(value, abs=0.2 * (high - low))
        assert measured.hidden[name].probability.sum() == pytest.approx(1)


@pytest.mark.parametrize("task", TASKS)
def test_an_empty_table_says_nothing(task: str) -> None:
    measured = measure_clip(task_clip(camera("low"), task, {}), camera("low"), 15, task)
    assert set(measured.values.values()) == {None}
    assert measured.hidden == {}
    assert measured.p_left == pytest.approx(0.5)


def test_pixels_need_not_be_square() -> None:
    record = squeezed(camera("top"))
    measured = measure_clip(push_clip(record, {"left": 0.05, "right": 0.14}), record, 15, "push")
    assert measured.values["left"] == pytest.approx(0.05, abs=0.015)
    assert measured.values["right"] == pytest.approx(0.14, abs=0.015)


@pytest.mark.parametrize(("task", "clip"), [("push", push_clip), ("drop", drop_clip)])
def test_an_object_that_is_not_there_is_not_found(task: str, clip: Callable[..., Frames]) -> None:
    nothing = measure_clip(clip(camera("low"), {}), camera("low"), 30, task)
    assert nothing == Measured(nothing.quantity, {"left": None, "right": None}, pytest.approx(0.5), {})
    one = measure_clip(clip(camera("low"), {"left": 0.1 if task == "push" else 0.6}), camera("low"), 30, task)
    assert one.values["right"] is None
    assert one.values["left"] == pytest.approx(0.1 if task == "push" else 0.6, abs=0.03)
    assert 0.3 < one.p_left < 0.7


def test_an_object_that_does_not_move_says_nothing() -> None:
    still = measure_clip(push_clip(camera("low"), {"left": 0.0, "right": 0.0}), camera("low"), 15, "push")
    assert still.p_left == pytest.approx(0.5)


def test_few_small_or_no_frames_are_answered_too() -> None:
    slow = measure_clip(drop_clip(camera("low"), {"left": 0.9, "right": 0.3}, fps=2), camera("low"), 2, "drop")
    assert slow.p_left > 0.5
    tiny = camera("low", 64, 48)
    assert 0 <= measure_clip(drop_clip(tiny, {"left": 0.9, "right": 0.3}), tiny, 30, "drop").p_left <= 1
    for task in ("push", "drop"):
        assert measure_clip([], camera("low"), 30, task).p_left == pytest.approx(0.5)
        assert measure_clip(drop_clip(camera("low"), {"left": 0.5})[:1], camera("low"), 30, task).p_left >= 0


def query(clip: Path, task: str, record: CameraRecord | None) -> Query:
    return Query(
        key="row",
        task=task,
        clip=clip,
        fps=15.0,
        frames=12,
        camera=record,
        question="",
        system="",
        text="",
        choices=("left", "right"),
        episode=clip.parent / "there is no such folder",
    )


def test_answers_a_query_from_its_clip_alone(tmp_path: Path) -> None:
    record = camera("top")
    with ClipWriter(tmp_path / "clip.mp4", 15, 320, 240) as writer:
        for frame in push_clip(record, {"left": 0.15, "right": 0.06}):
            writer.write(frame)
    answerer = pickle.loads(pickle.dumps(PixelsAnswerer()))  # noqa: S301 - as a process pool does
    (answer,) = answerer.answer([query(tmp_path / "clip.mp4", "push", record)])
    assert answer.choice == "right"
    assert answer.error is None
    assert answer.logprobs is not None
    assert answer.logprobs["right"] > answer.logprobs["left"]
    assert sum(map(math.exp, answer.logprobs.values())) == pytest.approx(1)
    assert "displacement left 0.1" in answer.text


def test_says_why_it_cannot_answer(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"not a video")
    queries = [
        query(tmp_path / "broken.mp4", "push", None),
        query(tmp_path / "broken.mp4", "push", camera("top")),
        query(tmp_path / "broken.mp4", "pusj", camera("top")),
    ]
    answers = PixelsAnswerer().answer(queries)
    assert [answer.choice for answer in answers] == [None] * 3
    for answer, words in zip(answers, ("calibration", "cannot be decoded", "did you mean 'push'"), strict=True):
        assert words in (answer.error or "")
