"""The folder of a training: one process at a time, never another training's, and what can be gone on with."""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from hpvqa.errors import UsageError
from hpvqa.files import LockedError
from hpvqa.finetune.checkpoints import last_checkpoint, step_of
from hpvqa.finetune.folder import after_interrupt, check_out, claimed
from hpvqa.finetune.settings import load_finetune_recipe
from hpvqa.finetune.track import FOLDERS
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import PromptRecord, load_prompt
from hpvqa.vlm.seen import Seen
from hpvqa.vlm.training_record import Start, TrainingRecord, read_training_record


def nothing() -> None:
    pass


def record(**changes: Any) -> TrainingRecord:
    given: dict[str, Any] = {
        "model": "qwen3.5",
        "family": "qwen3.5",
        "dataset": "dataset",
        "fingerprint": "0" * 64,
        "task": None,
        "cameras": (),
        "prompt": PromptRecord.of(load_prompt("paper")),
        "frames": FrameSampling(),
        "recipe": load_finetune_recipe("lora").model_dump(mode="json"),
        "versions": {"torch": "1"},
    }
    return TrainingRecord(**{**given, **changes})


def make_checkpoint(out: Path, step: int) -> Path:
    folder = out / "checkpoints" / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    save_file({"a": np.zeros(100, np.float32)}, folder / "adapter_model.safetensors")
    with zipfile.ZipFile(folder / "optimizer.pt", "w") as file:
        file.writestr("data", bytes(1000))
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return folder


def test_one_process_trains_in_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "out"
    with claimed(out, record(), resume=False, begin=nothing):
        assert read_training_record(out) == record()
        with pytest.raises(LockedError, match=f"at work in {out}"):
            check_out(out, record(), resume=True)
        with pytest.raises(LockedError), claimed(out, record(), resume=True, begin=nothing):
            pass
    # After its end the folder is taken, whether the first look was before or after.
    with pytest.raises(UsageError, match="go on with --resume"), claimed(out, record(), resume=False, begin=nothing):
        pass
    with claimed(out, record(), resume=True, begin=nothing):
        pass


def test_a_training_that_never_began_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    (tmp_path / "hpvqa.json.partial").write_text("{")
    for resume in (False, True):
        check_out(tmp_path, record(), resume)
        check_out(tmp_path / "nothing", record(), resume)
    (tmp_path / "thesis.tex").touch()
    for resume in (False, True):
        with pytest.raises(UsageError, match="holds no training; choose another --out"):
            check_out(tmp_path, record(), resume)


def test_what_is_in_the_way_is_told_first(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(UsageError, match=r"file is (a file|not a folder); choose another place"):
            check_out(path, record(), resume=False)


def test_the_one_setting_that_differs_is_named(tmp_path: Path) -> None:
    with claimed(tmp_path / "out", record(), resume=False, begin=nothing):
        pass
    recipe = record().model_dump(mode="json")["recipe"]
    recipe["training"] = {**recipe["training"], "epochs": 5.0}
    for changes, words in (
        ({"recipe": recipe}, r"recipe\.training\.epochs was 3\.0 and is 5\.0 now"),
        ({"task": "push"}, "task was not set and is push now"),
        ({"frames": FrameSampling(count=3)}, r"frames\.count was not set and is 3 now"),
    ):
        with pytest.raises(UsageError, match=rf"begun with other settings: {words}; give the same command"):
            check_out(tmp_path / "out", record(**changes), resume=True)


def test_packages_and_a_moved_data_set_bind_nobody(tmp_path: Path) -> None:
    with claimed(tmp_path / "out", record(), resume=False, begin=nothing):
        pass
    check_out(tmp_path / "out", record(versions={"torch": "2", "vllm": "1"}, dataset="elsewhere"), resume=True)


def test_an_adapter_that_is_gone_on_from_may_be_elsewhere_but_not_another(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with claimed(out, record(start=Start(adapter="runs/a", sha256="1" * 64)), resume=False, begin=nothing):
        pass
    check_out(out, record(start=Start(adapter="elsewhere/a/", sha256="1" * 64)), resume=True)
    with pytest.raises(UsageError, match=rf"start was {'1' * 64} and is {'2' * 64} now"):
        check_out(out, record(start=Start(adapter="runs/a", sha256="2" * 64)), resume=True)
    with pytest.raises(UsageError, match=rf"start was {'1' * 64} and is not set now"):
        check_out(out, record(), resume=True)
    recipe = {**record().recipe, "samples": {"subsets": ["steps"]}}
    with pytest.raises(UsageError, match=r"recipe\.samples\.subsets was not set and is \['steps'\] now"):
        check_out(out, record(start=Start(adapter="runs/a", sha256="1" * 64), recipe=recipe), resume=True)


@pytest.mark.parametrize("name", FOLDERS)
def test_what_cannot_begin_leaves_the_folder_free(name: str, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def begin() -> None:
        (out / name).mkdir()
        raise UsageError("--track cannot begin")

    with pytest.raises(UsageError, match="cannot begin"), claimed(out, record(), resume=False, begin=begin):
        pass
    with claimed(out, record(), resume=False, begin=lambda: 7) as begun:
        assert begun == 7


def squeezing(out: Path) -> None:
    """Write the record of a training that an earlier version began."""
    data = record().model_dump(mode="json", exclude={"clips": True, "frames": {"fit"}})
    del data["recipe"]["frames"]["fit"]
    out.mkdir()
    (out / "hpvqa.json").write_text(json.dumps(data | {"schema_version": 1}))


@pytest.mark.parametrize(("size", "words"), [((480, 480), None), ((640, 480), "frames.fit was squeeze and is pad now")])
def test_a_training_that_squeezed_goes_on_where_that_changed_nothing(
    size: tuple[int, int], words: str | None, tmp_path: Path
) -> None:
    squeezing(tmp_path / "out")
    now = record(clips=Seen(sizes=(size,), cameras={}))
    if words is None:
        check_out(tmp_path / "out", now, resume=True)
    else:
        with pytest.raises(UsageError, match=words):
            check_out(tmp_path / "out", now, resume=True)


def test_what_ctrl_c_leaves_is_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "before the training began" in after_interrupt(out)
    with claimed(out, record(), resume=False, begin=nothing):
        assert "--resume begins again" in after_interrupt(out)
        make_checkpoint(out, 3)
        assert "with --resume to go on" in after_interrupt(out)


def test_the_newest_whole_checkpoint_counts(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None
    assert step_of(None) == 0
    found = {step: make_checkpoint(tmp_path, step) for step in (4, 8, 12)}
    assert last_checkpoint(tmp_path) == found[12]
    assert step_of(found[12]) == 12


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "optimizer.pt", "trainer_state.json"])
def test_a_checkpoint_that_was_cut_short_is_passed_over(tmp_path: Path, name: str) -> None:
    whole, newest = make_checkpoint(tmp_path, 4), make_checkpoint(tmp_path, 8)
    file = newest / name
    data = file.read_bytes()
    for size in (0, len(data) // 2, len(data) - 2):
        file.write_bytes(data[:size])
        assert last_checkpoint(tmp_path) == whole
    file.write_bytes(data)
    assert last_checkpoint(tmp_path) == newest
    # Of a step that it is not, or with a history that is none.
    for damage in (
        {"global_step": 9},
        {"global_step": "8"},
        {"log_history": [{"eval_loss": "low"}]},
        {"total_flos": None},
        {"best_metric": "low"},
    ):
        (newest / "trainer_state.json").write_text(json.dumps({"global_step": 8, **damage}))
        assert last_checkpoint(tmp_path) == whole
    shutil.rmtree(newest)
    (tmp_path / "checkpoints" / "checkpoint-9").touch()
    assert last_checkpoint(tmp_path) == whole


def test_a_checkpoint_whose_archive_says_that_it_lies_on_several_disks_is_passed_over(tmp_path: Path) -> None:
    whole, newest = make_checkpoint(tmp_path, 4), make_checkpoint(tmp_path, 8)
    file = newest / "optimizer.pt"
    files, end, rest = file.read_bytes().rpartition(b"PK\x05\x06")
    file.write_bytes(files + struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 2) + end + rest)
    assert last_checkpoint(tmp_path) == whole


def test_a_training_that_an_earlier_version_began_goes_on(tmp_path: Path) -> None:
    data = record().model_dump(mode="json")
    del data["start"], data["recipe"]["samples"], data["recipe"]["lora"]["part"]
    (tmp_path / "hpvqa.json").write_text(json.dumps(data))
    check_out(tmp_path, record(), resume=True)
    recipe = {**data["recipe"], "lora": {**data["recipe"]["lora"], "part": "both"}}
    with pytest.raises(UsageError, match=r"recipe\.lora\.part was language and is both now"):
        check_out(tmp_path, record(recipe=recipe), resume=True)
