"""The programs that exports are for, the real ones, read them: `make exports-test` makes their environments."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from hpvqa.dataset.build import Questions
from hpvqa.dataset.load import open_dataset
from hpvqa.record.episode import read_episode
from hpvqa.record.trajectory import COMMAND, read_trajectory
from hpvqa.tasks.base import FORMS
from tests.build_data import hpvqa, make
from tests.factories import FPS, FRAMES, make_data
from tests.needs import ROOT

pytestmark = pytest.mark.slow
ENVIRONMENTS = Path(os.environ.get("HPVQA_READERS", ROOT / ".venvs" / "exports"))
READERS = Path(__file__).parent / "readers"
Read = Callable[[str, Path], dict[str, Any]]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readers")
    make(make_data(folder / "data", push=8), folder / "dataset")
    return folder / "dataset"


@pytest.fixture(scope="module")
def with_values(dataset: Path) -> Path:
    make(dataset.parent / "data", dataset.parent / "with-values", questions=Questions(FORMS))
    return dataset.parent / "with-values"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """``read(name, export)``: what the program of that name reads of an export, without a network."""

    def run(name: str, export: Path) -> dict[str, Any]:
        python = ENVIRONMENTS / name / "bin" / "python"
        if not python.is_file():
            pytest.skip(f"there is no environment of {name} here")
        environment = {
            **{key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(tmp_path / "cache"),
            "MODELSCOPE_CACHE": str(tmp_path / "cache"),
        }
        command = [str(python), str(READERS / f"read_{name.partition('-0')[0]}.py"), str(export)]
        done = subprocess.run(command, env=environment, cwd=export, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    return run


@pytest.mark.parametrize(("version", "language"), [("lerobot", True), ("lerobot", False), ("lerobot-0.4", False)])
def test_lerobot_reads_every_frame_state_and_question(
    version: str, language: bool, dataset: Path, tmp_path: Path, read: Read
) -> None:
    flags = [] if language else ["--no-language"]
    assert hpvqa("export", "lerobot", dataset, *flags, "--out", tmp_path / "out") == 0
    found = read(version, tmp_path / "out")
    assert (found["frames"], found["fps"]) == (8 * FRAMES, FPS)
    assert found["splits"] == {"train": "0:6", "eval": "6:8"}
    told = np.array([episode["actions"] for episode in found["episodes"]]).reshape(-1, len(COMMAND))
    assert found["stats"]["action"]["mean"] == pytest.approx(told.mean(0))
    assert {name: len(found["stats"][name]["q01"]) for name in found["episodes"][0]["frames"]} == dict.fromkeys(
        found["episodes"][0]["frames"], 3
    )
    for name, of in found["together"].items():
        for key in ("min", "max", "mean", "std", "count"):
            assert found["stats"][name][key] == pytest.approx(np.ravel(of[key]).tolist(), abs=1e-9), (name, key)
    rows = {split: open_dataset(dataset).comparisons(split) for split in ("train", "eval")}
    for episode in found["episodes"]:
        own = [row for row in rows[episode["split"]] if row.episode == episode["episode"]]
        assert episode["task"] == "Push two cubes"
        for row in own:
            with av.open(str(dataset / episode["split"] / row.file_name)) as container:
                digests = [digest(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
            assert episode["frames"][f"observation.images.{row.camera}"] == digests
            assert episode["answer"] == row.answer
        assert np.shape(episode["states"]) == (FRAMES, 8)
        folder = dataset / episode["split"] / Path(own[0].file_name).parent
        told = read_trajectory(folder / "trajectory.parquet", read_episode(folder).spec.names)
        assert episode["actions"] == pytest.approx(np.stack([told[name] for name in COMMAND], axis=1), abs=1e-7)
        for name, (wanted, own_stats) in episode["stats"].items():
            assert own_stats.keys() == wanted.keys(), name
            for key, value in wanted.items():
                assert np.shape(own_stats[key]) == np.shape(value), (name, key)
                # LeRobot takes quantiles from a histogram, so that five rows have others.
                if not key.startswith("q"):
                    assert np.array(own_stats[key]) == pytest.approx(np.array(value), rel=1e-4, abs=1e-5), (name, key)
        *before, last = episode["events"]
        assert not any(before)
        answers = [event["content"] for event in last if event["role"] == "assistant"]
        assert answers == ([row.answer for row in own] if language else [])


@pytest.mark.parametrize("media", ["frames", "clips"])
def test_swift_reads_every_message_and_video(media: str, dataset: Path, tmp_path: Path, read: Read) -> None:
    out = tmp_path / "out"
    assert hpvqa("export", "swift", dataset, "--media", media, "--fps", "5", "--out", out) == 0
    found = read("swift", out)
    for split in ("train", "eval"):
        wanted = [json.loads(line) for line in (out / f"{split}.jsonl").read_text().splitlines()]
        assert len(found[split]) == len(wanted) > 0
        for row, own in zip(found[split], wanted, strict=True):
            assert {name: row[name] for name in ("messages", "videos")} == {
                name: own[name] for name in ("messages", "videos")
            }


@pytest.mark.parametrize("media", ["frames", "clips"])
def test_llamafactory_reads_every_message_and_shows_every_picture(
    media: str, dataset: Path, tmp_path: Path, read: Read
) -> None:
    out = tmp_path / "out"
    assert hpvqa("export", "llamafactory", dataset, "--media", media, "--fps", "5", "--out", out) == 0
    found = read("llamafactory", out)
    for split in ("train", "eval"):
        wanted = [json.loads(line) for line in (out / f"{split}.jsonl").read_text().splitlines()]
        assert len(found[split]) == len(wanted) > 0
        for row, own in zip(found[split], wanted, strict=True):
            assert row["messages"] == [[message["role"], message["content"]] for message in own["messages"]]
            (video,) = own["videos"]
            if media == "frames":
                pictures = [digest(np.asarray(Image.open(out / name))) for name in video]
                # The Qwen-VL family takes an even number: the last of an odd number is shown twice.
                assert row["pictures"] == pictures + pictures[-1:] * (len(pictures) % 2)
            else:
                with av.open(str(out / video)) as container:
                    clip = [digest(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
                assert set(row["pictures"]) <= set(clip)
                assert len(row["pictures"]) > 0


@pytest.mark.parametrize(
    ("name", "media"),
    [
        *((name, media) for name in ("inspect", "lmms-eval", "evalscope") for media in ("frames", "clips")),
        ("vlmevalkit", "frames"),
    ],
)
def test_a_harness_shows_and_scores_what_evaluation_does(
    name: str, media: str, with_values: Path, tmp_path: Path, read: Read
) -> None:
    out = tmp_path / "out"
    chosen = () if name == "vlmevalkit" else ("--media", media)
    assert hpvqa("export", name, with_values, *chosen, "--fps", "5", "--out", out) == 0
    replies = {"push_compare": "Left.", "push_value": "0.5 kg"}
    (out / "replies.json").write_text(json.dumps(replies))
    found = read(name, out)["tasks"]
    for task in replies:
        lines = [json.loads(line) for line in (out / "questions" / f"{task}.jsonl").read_text().splitlines()]
        asked = [[line["system"], [*shown(out, line, name), ["text", line["text"]]]] for line in lines]
        if name == "vlmevalkit":
            asked = [[*seen, ["text", f"{told}\n\n{text[1]}"]] for told, (*seen, text) in asked]
        assert found[task]["asked"] == asked
        if task == "push_compare":
            scores = {"correct": [line["answer"] == "left" for line in lines], "unreadable": [False] * len(lines)}
        else:
            off = [abs(0.5 / line["value"] - 1) for line in lines]
            scores = {"within_10": [one <= 0.1 for one in off], "within_25": [one <= 0.25 for one in off]}
        events = [line["event"] for line in lines]
        for metric, hits in scores.items():
            named = "accuracy" if name in ("evalscope", "vlmevalkit") and metric in ("correct", "within_10") else metric
            mean, *error = found[task]["scores"][named]
            assert mean == pytest.approx(np.mean(hits))
            if name != "evalscope" and metric != "unreadable" and (name, metric) != ("vlmevalkit", "within_25"):
                assert error == pytest.approx([clustered(hits, events, name)])


def test_mlcroissant_finds_no_error_and_reads_every_row(with_values: Path, read: Read) -> None:
    found = read("croissant", with_values)
    assert found["errors"] == []
    # What nobody can know when a data set is built.
    assert [
        warning for warning in found["warnings"] if "citeAs" not in warning and "datePublished" not in warning
    ] == []
    assert found["limits"]
    for split, rows in found["rows"].items():
        wanted = open_dataset(with_values).rows(split)
        assert [(row["file_name"], row["question"], row["answer"], row["episode"]) for row in rows] == [
            (row.file_name, row.question, row.answer, row.episode) for row in wanted
        ]


def digest(pixels: np.ndarray) -> str:
    """Of the pixels of a picture."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def shown(out: Path, line: dict[str, Any], name: str) -> list[list[str]]:
    """Kind and digest of what is looked at: of the file, or, where lmms-eval is given a picture, of its pixels."""
    if "clip" in line:
        return [["video", hashlib.sha256((out / line["clip"]).read_bytes()).hexdigest()]]
    pixels = name == "lmms-eval"
    contents = [Image.open(out / file).tobytes() if pixels else (out / file).read_bytes() for file in line["frames"]]
    return [["image", hashlib.sha256(content).hexdigest()] for content in contents]


def clustered(hits: list[bool], events: list[str], name: str) -> float:
    """The standard error of a mean whose views of one event are not independent, as each program corrects for few."""
    off = np.array(hits) - np.mean(hits)
    rows, own = len(hits), float(np.square(off).sum())
    sums = [sum(value for value, event in zip(off, events, strict=True) if event == one) for one in set(events)]
    between = float(np.square(sums).sum())
    if name in ("inspect", "vlmevalkit"):
        return float(np.sqrt(len(sums) / (len(sums) - 1) * between)) / rows
    return float(np.sqrt(own / (rows - 1) / rows + (between - own) / rows**2))
