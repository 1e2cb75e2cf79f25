from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.errors import UsageError
from hpvqa.evaluate.conditions import CONDITIONS, PLAIN, get_condition, join_views, parse_conditions
from hpvqa.record.episode import CameraRecord
from hpvqa.tasks import TASKS
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.prompt import CHOICES, load_prompt
from hpvqa.vlm.protocol import Query
from tests.factories import make_spec

SEED = 5
KEY = "push/000/episode-000042/front.mp4"


def pictures(count: int, first: int = 0) -> Frames:
    """Every picture and every column differs."""
    images = np.zeros((count, 4, 6, 3), np.uint8)
    images += (10 * np.arange(first, first + count, dtype=np.uint8))[:, None, None, None]
    images += np.arange(6, dtype=np.uint8)[None, None, :, None]
    return Frames(images, tuple(range(0, 7 * count, 7)), 15.0, 7 * count)


def make_query(frames: Frames | None = None, key: str = KEY) -> Query:
    prompt = load_prompt("paper")
    question = TASKS["push"].question
    return Query(
        key=key,
        task="push",
        clip=Path("train") / key,
        fps=15.0,
        frames=90,
        camera=None,
        question=question,
        system=prompt.system,
        text=prompt.ask(question),
        choices=CHOICES,
        episode=Path("train/push/000/episode-000042"),
        videos=(pictures(6) if frames is None else frames,),
    )


def changed(name: str, query: Query, seed: int = SEED) -> Query:
    return get_condition(name).change(query, seed)


def different(a: Query, b: Query) -> set[str]:
    """Names of the fields in which two queries are not the same object or value."""
    names = {field.name for field in fields(Query)} - {"videos"}
    found = {name for name in names if getattr(a, name) != getattr(b, name)}
    return found | ({"videos"} if any(x is not y for x, y in zip(a.videos, b.videos, strict=True)) else set())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", set()),
        ("swap", {"text", "choices"}),
        ("mirror", {"videos"}),
        ("blank", {"videos"}),
        ("shuffle", {"videos"}),
        ("single", {"videos"}),
        ("multiview", set()),
    ],
)
def test_each_condition_changes_one_thing(name: str, expected: set[str]) -> None:
    query = make_query()
    before = query.videos[0].images.copy()
    assert different(query, changed(name, query)) == expected
    assert (query.videos[0].images == before).all(), "the frames are shared with other conditions"


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_says_what_it_does(name: str) -> None:
    condition = CONDITIONS[name]
    assert condition.name == name
    assert condition.description.endswith(".")
    query = make_query()
    sees_otherwise = "videos" in different(query, condition.change(query, SEED)) or condition.joins_views
    assert condition.needs_frames == sees_otherwise
    assert {condition.answer("left"), condition.answer("right")} == {"left", "right"}
    assert (condition.answer("left") == "right") == (name == "mirror")


def test_swapped_choices_share_the_beginning_of_the_prompt() -> None:
    query = make_query()
    swapped = changed("swap", query)
    assert swapped.choices == ("right", "left")
    assert "the right one or the left one?" in swapped.text
    assert swapped.system == query.system
    assert swapped.videos[0] is query.videos[0]
    assert changed("swap", swapped) == query


def test_swapping_needs_no_frames() -> None:
    blind = replace(make_query(), videos=())
    assert changed("swap", blind).choices == ("right", "left")


def test_mirrored_frames_show_the_scene_of_the_other_answer() -> None:
    spec = make_spec("push", 0)
    query = make_query()
    mirrored = changed("mirror", query)
    video = mirrored.videos[0]
    assert (video.images[:, :, 0] == query.videos[0].images[:, :, -1]).all()
    assert video.indices == query.videos[0].indices
    assert video.images.flags.c_contiguous
    truth = TASKS["push"].answer(spec)
    assert get_condition("mirror").answer(truth) != truth
    assert (changed("mirror", mirrored).videos[0].images == query.videos[0].images).all()


def test_no_camera_recorded_mirrored_frames() -> None:
    query = replace(make_query(), camera=CameraRecord.of(make_spec("push", 0).cameras[0], 48, 32))
    assert changed("mirror", query).camera is None
    assert changed("shuffle", query).camera == query.camera


def test_blank_frames_are_grey_at_the_same_times() -> None:
    query = make_query()
    video = changed("blank", query).videos[0]
    assert (video.images == 128).all()
    assert video.images.shape == query.videos[0].images.shape
    assert video.images.dtype == np.uint8
    assert (video.indices, video.fps, video.total) == ((0, 7, 14, 21, 28, 35), 15.0, 42)


def test_shuffled_pictures_keep_their_times() -> None:
    query = make_query()
    video = changed("shuffle", query).videos[0]
    assert video.indices == query.videos[0].indices
    assert (video.images != query.videos[0].images).any()
    assert sorted(video.images[:, 0, 0, 0]) == sorted(query.videos[0].images[:, 0, 0, 0])
    assert (changed("shuffle", query).videos[0].images == video.images).all()


def test_each_row_and_seed_is_shuffled_in_its_own_way() -> None:
    orders = {
        tuple(changed("shuffle", make_query(pictures(12), f"{row}.mp4"), seed).videos[0].images[:, 0, 0, 0])
        for row in range(5)
        for seed in range(4)
    }
    assert len(orders) == 20


@pytest.mark.slow
@given(st.integers(0, 10**9), st.integers(2, 4), st.text(min_size=1))
def test_shuffling_always_changes_the_order(seed: int, count: int, key: str) -> None:
    query = make_query(pictures(count), key)
    assert (changed("shuffle", query, seed).videos[0].images != query.videos[0].images).any()


def test_shuffling_moves_the_one_picture_that_differs() -> None:
    images = np.zeros((8, 2, 2, 3), np.uint8)
    images[0] = 9
    for row in range(20):
        query = make_query(Frames(images, tuple(range(8)), 2.0, 8), f"{row}.mp4")
        assert (changed("shuffle", query).videos[0].images[0] == 0).all()


def test_there_is_nothing_to_shuffle_in_equal_pictures() -> None:
    for count in (1, 5):
        frames = Frames(np.full((count, 2, 2, 3), 7, np.uint8), tuple(range(count)), 2.0, count)
        assert (changed("shuffle", make_query(frames)).videos[0].images == 7).all()


def test_a_single_frame_is_the_last_of_those_that_are_seen() -> None:
    query = make_query()
    video = changed("single", query).videos[0]
    assert video.images.shape == (1, 4, 6, 3)
    assert (video.images[0] == query.videos[0].images[-1]).all()
    assert video.indices == (35,)
    assert video.total == query.videos[0].total


def test_all_views_of_an_episode_are_one_query() -> None:
    views = [make_query(pictures(6, first), KEY.replace("front", name)) for first, name in enumerate(("b", "a", "c"))]
    joined = join_views(views, "push/000/episode-000042")
    assert joined.key == "push/000/episode-000042"
    assert len(joined.videos) == 3
    assert all(video is view.videos[0] for video, view in zip(joined.videos, views, strict=True))
    assert (joined.text, joined.choices, joined.episode) == (views[0].text, views[0].choices, views[0].episode)
    assert get_condition("multiview").joins_views


def test_conditions_are_named_between_commas() -> None:
    names = [condition.name for condition in parse_conditions(" swap,plain , swap,mirror,")]
    assert names == ["swap", "plain", "mirror"]
    assert parse_conditions("plain") == (PLAIN,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("swap,miror", "There is no condition 'miror'; did you mean 'mirror'?"),
        ("everything", "There is no condition 'everything'; known are: blank, mirror, multiview"),
        ("", "No condition is named; known are: blank"),
        (" , ", "No condition is named"),
    ],
)
def test_a_condition_that_does_not_exist_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_conditions(text)
    assert message in str(caught.value)


@given(st.lists(st.sampled_from(sorted(CONDITIONS)), min_size=1))
def test_every_list_of_names_is_read(names: list[str]) -> None:
    assert [condition.name for condition in parse_conditions(",".join(names))] == list(dict.fromkeys(names))
