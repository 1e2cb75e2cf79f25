"""Exports that put questions to a model: words, frames and the reading of replies are those of evaluation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hpvqa.dataset.build import Questions
from hpvqa.dataset.load import open_dataset
from hpvqa.dataset.rows import ValueRow
from hpvqa.evaluate.exporting import reading_source
from hpvqa.evaluate.select import select
from hpvqa.tasks.base import FORMS
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.strict import UNITS, parse_choice, parse_value
from hpvqa.vlm.thoughts import MARKS
from tests.build_data import hpvqa, make
from tests.factories import make_data

HARNESSES = {"lmms-eval": "utils.py", "inspect": "hpvqa_tasks.py", "evalscope": "hpvqa_evalscope.py"}
"""Formats, and the program that each one writes."""
SEEN = ("--fps", "5", "--resolution", "56x28")
SAMPLING = FrameSampling(fps=5, resolution=(56, 28))
WORDS = [
    "left",
    "Left.",
    "right",
    "left or right",
    "lefty",
    "3.2",
    "−2 kg",
    "1250 N/m",
    "3,2",
    "about 3",
    *sum(MARKS, ()),
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asked")
    make(make_data(folder / "data", push=4), folder / "dataset", questions=Questions(FORMS, paraphrased=True))
    return folder / "dataset"


@pytest.mark.parametrize("name", HARNESSES)
def test_a_harness_asks_what_evaluation_asks_of_what_it_shows(name: str, dataset: Path, tmp_path: Path) -> None:
    assert hpvqa("export", name, dataset, "--out", tmp_path / "out", *SEEN) == 0
    wanted = {f"eval/{item.row.key}": item for item in select(open_dataset(dataset), "eval", load_prompt("paper"))}
    files = sorted((tmp_path / "out" / "questions").iterdir())
    assert [file.name for file in files] == ["push_compare.jsonl", "push_value.jsonl"]
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert {line["id"] for line in lines} == set(wanted)
    for line in lines:
        item = wanted[line["id"]]
        assert (line["system"], line["text"], line["answer"]) == (item.query.system, item.query.text, item.row.answer)
        shown = np.stack([np.asarray(Image.open(tmp_path / "out" / file)) for file in line["frames"]])
        assert np.array_equal(shown, read_clip(item.query.recording(), SAMPLING).images)
        assert line["event"] == " ".join(map(str, item.row.cluster))
        if isinstance(item.row, ValueRow):
            assert (line["value"], line["unit"]) == (item.row.value, item.row.unit)
    compile((tmp_path / "out" / HARNESSES[name]).read_text(), name, "exec")


@pytest.mark.parametrize("name", HARNESSES)
def test_a_harness_may_choose_frames_of_whole_clips(name: str, dataset: Path, tmp_path: Path) -> None:
    assert hpvqa("export", name, dataset, "--out", tmp_path / "out", "--media", "clips") == 0
    for file in (tmp_path / "out" / "questions").iterdir():
        for line in map(json.loads, file.read_text().splitlines()):
            source = dataset / line["id"].partition("#")[0].partition("~")[0]
            assert (tmp_path / "out" / line["clip"]).read_bytes() == source.read_bytes()
    assert "--media frames" in (tmp_path / "out" / "README.md").read_text()


def carried() -> dict[str, Any]:
    source = reading_source()
    assert "hpvqa" not in source
    found: dict[str, Any] = {}
    exec("from __future__ import annotations\n" + source, found)  # noqa: S102 - it is our own
    return found


CARRIED = carried()


@given(
    st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=4).map(" ".join),
    st.sampled_from(sorted(UNITS)),
    st.booleans(),
)
@pytest.mark.slow
def test_what_is_carried_along_reads_as_evaluation_does(text: str, unit: str, cut: bool) -> None:
    for choices in (("left", "right"), ("right", "left")):
        assert CARRIED["parse_choice"](text, choices, cut=cut) == parse_choice(text, choices, cut=cut)
    assert CARRIED["parse_value"](text, unit, cut=cut) == parse_value(text, unit, cut=cut)


@pytest.mark.parametrize(
    ("reply", "line", "scores"),
    [
        ("Left.", {"answer": "left"}, {"correct": 1, "unreadable": 0}),
        ("<think>right</think> left", {"answer": "left"}, {"correct": 1, "unreadable": 0}),
        ("right", {"answer": "left"}, {"correct": 0, "unreadable": 0}),
        ("left or right", {"answer": "left"}, {"correct": 0, "unreadable": 1}),
        ("1.1 kg", {"value": 1.0, "unit": "kg"}, {"within_10": 1, "within_25": 1, "unreadable": 0}),
        ("0.8", {"value": 1.0, "unit": "kg"}, {"within_10": 0, "within_25": 1, "unreadable": 0}),
        ("0.1", {"value": 0.0, "unit": "kg"}, {"within_10": 0, "within_25": 0, "unreadable": 0}),
        ("heavy", {"value": 1.0, "unit": "kg"}, {"within_10": 0, "within_25": 0, "unreadable": 1}),
    ],
)
def test_functions_of_lmms_eval_score_as_evaluation_does(
    reply: str, line: dict[str, Any], scores: dict[str, int], dataset: Path, tmp_path: Path
) -> None:
    assert hpvqa("export", "lmms-eval", dataset, "--out", tmp_path / "out", "--frames", "1") == 0
    program: dict[str, Any] = {"__file__": str(tmp_path / "out" / "utils.py")}
    exec((tmp_path / "out" / "utils.py").read_text(), program)  # noqa: S102 - it is our own
    score = program["score_value" if "unit" in line else "score_compare"]
    found = score({"event": "push data 1", **line}, [reply])
    assert found == {name: {"score": value, "event": "push data 1"} for name, value in scores.items()}
    text = (tmp_path / "out" / f"hpvqa_push_{'value' if 'unit' in line else 'compare'}.yaml").read_text()
    task = yaml.safe_load(text.replace("!function", ""))
    assert [metric["metric"] for metric in task["metric_list"]] == list(scores)
    functions = re.findall(r"!function utils\.(\w+)", text)
    assert set(functions) <= set(program)
    assert Path(program[task["dataset_kwargs"]["data_files"]["eval"].removeprefix("utils.")]).is_file()
