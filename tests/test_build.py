"""From a data folder to a data set: what it holds, that it appears whole or not at all, and what is refused."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
import yaml

from hpvqa.dataset.build import build
from hpvqa.dataset.load import open_dataset
from hpvqa.errors import RunError, UsageError
from hpvqa.recipe import Recipe, validate_recipe
from hpvqa.record.episode import CameraRecord, find_episodes, read_episode
from hpvqa.tasks import TASKS
from hpvqa.tasks.push import PushTask
from tests.build_data import hpvqa, make, tree
from tests.factories import FPS, FRAMES, HEIGHT, WIDTH, copy, make_data, make_spec, quiet


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("build") / "data", push=8, drop=8)


def test_every_clip_is_a_row(data: Path, tmp_path: Path) -> None:
    make(data, tmp_path / "dataset")
    dataset = open_dataset(tmp_path / "dataset")
    train, evaluation = dataset.rows("train"), dataset.rows("eval")
    assert (len(train), len(evaluation)) == (24, 8)
    clips = {(folder.name, path.name) for folder in find_episodes(data) for path in folder.glob("*.mp4")}
    assert {(Path(row.file_name).parent.name, Path(row.file_name).name) for row in train + evaluation} == clips
    assert {row.cluster for row in train}.isdisjoint({row.cluster for row in evaluation})
    for split, rows in (("train", train), ("eval", evaluation)):
        for task in TASKS:
            sides = Counter(row.answer for row in rows if row.task == task)
            assert sides["left"] == sides["right"], (split, task)


@pytest.mark.slow
def test_folders_of_different_tasks_become_one_data_set(tmp_path: Path) -> None:
    pushes, drops = make_data(tmp_path / "pushes", push=8), make_data(tmp_path / "drops", seed=4, drop=4)
    assert hpvqa("build", pushes, drops, "--seed", 7, "--out", tmp_path / "both") == 0
    dataset = open_dataset(tmp_path / "both")
    assert dataset.manifest.source == "pushes and drops"
    for task, folder, episodes in (("push", pushes, 8), ("drop", drops, 4)):
        make(folder, tmp_path / task, seed=7)
        alone = open_dataset(tmp_path / task)
        for split in ("train", "eval"):
            assert [row for row in dataset.rows(split) if row.task == task] == alone.rows(split)
        rows = [row for split in ("train", "eval") for row in dataset.rows(split) if row.task == task]
        assert {row.source for row in rows} == {folder.name}
        assert len({row.cluster for row in rows}) == episodes


@pytest.mark.slow
def test_folders_of_the_same_task_become_one_data_set(tmp_path: Path) -> None:
    first, second = make_data(tmp_path / "first", seed=3, push=8), make_data(tmp_path / "second", seed=4, push=6)
    make(first, tmp_path / "alone")
    build([first, second], tmp_path / "both", quiet(), recipe=Recipe())
    alone, both = open_dataset(tmp_path / "alone"), open_dataset(tmp_path / "both")
    for split in ("train", "eval"):
        rows = both.rows(split)
        assert all((both.root / split / row.file_name).is_file() for row in rows)
        # Adding a folder moves no episode of another one.
        of_first = [row.episode for row in rows if row.source == "first"]
        assert of_first == [row.episode for row in alone.rows(split)]
        assert {row.file_name.split("/")[0] for row in rows} == {"first", "second"}
    clusters = [{row.cluster for row in both.rows(split)} for split in ("train", "eval")]
    assert clusters[0].isdisjoint(clusters[1])
    assert len(clusters[0] | clusters[1]) == 14
    assert hpvqa("verify", tmp_path / "both") == 0


def test_an_episode_is_not_taken_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, same = make_data(tmp_path / "data", push=4), make_data(tmp_path / "same", push=[3, 4])
    namesake = make_data(tmp_path / "other" / "data", seed=4, push=4)
    for folder, said in ((same, "the same episode, push 3 of seed 3"), (namesake, "give them different names")):
        capsys.readouterr()
        assert hpvqa("build", data, folder, "--out", tmp_path / "none") == 2
        assert said in " ".join(capsys.readouterr().err.split())
        assert not (tmp_path / "none").exists()


def test_a_row_knows_its_episode(data: Path, tmp_path: Path) -> None:
    make(data, tmp_path / "dataset")
    dataset = open_dataset(tmp_path / "dataset")
    (row,) = [
        row
        for row in dataset.rows("train") + dataset.rows("eval")
        if row.cluster == ("push", "data", 3) and row.camera == "back_top_narrow"
    ]
    spec = make_spec("push", 3)
    assert row.question == PushTask.question
    assert row.answer == PushTask().answer(spec)
    assert (row.values, row.gap) == ({thing.name: thing.mass for thing in spec.things}, PushTask().gap(spec))
    assert (row.first, row.seed, row.attempt, row.version) == (spec.order[0], 3, 0, "0.0.test")
    assert (row.fps, row.frames, row.width, row.height) == (FPS, FRAMES, WIDTH, HEIGHT)
    assert row.calibration == CameraRecord.of(spec.cameras[1], WIDTH, HEIGHT)
    assert row.contacts == {spec.order[0]: 1.0, spec.order[1]: 3.0}


def test_contact_of_a_drop_is_the_impact_after_the_release(data: Path, tmp_path: Path) -> None:
    make(data, tmp_path / "dataset")
    rows = [row for row in open_dataset(tmp_path / "dataset").rows("train") if row.task == "drop"]
    assert {time for row in rows for time in (row.contacts or {}).values()} == {1.75, 3.75}


def test_layout(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    make(data, out)
    assert {path.name for path in out.iterdir()} == {"README.md", "croissant.json", "manifest.json", "train", "eval"}
    for split in ("train", "eval"):
        for line in (out / split / "metadata.jsonl").read_text().splitlines():
            row = json.loads(line)
            assert row["answer"] in {"left", "right"}
            assert (out / split / row["file_name"]).is_file()
    for folder in find_episodes(out / "eval"):
        original = data / folder.relative_to(out / "eval")
        assert read_episode(folder) == read_episode(original)
        for path in folder.iterdir():
            assert path.samefile(original / path.name), f"{path} is not a link"


def test_clips_are_copied_where_links_are_not_possible(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*args: object, **options: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    make(data, tmp_path / "linked")
    monkeypatch.setattr(os, "link", no_links)
    make(data, tmp_path / "copied")
    assert tree(tmp_path / "copied") == tree(tmp_path / "linked")
    assert {path.stat().st_nlink for path in (tmp_path / "copied").rglob("*.mp4")} == {1}


@pytest.mark.parametrize("name", ["front_top_narrow.mp4", "trajectory.parquet"])
@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_a_damaged_episode_stops_the_build(data: Path, tmp_path: Path, name: str, damage: str) -> None:
    broken = copy(data, tmp_path / "data")
    path = broken / "push" / "000" / "episode-000005" / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(RunError, match=name):
        make(broken, tmp_path / "dataset")
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_an_altered_record_stops_the_build(data: Path, tmp_path: Path) -> None:
    broken = copy(data, tmp_path / "data")
    path = broken / "push" / "000" / "episode-000005" / "episode.json"
    path.write_text(path.read_text().replace('"duration": 0.5', '"duration": 0.6'))
    with pytest.raises(RunError, match="checksum"):
        make(broken, tmp_path / "dataset")


def test_failed_episodes_are_left_out_and_counted(tmp_path: Path) -> None:
    failed = {("push", 1), ("push", 6)}
    data = make_data(tmp_path / "data", push=8, drop=4, failed=failed)
    built = make(data, tmp_path / "dataset")
    rows = [row for split in built.rows.values() for row in split]
    assert {row.episode for row in rows if row.task == "push"} == {0, 2, 3, 4, 5, 7}
    assert "2 of the push episodes failed and are left out" in built.notes


def test_unevenness_that_cannot_be_helped_is_said(tmp_path: Path) -> None:
    right = {("push", index) for index in range(8) if PushTask().answer(make_spec("push", index)) == "right"}
    data = make_data(tmp_path / "data", push=8, failed=sorted(right)[:2])
    built = make(data, tmp_path / "dataset")
    assert Counter(row.answer for row in built.rows["eval"]) == {"left": 2, "right": 2}
    assert any("train split of push" in note and "3 left and 1 right" in note for note in built.notes)


def test_the_recipe_says_how_many_are_for_evaluation(data: Path, tmp_path: Path) -> None:
    recipe = validate_recipe({"tasks": {"push": {"eval_episodes": 3}, "drop": {"eval_episodes": 0}}}, "test")
    built = make(data, tmp_path / "dataset", recipe=recipe)
    assert len({row.cluster for row in built.rows["eval"]}) == 3
    assert {row.task for row in built.rows["eval"]} == {"push"}


def test_without_clips_there_is_no_data_set(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", push=2, video=False)
    with pytest.raises(UsageError, match="--no-video"):
        make(data, tmp_path / "dataset")


def test_no_episodes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no data folder"):
        make(tmp_path / "nowhere", tmp_path / "dataset")
    with pytest.raises(UsageError, match="no episodes"):
        make(make_data(tmp_path / "data"), tmp_path / "dataset")


def test_the_card_declares_a_configuration_for_each_task(data: Path, tmp_path: Path) -> None:
    make(data, tmp_path / "dataset")
    _, front, text = (tmp_path / "dataset" / "README.md").read_text().split("---\n", 2)
    configs = {config["config_name"]: config for config in yaml.safe_load(front)["configs"]}
    assert list(configs) == ["default", "push", "drop"]
    assert all([part["split"] for part in config["data_files"]] == ["train", "eval"] for config in configs.values())
    assert "| push | eval | 2 | 1 | 1 | 4 |" in text


def test_command(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "dataset"
    assert hpvqa("build", data, "--out", out, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["rows"] == {"train": 24, "eval": 8}
    assert result["counts"][1] == {
        "task": "push",
        "split": "eval",
        "episodes": 2,
        "left": 1,
        "right": 1,
        "rows": 4,
        "values": 0,
        "paraphrased": 0,
    }
    assert result["fingerprint"] == open_dataset(out).fingerprint
    assert hpvqa("build", data, "--out", out) == 0
    assert "│ push │ eval" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["build"], "Give either a data folder or --import"),
        (["build", "{data}", "--import", "{data}"], "Give either a data folder or --import"),
        (["build", "{data}", "--recipe", "papper"], "did you mean 'paper'?"),
        (["build", "{data}", "--recipe", "paper", "--out", "{tmp}/dataset"], "wants 31 episodes of push"),
        (["build", "nowhere"], "There is no data folder nowhere"),
    ],
)
def test_wrong_calls(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], args: list[str], message: str
) -> None:
    assert hpvqa(*(arg.format(data=data, tmp=tmp_path) for arg in args)) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_where_a_link_leads_is_where_the_data_set_is(data: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "dataset").symlink_to("disk/dataset")
    with pytest.raises(UsageError, match="link that leads nowhere"):
        make(data, tmp_path / "dataset")
    (tmp_path / "disk" / "dataset").mkdir()
    for seed in (1, 2):
        make(data, tmp_path / "dataset", seed=seed, force=True)
        assert (tmp_path / "dataset").is_symlink()
        assert open_dataset(tmp_path / "disk" / "dataset").manifest.split_seed == seed
    assert {path.name for path in tmp_path.iterdir()} == {"disk", "dataset"}
    assert {path.name for path in (tmp_path / "disk").iterdir()} == {"dataset"}


def test_a_record_cannot_lead_out_of_its_folder(data: Path, tmp_path: Path) -> None:
    broken = copy(data, tmp_path / "data")
    folder = broken / "push" / "000" / "episode-000005"
    record = read_episode(folder)
    clip = folder / "back_top_narrow.mp4"
    clip.rename(tmp_path / "outside.mp4")
    clip.symlink_to(tmp_path / "outside.mp4")
    with pytest.raises(RunError, match=r"back_top_narrow\.mp4' leads out of its folder"):
        make(broken, tmp_path / "dataset")
    text = (folder / "episode.json").read_text()
    assert record.files.keys() >= {"trajectory.parquet"}
    (folder / "episode.json").write_text(text.replace("trajectory.parquet", "../../trajectory.parquet"))
    with pytest.raises(UsageError, match="is not the name of a file in its folder"):
        make(broken, tmp_path / "dataset")


def test_a_task_with_too_few_episodes_for_both_splits_is_said(tmp_path: Path) -> None:
    notes = make(make_data(tmp_path / "data", push=1, drop=2), tmp_path / "dataset").notes
    assert "push has no episode for evaluation: 1 episode cannot be split; collect at least 4" in notes
    assert "drop has no episode for training: 2 episodes cannot be split; collect at least 4" in notes
    wanted = validate_recipe({"tasks": {"push": {"eval_episodes": 1}, "drop": {"eval_episodes": 2}}}, "test")
    assert not any("cannot be split" in note for note in make(tmp_path / "data", tmp_path / "d", recipe=wanted).notes)


def test_the_card_says_how_answers_follow_from_numbers(data: Path, tmp_path: Path) -> None:
    built = make(data, tmp_path / "dataset")
    splits = {row.cluster: split for split, rows in built.rows.items() for row in rows}
    evaluated = [cluster for cluster, split in splits.items() if split == "eval"]
    known = sum(splits[task, source, number ^ 1] == "train" for task, source, number in evaluated)
    text = " ".join((tmp_path / "dataset" / "README.md").read_text().split())
    assert "An episode with an odd number always has the opposite answer of the one before it" in text
    assert f"Of the {len(evaluated)} episodes for evaluation, {known} have this partner in the training split" in text
