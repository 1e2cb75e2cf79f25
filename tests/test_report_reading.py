"""What a report is made from: folders of runs, finished or not, and files of the public original."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hpvqa.dataset.load import Dataset
from hpvqa.errors import RunError, UsageError
from hpvqa.evaluate.select import Rows
from hpvqa.report.measure import measure
from hpvqa.report.published import run_name
from hpvqa.report.reading import read_runs
from hpvqa.report.source import Run
from tests.factories import copy
from tests.report_runs import append, left, make_dataset, make_internvl, make_prediction, make_run, public_line, truth


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("report"), push=4, drop=4)


def read(*paths: Path) -> Run:
    (run,) = read_runs(paths)
    return run


def test_a_folder(dataset: Dataset, tmp_path: Path) -> None:
    run = read(make_run(tmp_path / "mine", dataset, conditions=("single", "plain"), adapter="a/b", privileged=True))
    assert (run.name, run.model, run.adapter, run.marks) == ("mine", "model", "a/b", ("privileged",))
    assert (run.main_condition, len(run.main), run.missing, run.notes) == ("plain", 16, 0, ())
    clips = [run.clip(prediction) for prediction in run.main]
    assert all(clip is not None and clip.is_file() for clip in clips)


def test_a_file_in_a_folder_stands_for_the_folder(dataset: Dataset, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "mine", dataset)
    assert read(folder / "predictions.jsonl").settings is not None


def test_the_latest_answer_counts(dataset: Dataset, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", dataset, say=left)
    row = dataset.rows("eval")[0]
    append(folder, make_prediction(row, "right"))
    run = read(folder)
    (found,) = [prediction for prediction in run.main if prediction.file_name == row.file_name]
    assert (found.prediction, len(run.main)) == ("right", 16)


def test_a_run_at_work(dataset: Dataset, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", dataset, conditions=("plain", "multiview"))
    file = folder / "predictions.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:10]) + lines[10][:-20])
    run = read(folder)
    assert (len(run.predictions), run.missing) == (10, 6)
    assert "cut" in run.notes[0]


def test_missing_rows_are_those_that_were_to_be_answered(dataset: Dataset, tmp_path: Path) -> None:
    assert read(make_run(tmp_path / "run", dataset, task="push")).missing == 0
    folder = make_run(tmp_path / "other", dataset)
    file = folder / "predictions.jsonl"
    file.write_text("".join(line for line in file.read_text().splitlines(keepends=True) if '"task":"drop"' not in line))
    assert read(folder).missing == 8


@pytest.mark.parametrize(
    "rows",
    [{"limit": 5}, {"limit": 3, "task": "drop"}, {"camera": ["front_wide"]}, {"episodes": [0, 1]}, {"split": "eval"}],
)
def test_only_rows_that_were_asked_for_can_be_missing(dataset: Dataset, tmp_path: Path, rows: dict[str, Any]) -> None:
    wanted = Rows.model_validate({"split": "all", **rows}).of(dataset)
    names = {row.file_name for _, row in wanted}
    folder = make_run(tmp_path / "run", dataset, conditions=("plain", "multiview"), **rows)
    plain = [make_prediction(row, "left", split=split) for split, row in wanted]
    joined = {row.joined_key: (split, row) for split, row in wanted}
    (folder / "predictions.jsonl").write_text("")
    append(folder, *plain)
    assert read(folder).missing == 0
    append(
        folder,
        *(
            make_prediction(row, "left", split=split, condition="multiview", camera="multiview", file_name=key)
            for key, (split, row) in joined.items()
        ),
    )
    assert read(folder).missing == 0
    (folder / "predictions.jsonl").write_text("")
    append(folder, *plain[1:])
    assert read(folder).missing == (1 if len(names) > 1 else 0)


def test_a_run_of_an_older_schema_is_read(dataset: Dataset, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", dataset)
    settings = json.loads((folder / "run.json").read_text())
    del settings["limit"], settings["views"]
    (folder / "run.json").write_text(json.dumps(settings | {"schema_version": 2, "camera": "front_wide"}))
    run = read(folder)
    assert run.settings is not None
    assert (run.settings.camera, run.settings.views, run.missing) == (("front_wide",), {}, 0)


def test_is_correct_is_not_trusted(dataset: Dataset, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", dataset)
    row = next(row for row in dataset.rows("eval") if row.answer == "right")
    append(folder, make_prediction(row, "left", is_correct=True))
    run = read(folder)
    assert sum(prediction.is_correct for prediction in run.main) == 8
    assert "contradicts" in run.notes[0]


def test_a_data_set_is_found_from_the_run(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    copy(dataset.root, project / "dataset")
    folder = make_run(project / "runs" / "run", dataset, dataset="dataset")
    monkeypatch.chdir(tmp_path)
    run = read(folder)
    assert run.dataset is not None
    assert run.dataset.fingerprint == dataset.fingerprint


def test_a_data_set_that_is_gone_or_another_one(dataset: Dataset, tmp_path: Path) -> None:
    other = make_dataset(tmp_path / "other", push=2)
    for name, where in {"gone": tmp_path / "nowhere", "changed": other.root}.items():
        run = read(make_run(tmp_path / name, dataset, dataset=str(where)))
        assert run.dataset is None
        assert run.missing is None
        assert "is not there any more, or has changed" in run.notes[0]
        assert run.clip(run.main[0]) is None


def test_a_data_set_that_is_damaged(dataset: Dataset, tmp_path: Path) -> None:
    root = copy(dataset.root, tmp_path / "copy")
    (root / "eval" / "metadata.jsonl").write_text("")
    run = read(make_run(tmp_path / "run", dataset, dataset=str(root)))
    assert (run.dataset, run.missing, len(run.main)) == (None, None, 16)
    assert "differs from the manifest" in run.notes[0]


def test_a_damaged_line_is_named(dataset: Dataset, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", dataset)
    with (folder / "predictions.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(RunError, match="line 17 is damaged"):
        read(folder)


def test_what_is_no_run(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not a run: it has no run\.json"):
        read(dataset.root)
    with pytest.raises(UsageError, match="does not exist"):
        read(tmp_path / "nothing")
    with pytest.raises(UsageError, match="File name too long"):
        read(tmp_path / ("n" * 300))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is neither a folder nor a regular file"):
        read(tmp_path / "pipe")
    make_run(tmp_path / "runs" / "one", dataset)
    with pytest.raises(UsageError, match=r"is not a run: .* name those in it: .*/runs/\*"):
        read(tmp_path / "runs")
    empty = make_run(tmp_path / "empty", dataset)
    (empty / "predictions.jsonl").write_text("")
    with pytest.raises(UsageError, match="holds no answers yet"):
        read(empty)
    (empty / "predictions.jsonl").unlink()
    with pytest.raises(UsageError, match="holds no answers yet"):
        read(empty)
    (empty / "run.json").write_text('{"schema_version": 1}')
    with pytest.raises(UsageError, match="cannot be understood"):
        read(empty)


def test_names_are_told_apart(dataset: Dataset, tmp_path: Path) -> None:
    first, second = (make_run(tmp_path / name / "run", dataset) for name in ("a", "b"))
    third = make_run(tmp_path / "c" / "a" / "run", dataset)
    assert [run.name for run in read_runs([first, second])] == ["a/run", "b/run"]
    assert [run.name for run in read_runs([first, third, first])] == ["a/run", "a/run (2)"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("internvl_push_cubes_l_results.jsonl", "internvl"),
        ("qwen_drop_spheres_results.jsonl", "qwen"),
        ("push-left.InternVL3.5-8B.predictions.jsonl", "InternVL3.5-8B"),
        ("cosmos_finetuned_push_test.jsonl", "cosmos-finetuned"),
        ("results.jsonl", "results"),
    ],
)
def test_name_of_a_public_run(file: str, name: str) -> None:
    assert run_name(Path(file)) == name


def test_public_files_of_a_run_belong_together(tmp_path: Path) -> None:
    files = make_internvl(tmp_path)
    (tmp_path / "qwen_push_cubes_l_results.jsonl").write_text(public_line("push", "l", 0, "a", "Left.", "left"))
    runs = read_runs([files[2], tmp_path / "qwen_push_cubes_l_results.jsonl", *files[:2]])
    assert [(run.name, len(run.predictions)) for run in runs] == [("internvl", 392), ("qwen", 1)]
    push = [prediction for prediction in runs[0].main if prediction.task == "push"]
    # Episode numbers repeat from one data folder to the next.
    assert len({prediction.cluster for prediction in push}) == 31
    assert sum(prediction.is_correct for prediction in push) == 115


def test_public_answers_are_parsed_strictly(tmp_path: Path) -> None:
    file = tmp_path / "model_push.jsonl"
    said = ["Left.", "The left one, not the right one", "neither", "RIGHT", "leftmost"]
    file.write_text("".join(public_line("push", "l", n, "a", "Left.", text) for n, text in enumerate(said)))
    run = read(file)
    assert [prediction.prediction for prediction in run.main] == ["left", None, None, "right", None]
    assert [prediction.invalid for prediction in run.main] == [False, True, True, False, True]
    assert "in 2 rows" in run.notes[0]


def test_the_order_of_the_choices_is_a_condition(tmp_path: Path) -> None:
    file = tmp_path / "model_drop.jsonl"
    asked = "From the perspective of the robot arm facing forward, which sphere looks more elastic, "
    orders = ("the left or the right?", "the right or the left?")
    lines = [public_line("drop", "d", 0, "a", "Left.", "left", question=asked + order) for order in orders]
    file.write_text("".join(lines))
    assert list(read(file).conditions) == ["plain", "swap"]


def test_clips_that_are_answered_twice(tmp_path: Path) -> None:
    file = tmp_path / "model_push.jsonl"
    file.write_text("".join(public_line("push", "l", 0, "a", "Left.", said) for said in ("left", "right")))
    run = read(file)
    assert [prediction.prediction for prediction in run.main] == ["right"]
    assert "1 clips are answered more than once" in run.notes[0]


@pytest.mark.parametrize(
    "line",
    [
        "no json\n",
        "[]\n",
        '{"file_name": "a.mp4"}\n',
        public_line("push", "l", 0, "a", "Left.", "left", answer=["Left."]),
        public_line("push", "l", 0, "a", "Left.", "left", prediction=None),
        public_line("push", "l", 0, "a", "Left.", "left", is_correct="yes"),
    ],
)
def test_public_lines_that_are_no_answers(tmp_path: Path, line: str) -> None:
    file = tmp_path / "model.jsonl"
    file.write_text(public_line("push", "l", 0, "a", "Left.", "left") + line + line)
    with pytest.raises(UsageError, match=r"model\.jsonl line 2 .*\(and 1 more like it\)"):
        read(file)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "model.jsonl").write_text("")
    with pytest.raises(UsageError, match="holds no answers"):
        read(tmp_path / "model.jsonl")


def test_truth_is_all_right(dataset: Dataset, tmp_path: Path) -> None:
    run = read(make_run(tmp_path / "run", dataset, say=truth))
    assert all(prediction.is_correct for prediction in run.main)


def test_a_file_of_reversed_prompts_is_another_condition(tmp_path: Path) -> None:
    plain, reverse = tmp_path / "qwen_push_results.jsonl", tmp_path / "qwen_push_rev_results.jsonl"
    for path, said in ((plain, "left"), (reverse, "right")):
        path.write_text("".join(public_line("push", "l", number, "a", "Left.", said) for number in range(3)))
    run = read(plain, reverse)
    assert run.name == "qwen"
    assert {name: len(rows) for name, rows in run.conditions.items()} == {"plain": 3, "swap": 3}
    alone = read_runs([reverse])[0]
    assert (alone.name, alone.main_condition) == ("qwen", "swap")


def test_runs_that_were_asked_in_other_ways_are_not_compared(tmp_path: Path) -> None:
    plain, reverse = tmp_path / "internvl_push_results.jsonl", tmp_path / "qwen_push_rev_results.jsonl"
    for path in (plain, reverse):
        path.write_text(public_line("push", "l", 0, "a", "Left.", "left"))
    report = measure(read_runs([plain, reverse]), command=("hpvqa",), created="now")
    assert report.comparisons == ()
    assert "internvl was asked under the condition plain, qwen under swap" in report.notes[0]


def stated(source: str, episode: int, **values: float) -> str:
    """A line of a file of values."""
    line = json.loads(public_line("push", source, episode, "a", "Left.", "left"))
    del line["prediction"], line["is_correct"]
    return json.dumps(line | {"values": values}) + "\n"


def test_values_are_joined_to_the_answers_of_their_episodes(tmp_path: Path) -> None:
    answers, values = tmp_path / "qwen_push_results.jsonl", tmp_path / "metadata.jsonl"
    answers.write_text("".join(public_line("push", "l", number, "a", "Left.", "left") for number in range(3)))
    # The last one is of another data folder, though it has the number of an episode without values.
    lines = [("l", 0, 5.0, 1.5), ("l", 1, 1.0, 2.0), ("r", 2, 9.0, 1.0)]
    values.write_text("".join(stated(source, number, cube01=a, cube02=b) for source, number, a, b in lines))
    (run,) = read_runs([values, answers])
    assert [prediction.gap for prediction in run.main] == [3.5, 1.0, None]
    assert run.notes == (
        "the files of values hold none of 1 episodes, such as l 2",
        "the values of 1 episodes contradict their answers, such as l 1; the answers count",
    )
    assert read(answers).main[0].gap is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (stated("l", 0, cube01=1.0, cube02=2.0) + stated("l", 0, cube01=1.0, cube02=3.0), "line 2 has other values"),
        (stated("l", 0, cube01=1.0, cube02=2.0) + stated("l", 1, cube01=1.0), "line 2 has no values of two things"),
    ],
)
def test_values_that_cannot_be_joined(lines: str, said: str, tmp_path: Path) -> None:
    answers, values = tmp_path / "qwen_push_results.jsonl", tmp_path / "metadata.jsonl"
    answers.write_text(public_line("push", "l", 0, "a", "Left.", "left"))
    values.write_text(lines)
    with pytest.raises(UsageError, match=said):
        read_runs([answers, values])
    with pytest.raises(UsageError, match="holds hidden values and no answers"):
        read_runs([values])
