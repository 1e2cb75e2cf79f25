"""Folders of weights appear whole or not at all, with the permissions of other files."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from hpvqa.errors import RunError, UsageError
from hpvqa.files import LockedError
from hpvqa.vlm.saving import check_new, check_place, new_folder, of_disk, reason


@contextmanager
def no_file_longer_than(limit: int) -> Iterator[None]:
    """A disk that takes no more: what writes beyond it gets EFBIG from the system."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def save(out: Path, array: Any) -> None:
    with new_folder(out) as draft:
        (draft / "config.json").write_text("{}")
        save_file({"x": array + 1}, draft / "model.safetensors")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_has_the_permissions_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with new_folder(tmp_path / "a" / "model") as draft:
            save_file({"x": np.zeros(3)}, draft / "model.safetensors")
            (draft / "config.json").write_text("{}")
    finally:
        os.umask(before)
    out = tmp_path / "a" / "model"
    modes = {path.name: path.stat().st_mode & 0o777 for path in (out, *out.iterdir())}
    assert modes == {"model": 0o750, "model.safetensors": 0o640, "config.json": 0o640}
    assert names(tmp_path / "a") == ["model"]


def test_what_does_not_fit_on_the_disk_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "model"
    with no_file_longer_than(10_000), pytest.raises(RunError, match=r"model cannot be written: File too large\Z"):
        save(out, np.zeros(100_000))
    assert names(tmp_path) == []


def test_an_error_of_ours_leaves_nothing_and_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        save(tmp_path / "model", None)
    assert names(tmp_path) == []


def test_what_a_killed_process_left_is_no_obstacle(tmp_path: Path) -> None:
    old = tmp_path / "model.partial"
    (old / "folder").mkdir(parents=True)
    (old / "model.safetensors").write_text("half")
    (old / ".lock").touch()
    with new_folder(tmp_path / "model") as draft:
        (draft / "config.json").write_text("{}")
    assert names(tmp_path) == ["model"]
    assert names(tmp_path / "model") == ["config.json"]


def test_two_processes_do_not_write_one_folder(tmp_path: Path) -> None:
    with new_folder(tmp_path / "model") as draft:
        (draft / "config.json").write_text("{}")
        with pytest.raises(LockedError), new_folder(tmp_path / "model"):
            pass
        assert names(draft) == [".lock", "config.json"]
    assert names(tmp_path / "model") == ["config.json"]


def test_only_a_new_or_empty_folder_is_written(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    check_new(tmp_path / "empty")
    check_new(tmp_path / "a" / "b")
    with new_folder(tmp_path / "empty") as draft:
        (draft / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="exists already"):
        check_new(tmp_path / "empty")
    with pytest.raises(UsageError, match="not a folder"):
        check_new(tmp_path / "empty" / "config.json" / "model")
    with pytest.raises(UsageError, match=r"/proc/model cannot be written \(/proc: No such file or directory\)"):
        check_new(Path("/proc/model"))
    assert names(tmp_path) == ["empty"]


def test_the_disk_is_asked_where_the_error_does_not_say(tmp_path: Path) -> None:
    vague = RuntimeError("unexpected pos 576 vs 534\nat some line")
    assert reason(vague, tmp_path) == "unexpected pos 576 vs 534"
    with no_file_longer_than(10_000):
        assert reason(vague, tmp_path) == "File too large"
    assert reason(OSError(5, "Input/output error"), tmp_path) == "Input/output error"


def test_a_folder_of_something_else_needs_no_safetensors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    assert not of_disk(RunError("a clip is damaged"))
    assert of_disk(OSError(28, "No space left on device"))


def test_files_further_down_keep_their_permissions(tmp_path: Path) -> None:
    # As links to files of a data set do.
    with new_folder(tmp_path / "out") as draft:
        (draft / "clips").mkdir()
        for name in ("top", "clips/below"):
            (draft / name).write_bytes(b"x")
            (draft / name).chmod(0o400)
    modes = [(tmp_path / "out" / name).stat().st_mode & 0o777 for name in ("top", "clips/below")]
    assert modes[0] != 0o400
    assert modes[1] == 0o400


def test_where_nothing_can_be_written_is_found_out_and_nothing_is_left_there(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "new" / "one"):
        check_place(folder)
    assert list(tmp_path.iterdir()) == []
    for folder in (Path("/proc"), Path("/proc/new/one")):
        with pytest.raises(UsageError, match=rf"{folder} cannot be written \(/proc: No such file"):
            check_place(folder)
