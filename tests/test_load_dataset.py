"""Hugging Face's `datasets`, the real one and offline, reads what `hpvqa build` writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hpvqa.dataset.build import Questions, build
from hpvqa.dataset.importing import import_public
from hpvqa.dataset.load import open_dataset
from hpvqa.recipe import Recipe
from hpvqa.tasks.base import FORMS
from tests.factories import make_data, make_original, quiet

pytestmark = pytest.mark.slow

SCRIPT = """
import json, sys
from datasets import Video, disable_progress_bars, load_dataset
disable_progress_bars()
result = {}
for name, (root, configs) in json.loads(sys.argv[1]).items():
    found = {"videofolder": load_dataset("videofolder", data_dir=root)}
    found |= {config: load_dataset(root, config) for config in configs}
    counts = {config: {split: rows.num_rows for split, rows in splits.items()} for config, splits in found.items()}
    rows = load_dataset(root, configs[-1], split="eval").cast_column("video", Video(decode=False))
    result[name] = {"counts": counts, "rows": list(rows)}
print(json.dumps(result))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data set of ours, and two imported ones whose drops are in one split only."""
    made = tmp_path_factory.mktemp("load")
    build(make_data(made / "data", push=8, drop=4), made / "ours", quiet(), recipe=Recipe())
    asked = Questions(FORMS, paraphrased=True)
    build(made / "data", made / "values", quiet(), recipe=Recipe(), questions=asked)
    for split in ("train", "eval"):
        original = made / f"original-{split}"
        make_original(original / f"drop_{split}", "drop", {0: "Left."})
        make_original(original / "push_test", "push", {0: "Left.", 1: "Right."})
        import_public(original, made / split, quiet(), seed=0)
    return made


@pytest.fixture(scope="module")
def loaded(folder: Path) -> dict[str, Any]:
    """What `datasets` reads of each, all of them in one process, which takes seconds to start."""
    asked = {name: (str(folder / name), ["drop", "push"]) for name in ("train", "eval")}
    asked |= {name: (str(folder / name), ["default", "drop", "push"]) for name in ("ours", "values")}
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "cache")}
    command = [sys.executable, "-c", SCRIPT, json.dumps(asked)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_it_reads_our_data_set(folder: Path, loaded: dict[str, Any]) -> None:
    root, found = folder / "ours", loaded["ours"]
    assert found["counts"] == {
        # A bare folder called eval is a test split to `datasets`; the card's configurations call it eval.
        "videofolder": {"train": 16, "test": 8},
        "default": {"train": 16, "eval": 8},
        "push": {"train": 12, "eval": 4},
        "drop": {"train": 4, "eval": 4},
    }
    rows = [row for row in open_dataset(root).rows("eval") if row.task == "push"]
    for ours, theirs in zip(rows, found["rows"], strict=True):
        assert theirs["video"]["path"] == str(root / "eval" / ours.file_name)
        assert theirs == {"video": theirs["video"], **ours.model_dump(mode="json", include=theirs.keys())}


@pytest.mark.parametrize("split", ["train", "eval"])
def test_it_reads_a_data_set_whose_task_is_in_one_split_only(loaded: dict[str, Any], split: str) -> None:
    counts = loaded[split]["counts"]
    assert counts["drop"] == {split: 2}
    assert counts["push"] == {"eval": 4}


def test_several_questions_about_a_clip_are_several_rows(loaded: dict[str, Any], folder: Path) -> None:
    rows = open_dataset(folder / "values").rows("eval")
    pushes = [row for row in rows if row.task == "push"]
    found = loaded["values"]["rows"]
    assert loaded["values"]["counts"]["default"]["eval"] == len(rows)
    assert [(row["question"], row["answer"], row["about"], row["wording"]) for row in found] == [
        (row.question, row.answer, getattr(row, "about", None), row.wording) for row in pushes
    ]
