"""Which episode is asked about, also while others are being recorded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hpvqa.ask.episodes import latest_episode, new_episodes, open_episode
from hpvqa.ask.place import read_words
from hpvqa.dataset.build import build
from hpvqa.errors import UsageError
from hpvqa.recipe import Recipe
from hpvqa.record.episode import RECORD_FILE, episode_dir
from tests.factories import make_data, make_episode, make_spec, quiet


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_data(tmp_path / "data", push=3, drop=2, failed=[("push", 2)])


def written(folder: Path, seconds: float) -> None:
    """Pretend that an episode was written then."""
    os.utime(folder / RECORD_FILE, (seconds, seconds))


def test_the_newest_episode_is_the_one_written_last(data: Path) -> None:
    folders = [episode_dir(data, task, index) for task, index in (("push", 0), ("push", 1), ("drop", 0), ("drop", 1))]
    for number, folder in enumerate(folders):
        written(folder, 1000 + number)
    assert latest_episode(data) == folders[3]
    written(folders[1], 2000)
    assert latest_episode(data) == folders[1]
    # Whatever else is put into a folder does not make it newer.
    (folders[0] / "note.txt").write_text("seen")
    assert latest_episode(data) == folders[1]
    for folder in folders:
        written(folder, 3000)
    assert latest_episode(data) == folders[3]


def test_a_failed_episode_is_not_the_newest(data: Path) -> None:
    written(episode_dir(data, "push", 2), 9e9)
    written(episode_dir(data, "push", 1), 8e9)
    assert latest_episode(data) == episode_dir(data, "push", 1)


def message(function: Callable[[Path], object], folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        function(folder)
    return str(caught.value)


def test_a_data_folder_without_an_episode_is_told(tmp_path: Path) -> None:
    assert "There is no data folder" in message(latest_episode, tmp_path / "nowhere")
    empty = make_data(tmp_path / "empty")
    assert "There is no episode in" in message(latest_episode, empty)
    assert f"hpvqa collect push --out {empty}" in message(latest_episode, empty)
    (empty / ".partial" / "all.x" / "push-episode-000000").mkdir(parents=True)
    assert "still being recorded" in message(latest_episode, empty)
    failed = make_data(tmp_path / "failed", push=1, failed=[("push", 0)])
    assert "All 1 episodes" in message(latest_episode, failed)


def test_what_is_no_episode_is_told_with_what_to_do(data: Path, tmp_path: Path) -> None:
    good = episode_dir(data, "push", 0)
    assert open_episode(good).spec.index == 0
    recording = data / ".partial" / "all.abc" / "push-episode-000007"
    recording.mkdir(parents=True)
    for folder in (recording, episode_dir(data, "push", 7)):
        assert "is still being recorded" in message(open_episode, folder)
    assert "There is no episode" in message(open_episode, episode_dir(data, "push", 8))
    assert "failed (made to fail)" in message(open_episode, episode_dir(data, "push", 2))
    assert f"--latest {data}" in message(open_episode, data)
    assert "name the episode's folder" in message(open_episode, good / RECORD_FILE)
    assert "is not an episode" in message(open_episode, tmp_path)
    (good / RECORD_FILE).write_text("{}")
    assert "damaged" in message(open_episode, good)
    assert "is an episode, not a data folder" in message(latest_episode, good)


def test_what_was_meant_is_named(tmp_path: Path) -> None:
    def watch(folder: Path) -> object:
        return new_episodes(folder, lambda: True, lambda: None)

    project = tmp_path / "project"
    (project / "runs").mkdir(parents=True)
    for function in (latest_episode, watch):
        assert message(function, project).endswith("project is not a data folder; make one with `hpvqa collect`")
    data = make_data(project / "data", push=2)
    for function in (latest_episode, watch):
        assert message(function, project).endswith(f"use this one: {data}")
    for folder in (project, data / "push" / "000"):
        assert str(data / "push" / "000" / "episode-0000") in message(open_episode, folder)


def test_an_empty_folder_may_be_watched(tmp_path: Path) -> None:
    assert list(new_episodes(tmp_path, lambda: True, lambda: None)) == []


@pytest.mark.slow
def test_a_data_set_is_told_from_a_data_folder(tmp_path: Path) -> None:
    build(make_data(tmp_path / "data", push=8), tmp_path / "dataset", quiet(), recipe=Recipe())
    for function in (latest_episode, open_episode):
        assert "hpvqa eval --dataset" in message(function, tmp_path / "dataset")


def test_every_new_episode_is_found_once_and_whole(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", push=1)
    made: list[Path] = []
    pauses = 0

    def pause() -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 2:
            # Two at once, one of them of a task that was not there before, and one whose record is missing.
            made.extend(make_episode(data, make_spec(task, 4)) for task in ("drop", "push"))
            episode_dir(data, "push", 5).mkdir()
        if pauses == 4:
            shutil.rmtree(episode_dir(data, "push", 4))
            made.append(make_episode(data, make_spec("push", 1000)))

    found = []
    for folder in new_episodes(data, lambda: pauses > 5, pause):
        assert open_episode(folder).outcome.ok
        found.append(folder)
    assert sorted(found) == sorted(made)
    assert len(set(found)) == 3


def test_a_folder_may_appear_while_it_is_watched(tmp_path: Path) -> None:
    data = tmp_path / "data"
    pauses = 0

    def pause() -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 1:
            make_data(data, push=1)

    assert list(new_episodes(data, lambda: pauses > 2, pause)) == [episode_dir(data, "push", 0)]


def test_nothing_is_answered_after_the_end(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", push=1)
    found: list[Path] = []

    def pause() -> None:
        for index in (1, 2, 3):
            make_episode(data, make_spec("push", index))

    for folder in new_episodes(data, lambda: len(found) >= 1, pause):
        found.append(folder)
    assert len(found) == 1


def test_words_of_the_command_line(tmp_path: Path) -> None:
    episode, data = Path("data/push/000/episode-000003"), Path("data")
    place = read_words(("data/push/000/episode-000003",), None, None)
    assert (place.path, place.how, place.question) == (episode, "episode", None)
    place = read_words((str(episode), "which one?"), None, None)
    assert (place.path, place.question) == (episode, "which one?")
    place = read_words(("which one?",), data, None)
    assert (place.path, place.how, place.question) == (data, "latest", "which one?")
    assert read_words((), None, data).how == "watch"


@pytest.mark.parametrize(
    ("words", "latest", "watch", "expected"),
    [
        ((), None, None, "Name an episode"),
        (("which one is it?",), None, None, "--latest data"),
        (("which", "one", "is it?"), None, None, "into quotes"),
        (("which", "one"), "data", None, "into quotes"),
        ((), "data", "data", "Choose one of"),
        ((".",), "data", None, "either an episode"),
    ],
)
def test_words_that_make_no_sense(words: tuple[str, ...], latest: str | None, watch: str | None, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        read_words(words, Path(latest) if latest else None, Path(watch) if watch else None)


def test_what_lands_before_the_first_look_is_not_missed(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", push=1)
    landing = new_episodes(data, lambda: False, lambda: None)
    made = make_episode(data, make_spec("push", 1))
    assert next(landing) == made
