"""Hugging Face's `datasets`, the real one and offline, reads what `hpvqa build` writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hpvqa.dataset.build import build
from hpvqa.dataset.importing import import_public
from hpvqa.dataset.load import open_dataset
from hpvqa.recipe import Recipe
from tests.factories import make_data, make_original, quiet

SCRIPT = """
import json, sys
from datasets import Video, disable_progress_bars, load_dataset
disable_progress_bars()
root, *configs = sys.argv[1:]
found = {"videofolder": load_dataset("videofolder", data_dir=root)}
found |= {name: load_dataset(root, name) for name in configs}
counts = {name: {split: rows.num_rows for split, rows in splits.items()} for name, splits in found.items()}
rows = load_dataset(root, configs[-1], split="eval").cast_column("video", Video(decode=False))
print(json.dumps({"counts": counts, "rows": list(rows)}))
"""


def load(root: Path, cache: Path, *configs: str) -> dict[str, Any]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(cache)}
    command = [sys.executable, "-c", SCRIPT, str(root), *configs]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_it_reads_our_data_set(tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    build(make_data(tmp_path / "data", push=8, drop=4), root, quiet(), recipe=Recipe())
    found = load(root, tmp_path / "cache", "default", "drop", "push")
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
def test_it_reads_a_data_set_whose_task_is_in_one_split_only(tmp_path: Path, split: str) -> None:
    make_original(tmp_path / "original" / f"drop_{split}", "drop", {0: "Left."})
    make_original(tmp_path / "original" / "push_test", "push", {0: "Left.", 1: "Right."})
    import_public(tmp_path / "original", tmp_path / "dataset", quiet(), seed=0)
    counts = load(tmp_path / "dataset", tmp_path / "cache", "drop", "push")["counts"]
    assert counts["drop"] == {split: 2}
    assert counts["push"] == {"eval": 4}
