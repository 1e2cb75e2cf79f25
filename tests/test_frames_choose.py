from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from hpvqa.errors import UsageError
from hpvqa.vlm.frames.choose import choose, count, needs_motion
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.sampling import FrameSampling

PATH = Path("clip.mp4")
samplers = st.sampled_from(["uniform", "dense", "motion", "events"])


def clip(frames: int, fps: float = 15.0, moments: tuple[float, ...] = ()) -> Clip:
    return Clip(PATH, fps, frames, moments)


def shown(indices: tuple[int, ...], of: Clip) -> Frames:
    return Frames(np.zeros((len(indices), 1, 1, 3), np.uint8), indices, of.fps, of.frames)


def bump(frames: int, first: int, last: int) -> NDArray[np.float64]:
    """Everything moves between two frames."""
    motion = np.zeros(frames)
    motion[first : last + 1] = 1.0
    return motion


@settings(deadline=None)
@given(
    samplers,
    st.integers(1, 400),
    st.floats(1, 120),
    st.one_of(st.none(), st.floats(0.1, 240)),
    st.one_of(st.none(), st.integers(1, 64)),
    st.lists(st.floats(0, 30), min_size=1, max_size=12),
    st.integers(0, 3),
)
def test_every_choice_is_a_choice(
    sampler: str, frames: int, clip_fps: float, fps: float | None, wanted: int | None, moments: list[float], seed: int
) -> None:
    sampling = FrameSampling.model_validate(
        {"sampler": sampler, "count": wanted} | ({} if fps is None else {"fps": fps})
    )
    of = clip(frames, clip_fps, tuple(moments))
    motion = np.random.default_rng(seed).gamma(0.2, size=frames) * (seed > 0)
    indices = choose(sampling, of, motion if needs_motion(sampling, of) else None)
    assert len(indices) == count(sampling, of) >= 1
    assert list(indices) == sorted(set(indices))
    assert indices[0] >= 0
    assert indices[-1] < frames
    if wanted is not None:
        assert len(indices) <= wanted
        if sampler != "dense":
            assert len(indices) == min(wanted, frames)
    if sampler in ("uniform", "dense"):
        assert shown(indices, of).rate is not None
    if sampler == "motion" and len(indices) > 1:
        assert (indices[0], indices[-1]) == (0, frames - 1)
    assert choose(sampling, of, motion if needs_motion(sampling, of) else None) == indices


@pytest.mark.parametrize(
    ("frames", "fps", "expected"),
    [(135, 15, 18), (136, 15, 19), (330, 30, 22), (331, 30, 23), (90, 10, 18), (8, 15, 1)],
)
def test_two_frames_a_second(frames: int, fps: float, expected: int) -> None:
    of = clip(frames, fps)
    indices = choose(FrameSampling(), of)
    assert len(indices) == expected
    assert all(abs(index - number * fps / 2) <= 0.5 + 1e-9 for number, index in enumerate(indices))
    assert shown(indices, of).rate == pytest.approx(2.0 if expected > 1 else fps, rel=0.01)


def test_spacing_counts_as_even_at_any_rate() -> None:
    for frames in (31, 135, 331):
        for fps in np.arange(0.3, 40, 0.37):
            of = clip(frames, 30)
            assert shown(choose(FrameSampling(fps=float(fps)), of), of).rate is not None


def test_no_frame_is_shown_twice_to_a_fast_model() -> None:
    assert choose(FrameSampling(fps=60), clip(7, 15)) == tuple(range(7))


def test_a_number_of_frames_covers_the_whole_clip() -> None:
    assert choose(FrameSampling(count=4), clip(100)) == (0, 33, 66, 99)
    assert choose(FrameSampling(count=2, fps=30), clip(100)) == (0, 99)
    assert choose(FrameSampling(count=1), clip(100)) == (99,)
    assert choose(FrameSampling(count=16), clip(3)) == (0, 1, 2)


def test_dense_is_a_stretch_where_most_moves() -> None:
    of = clip(240, 30)
    sampling = FrameSampling(sampler="dense")
    assert sampling.fps == 8
    indices = choose(sampling, of, bump(240, 130, 160))
    assert len(indices) == len(choose(FrameSampling(), of)) == 16
    assert indices[0] <= 130
    assert indices[-1] >= 160
    assert shown(indices, of).rate == pytest.approx(8, rel=0.05)
    assert choose(FrameSampling(sampler="dense", fps=30, count=5), of, bump(240, 200, 204)) == (200, 201, 202, 203, 204)
    assert choose(FrameSampling(sampler="dense", fps=30, count=1), of, bump(240, 200, 200)) == (200,)


def test_a_stretch_as_long_as_the_clip_leaves_no_choice() -> None:
    of = clip(90, 15)
    sampling = FrameSampling(sampler="dense", fps=2)
    assert needs_motion(sampling, of) == (choose(FrameSampling(), of)[-1] < 89)
    everything = FrameSampling(sampler="dense", fps=15, count=500)
    assert not needs_motion(everything, of)
    assert choose(everything, of) == tuple(range(90))


def test_motion_gathers_frames_where_something_moves() -> None:
    of = clip(200)
    sampling = FrameSampling(sampler="motion", count=12)
    indices = choose(sampling, of, bump(200, 100, 119))
    assert (indices[0], indices[-1]) == (0, 199)
    assert sum(99 <= index <= 119 for index in indices) >= 7
    assert sum(index < 99 for index in indices) >= 2  # not only the first
    assert shown(indices, of).rate is None


def test_between_two_frames_about_the_same_moves() -> None:
    motion = np.concatenate([[0.0], np.full(100, 1.0), np.full(100, 5.0)])
    indices = np.array(choose(FrameSampling(sampler="motion", count=13), clip(201), motion))
    shares = np.add.reduceat(motion[1:], indices[:-1])
    assert shares.max() / shares.min() < 1.8  # 5 if they were evenly spaced


def test_a_jump_is_seen_from_both_sides() -> None:
    indices = choose(FrameSampling(sampler="motion", count=6), clip(100), bump(100, 50, 50))
    assert {49, 50} <= set(indices)


def test_where_nothing_moves_motion_is_even() -> None:
    of = clip(101)
    assert choose(FrameSampling(sampler="motion", count=5), of, np.zeros(101)) == (0, 25, 50, 75, 100)


def test_frames_at_events() -> None:
    of = clip(100, 10, (2.04, 5.0, 5.01, 99.0))
    assert choose(FrameSampling(sampler="events", count=3), of) == (20, 50, 99)
    assert choose(FrameSampling(sampler="events", count=1), of) == (99,)
    assert choose(FrameSampling(sampler="events", count=2), of) == (20, 99)
    assert choose(FrameSampling(sampler="events", count=6), of) == (0, 20, 35, 50, 74, 99)


def test_events_must_be_known() -> None:
    with pytest.raises(UsageError, match=r"No events are known of the clip clip\.mp4; choose another sampler"):
        choose(FrameSampling(sampler="events"), clip(100))


def test_only_events_are_privileged() -> None:
    assert FrameSampling(sampler="events").privileged
    assert not any(FrameSampling(sampler=name).privileged for name in ("uniform", "dense", "motion"))


def test_a_sampling_survives_being_written_down() -> None:
    for sampling in (FrameSampling(), FrameSampling(sampler="dense"), FrameSampling(sampler="dense", fps=2, count=3)):
        assert FrameSampling.model_validate_json(sampling.model_dump_json()) == sampling


@pytest.mark.parametrize("wrong", [{"fps": 0}, {"count": 0}, {"resolution": (0, 10)}, {"sampler": "all"}, {"rate": 2}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FrameSampling.model_validate(wrong)
