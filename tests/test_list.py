"""``hpvqa list``: what is in a data folder or a data set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hpvqa.dataset.build import build
from hpvqa.errors import UsageError
from hpvqa.listing import list_episodes
from hpvqa.main import main
from hpvqa.recipe import Recipe
from hpvqa.record.episode import find_episodes, read_episode
from tests.factories import make_data, quiet

Run = Callable[..., str]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``hpvqa list`` at 80 columns; returns its output."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*args: str) -> str:
        with pytest.raises(SystemExit) as caught:
            main(["list", *args])
        captured = capsys.readouterr()
        assert caught.value.code == 0, captured.err
        return captured.out

    return run


def test_a_data_folder_says_what_each_episode_hides(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", push=2, drop=1, failed=[("push", 1)])
    records = [read_episode(folder) for folder in find_episodes(data)]
    entries = list_episodes(data)
    assert [(entry.task, entry.episode, entry.answer) for entry in entries] == [
        (record.spec.task, record.spec.index, record.task.answer(record.spec)) for record in records
    ]
    push, failed, drop = entries
    first, _, last = records
    assert (push.hidden, push.values) == ("mass", {thing.name: thing.mass for thing in first.spec.things})
    assert (drop.hidden, drop.values) == ("restitution", {thing.name: thing.restitution for thing in last.spec.things})
    assert (push.outcome, failed.outcome, push.split) == ("ok", "failed: made to fail", None)
    assert len(push.cameras) == 2
    assert list_episodes(data, "drop") == [drop]


def test_a_data_set_lists_the_same_episodes_with_their_split(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", push=4, drop=4)
    build(data, tmp_path / "dataset", quiet(), recipe=Recipe())
    recorded, built = list_episodes(data), list_episodes(tmp_path / "dataset")
    assert {entry.split for entry in built} == {"train", "eval"}

    def core(entry: object) -> dict[str, object]:
        return {key: value for key, value in vars(entry).items() if key not in {"split", "cameras"}}

    assert [core(entry) for entry in built] == [core(entry) for entry in recorded]
    assert [sorted(entry.cameras) for entry in built] == [sorted(entry.cameras) for entry in recorded]


def test_the_table_fits_a_terminal(tmp_path: Path, output: Run) -> None:
    data = make_data(tmp_path / "data", push=2, drop=1, failed=[("push", 1)])
    text = output(str(data))
    assert max(map(len, text.splitlines())) <= max(80, len(f"{data} holds 3 episodes."))
    assert "failed: made to fail" in " ".join(text.split())
    assert text.splitlines()[-1] == f"{data} holds 3 episodes."
    assert "push" not in output(str(data), "--task", "drop").replace(str(data), "")


def test_json_has_every_value(tmp_path: Path, output: Run) -> None:
    data = make_data(tmp_path / "data", push=1)
    (entry,) = json.loads(output(str(data), "--json"))
    assert entry["answer"] in {"left", "right"}
    assert set(entry) == {*["task", "episode", "source", "answer", "hidden", "values", "outcome", "split", "cameras"]}


def test_another_folder_names_what_is_near(tmp_path: Path) -> None:
    data = make_data(tmp_path / "demo" / "data", push=1)
    for place in (tmp_path / "demo", next(find_episodes(data))):
        with pytest.raises(UsageError, match=f"use this one: {data}"):
            list_episodes(place)
    with pytest.raises(UsageError, match="There is no data folder or data set"):
        list_episodes(tmp_path / "nowhere")
