"""What an adapter was trained on, and what it has never seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hpvqa.finetune.settings import load_finetune_recipe
from hpvqa.vlm.embedded import adapter_folder, base_folder
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import PromptRecord, load_prompt
from hpvqa.vlm.training_record import (
    RECORD_FILE,
    TrainingRecord,
    read_metrics,
    read_training_record,
    strange_views,
    views_of,
)

VIEWS = {"drop": ("front_wide",), "push": ("back_wide", "front_wide")}


def test_the_views_of_clips() -> None:
    clips = [("push", "front_wide"), ("drop", "front_wide"), ("push", "back_wide"), ("push", "front_wide")]
    assert views_of(clips) == VIEWS


def test_what_was_never_seen_is_named() -> None:
    assert strange_views(VIEWS, [("push", "back_wide"), ("drop", "front_wide")]) == []
    clips = [("push", "back_wide"), ("drop", "back_narrow"), ("drop", "front_wide"), ("drop", "back_narrow")]
    assert strange_views(VIEWS, clips) == ["drop by back_narrow"]
    assert strange_views({"push": ("back_wide",)}, clips) == ["drop"]
    # Another tool's adapter does not say.
    assert strange_views({}, clips) == []


def test_a_record_of_an_earlier_version_says_that_frames_were_squeezed(tmp_path: Path) -> None:
    record = TrainingRecord(
        model="m",
        family="qwen3-vl",
        dataset="dataset",
        fingerprint="0",
        task=None,
        cameras=(),
        prompt=PromptRecord.of(load_prompt("paper")),
        frames=FrameSampling(),
        recipe=load_finetune_recipe("lora").model_dump(mode="json"),
        versions={},
    )
    data = record.model_dump(mode="json", exclude={"clips": True, "frames": {"fit"}})
    del data["recipe"]["frames"]["fit"]
    folder = tmp_path / "models" / "lora"
    folder.mkdir(parents=True)
    (folder / RECORD_FILE).write_text(json.dumps(data | {"schema_version": 1}))
    found = read_training_record(folder)
    assert found is not None
    assert (found.frames.fit, found.clips) == ("squeeze", None)
    assert found.model_copy(update={"schema_version": 2, "frames": record.frames, "recipe": record.recipe}) == record
    assert TrainingRecord.model_validate_json(found.model_dump_json()) == found


DAMAGED_METRICS = (
    b"\xff\xfe\n", b"[" * 100_000 + b"\n", b'{"step": 1e999}\n', b'{"step": null}\n', b'{"loss": 1}\n', b"[1]\n",
    b'{"step": 2, "loss": "x"}\n', b'{"step": true}\n', b'{"step": NaN}\n', b"\n", b'{"step": 3, "lo',
)  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGED_METRICS)
def test_damaged_lines_of_metrics_are_left_out(damage: bytes, tmp_path: Path) -> None:
    whole = [{"step": 1, "loss": 0.5}, {"step": 2, "eval_loss": 0.25}]
    lines = [json.dumps(line).encode() + b"\n" for line in whole]
    (tmp_path / "metrics.jsonl").write_bytes(b"".join((*lines, damage)))
    assert read_metrics(tmp_path / "metrics.jsonl") == whole


def test_the_shipped_model_says_that_its_clips_were_square() -> None:
    for folder in (adapter_folder(), base_folder()):
        record = read_training_record(folder)
        assert record is not None
        assert record.clips is not None
        assert record.frames.fit == "pad"
        assert record.frames.suits(record.clips.sizes)
        names = {task: tuple(camera.name for camera in known) for task, known in record.clips.cameras.items()}
        assert names == record.views
