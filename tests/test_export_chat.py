"""Exports that hold chat messages: the words, and the very frames, that a model gets in evaluation."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from hpvqa.dataset.build import Questions
from hpvqa.dataset.export.pictures import common_rate, uneven_note
from hpvqa.dataset.load import open_dataset
from hpvqa.dataset.rows import ValueRow
from hpvqa.evaluate.select import Item, select
from hpvqa.tasks.base import FORMS
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import load_prompt
from tests.build_data import hpvqa, make
from tests.factories import make_data

TRAINERS = ("swift", "llamafactory")
SEEN = ("--fps", "5", "--resolution", "56x28")
SAMPLING = FrameSampling(fps=5, resolution=(56, 28))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chat")
    make(make_data(folder / "data", push=4), folder / "dataset", questions=Questions(FORMS, paraphrased=True))
    return folder / "dataset"


def items(dataset: Path) -> dict[str, Item]:
    found = select(open_dataset(dataset), "all", load_prompt("paper"))
    return {f"{item.split}/{item.row.key}": item for item in found}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", TRAINERS)
def test_a_trainer_gets_the_words_and_frames_of_evaluation(name: str, dataset: Path, tmp_path: Path) -> None:
    assert hpvqa("export", name, dataset, "--out", tmp_path / "out", *SEEN) == 0
    wanted = items(dataset)
    rows = [row for split in ("train", "eval") for row in lines(tmp_path / "out" / f"{split}.jsonl")]
    assert {row["id"] for row in rows} == set(wanted)
    for row in rows:
        query = wanted[row["id"]].query
        system, user, assistant = row["messages"]
        assert (system["content"], user["content"]) == (query.system, "<video>" + query.text)
        assert assistant == {"role": "assistant", "content": wanted[row["id"]].row.answer}
        (video,) = row["videos"]
        shown = np.stack([np.asarray(Image.open(tmp_path / "out" / file)) for file in video])
        assert np.array_equal(shown, read_clip(query.recording(), SAMPLING).images)
    values = [row for row in rows if isinstance(wanted[row["id"]].row, ValueRow)]
    assert values
    assert all(row["messages"][0]["content"] == load_prompt("paper").value_system for row in values)
    assert re.search("(FPS=|video_fps: )5", (tmp_path / "out" / "README.md").read_text())


@pytest.mark.parametrize("name", TRAINERS)
def test_a_trainer_may_be_given_whole_clips(name: str, dataset: Path, tmp_path: Path) -> None:
    assert hpvqa("export", name, dataset, "--out", tmp_path / "out", "--media", "clips", "--fps", "3") == 0
    wanted = items(dataset)
    for row in lines(tmp_path / "out" / "eval.jsonl"):
        (video,) = row["videos"]
        assert (tmp_path / "out" / video).read_bytes() == wanted[row["id"]].query.clip.read_bytes()
    text = (tmp_path / "out" / "README.md").read_text()
    assert "--media frames" in text
    assert re.search("(FPS=|video_fps: )3", text)


def test_what_each_trainer_needs_beside_the_messages(dataset: Path, tmp_path: Path) -> None:
    for name in TRAINERS:
        assert hpvqa("export", name, dataset, "--out", tmp_path / name) == 0
    assert all(row["solution"] == row["messages"][-1]["content"] for row in lines(tmp_path / "swift" / "train.jsonl"))
    info = json.loads((tmp_path / "llamafactory" / "dataset_info.json").read_text())
    assert list(info) == ["hpvqa_train", "hpvqa_eval"]
    for entry in info.values():
        (row, *_) = lines(tmp_path / "llamafactory" / entry["file_name"])
        assert set(entry["columns"].values()) <= set(row)
        assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]


def test_pictures_as_recorded_are_left_as_they_are(dataset: Path, tmp_path: Path) -> None:
    row = open_dataset(dataset).rows("train")[0]
    for name in TRAINERS:
        assert hpvqa("export", name, dataset, "--out", tmp_path / name, "--resolution", "native") == 0
    (picture, *_) = sorted((tmp_path / "swift" / "frames").rglob("*.png"))
    assert Image.open(picture).size == (row.width, row.height)
    pixels = row.width * row.height
    settings = (tmp_path / "llamafactory" / "README.md").read_text()
    assert f"video_max_pixels: {max(pixels, 256 * 256)}" in settings
    assert f"VIDEO_MAX_TOKEN_NUM={-(-pixels // 28**2)} " in (tmp_path / "swift" / "README.md").read_text()


@pytest.mark.parametrize(
    ("rates", "common"),
    [
        ([2.0, 2.012], 2.0),
        ([8.0, 8.0], 8.0),
        ([1.0, 2.0], None),
        ([2.0, None], None),
    ],
)
def test_the_rate_that_a_trainer_is_told(rates: list[float | None], common: float | None) -> None:
    assert common_rate(rates, 2.0) == common
    assert bool(uneven_note(common)) == (common is None)


def test_parquet_holds_the_frames_of_evaluation(dataset: Path, tmp_path: Path) -> None:
    assert hpvqa("export", "messages", dataset, "--out", tmp_path / "out", *SEEN) == 0
    wanted = items(dataset)
    files = sorted((tmp_path / "out" / "data").iterdir())
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    assert {row["id"] for row in rows} == set(wanted)
    for row in rows:
        query = wanted[row["id"]].query
        seen = read_clip(query.recording(), SAMPLING)
        shown = np.stack([np.asarray(Image.open(io.BytesIO(image["bytes"]))) for image in row["images"]])
        assert np.array_equal(shown, seen.images)
        assert tuple(row["times"]) == seen.times
        system, user, assistant = row["messages"]
        assert system["content"] == [{"type": "text", "text": query.system}]
        assert [part["type"] for part in user["content"]] == ["image"] * len(shown) + ["text"]
        assert user["content"][-1]["text"] == query.text
        assert assistant["content"] == [{"type": "text", "text": wanted[row["id"]].row.answer}]


SCRIPT = """
import json, sys
import numpy as np
from datasets import Video, disable_progress_bars, load_dataset
disable_progress_bars()
frames, clips = sys.argv[1:]
rows = load_dataset(frames, split="eval")
row = rows[0]
found = {"columns": sorted(load_dataset(frames)), "rows": len(rows), "messages": row["messages"]}
found["sums"] = [int(np.asarray(image, int).sum()) for image in row["images"]]
rows = load_dataset(clips, split="eval").cast_column("video", Video(decode=False))
found["clips"] = [[row["id"], open(row["video"]["path"], "rb").read().hex()] for row in rows]
print(json.dumps(found))
"""


@pytest.mark.long
def test_the_loaders_of_the_hub_read_messages(dataset: Path, tmp_path: Path) -> None:
    frames, clips = tmp_path / "frames", tmp_path / "clips"
    assert hpvqa("export", "messages", dataset, "--out", frames, *SEEN) == 0
    assert hpvqa("export", "messages", dataset, "--out", clips, "--media", "clips") == 0
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-c", SCRIPT, str(frames), str(clips)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    wanted = items(dataset)
    evaluation = {key: item for key, item in wanted.items() if item.split == "eval"}
    assert (found["columns"], found["rows"]) == (["eval", "train"], len(evaluation))
    assert [message["role"] for message in found["messages"]] == ["system", "user", "assistant"]
    first = read_clip(next(iter(evaluation.values())).query.recording(), SAMPLING)
    assert found["sums"] == [int(image.sum(dtype=int)) for image in first.images]
    assert {key: bytes.fromhex(clip) for key, clip in found["clips"]} == {
        key: item.query.clip.read_bytes() for key, item in evaluation.items()
    }
