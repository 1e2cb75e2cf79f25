"""Reading what others wrote, writing whole or not at all, and locks."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import gzip
import multiprocessing
import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from hpvqa import files
from hpvqa.errors import RunError, UsageError
from hpvqa.files import (
    LockedError,
    check_target,
    draft,
    file_record,
    inside,
    is_file,
    link_or_copy,
    locked,
    read_bytes,
    read_gzip,
    sync,
    write_text,
)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "", "a\0b", "out", "out/x", "\ud800", "loop"])
def test_a_path_read_from_a_file_stays_in_its_folder(name: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "x").write_text("secret")
    (root / "out").symlink_to(tmp_path)
    (root / "loop").symlink_to("loop")
    with pytest.raises(ValueError, match=r"leads out|not a name"):
        inside(root, name)


def test_paths_and_links_inside_of_a_folder_are_given(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    (tmp_path / "link").symlink_to("a/x")
    assert inside(tmp_path, "a/x").read_text() == inside(tmp_path, "link").read_text() == "1"
    assert inside(tmp_path, "new/file") == tmp_path / "new" / "file"


def test_a_folder_in_the_cache_of_the_hub_may_link_to_its_blobs(tmp_path: Path) -> None:
    snapshot, blobs = tmp_path / "datasets--a--b" / "snapshots" / "0123", tmp_path / "datasets--a--b" / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    (blobs / "abc").write_text("1")
    (snapshot / "x").symlink_to("../../blobs/abc")
    assert inside(snapshot, "x").read_text() == "1"


def test_pipes_devices_folders_and_huge_files_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "large").write_bytes(b"12345")
    for name in ("pipe", "zero", "."):
        with pytest.raises(OSError, match=r"Not a regular file|Is a directory"):
            read_bytes(tmp_path / name)
        with pytest.raises(OSError, match=r"Not a regular file|Is a directory"):
            file_record(tmp_path / name)
    with pytest.raises(OSError, match=r"more than"):
        read_bytes(tmp_path / "large", most=4)
    assert read_bytes(tmp_path / "large", most=5) == b"12345"


def test_any_damage_to_a_packed_file_is_told(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b"%d lines\n" % number for number in range(200)), mtime=0)
    path = tmp_path / "part.gz"
    path.write_bytes(whole)
    assert read_gzip(path).endswith(b"199 lines\n")
    # Of the first ten bytes, some say nothing that matters, such as when it was packed.
    damaged = [whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :] for at in range(10, len(whole))]
    for data in (b"", b"?", whole[:-1], whole[:20], whole + b"x", whole + whole, *damaged):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"\Ait (is damaged|was cut short)"):
            read_gzip(path)


def test_a_packed_file_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(8 << 20)))
    assert len(read_gzip(path, 8 << 20)) == 8 << 20
    with pytest.raises(ValueError, match="it unpacks to more than 4 MiB"):
        read_gzip(path, 4 << 20)


def test_a_name_that_can_be_none_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "a\0b")
    for name in ("a\0b", "x" * 300, "x/" * 3000, ""):
        assert not is_file(tmp_path / name)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "one")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "sync", full)
    with pytest.raises(RunError, match=r"a\.txt cannot be written: No space left"):
        write_text(path, "two")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "one")]


def test_what_is_in_the_way_of_a_target_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    for folder in (False, True):
        for name in ("file/x", "file/x/y", "dangling/x", "loop/x", "n" * 300 + "/x"):
            with pytest.raises(UsageError):
                check_target(tmp_path / name, folder)
    for name in ("file", "dangling", "loop"):
        with pytest.raises(UsageError):
            check_target(tmp_path / name, folder=True)
    with pytest.raises(UsageError, match="does not exist"):
        check_target(tmp_path / "no" / "x")
    check_target(tmp_path / "no" / "x", folder=True)
    check_target(tmp_path / "x")


def test_what_killed_processes_left_beside_a_draft_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".made-abc").mkdir()
    (tmp_path / ".made-abc" / "part").write_text("x")
    with draft(tmp_path, ".made-") as folder:
        assert [path.name for path in sorted(tmp_path.iterdir())] == [".lock", folder.name]
        (folder / "whole").write_text("x")
        (folder / "whole").rename(tmp_path / "whole")
    assert [path.name for path in sorted(tmp_path.iterdir())] == [".lock", "whole"]


def test_a_file_system_without_links_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    (tmp_path / "a").write_text("1")
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    link_or_copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "1"
    assert (tmp_path / "b").stat().st_ino != (tmp_path / "a").stat().st_ino


@pytest.mark.parametrize(("number", "goes_on"), [(errno.EINVAL, True), (errno.ENOTSUP, True), (errno.EIO, False)])
def test_folders_that_cannot_be_flushed_are_passed_over_but_files_and_broken_disks_are_not(
    number: int, goes_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "a").write_text("1")
    monkeypatch.setattr(os, "fsync", fsync)
    with nullcontext() if goes_on else pytest.raises(OSError, match="Input/output"):
        sync(tmp_path)
    with pytest.raises(OSError, match=os.strerror(number)):
        sync(tmp_path / "a")


def test_a_lock_is_held_until_its_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path), pytest.raises(LockedError, match="Another process is at work"), locked(path):
        pass
    with locked(tmp_path / "lock", shared=True), locked(tmp_path / "lock", shared=True):
        pass


def _hold(path: Path) -> None:
    with locked(path):
        ctypes.CDLL(None).kill(os.getpid(), 9)


@pytest.mark.slow
def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_hold, args=(tmp_path / "lock",))
    process.start()
    process.join(30)
    assert process.exitcode == -9
    with locked(tmp_path / "lock"):
        pass


@pytest.mark.parametrize(("number", "goes_on"), [(errno.ENOSYS, True), (errno.ENOLCK, True), (errno.EIO, False)])
def test_without_locks_work_goes_on_but_a_broken_disk_is_named(
    number: int, goes_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    if goes_on:
        with locked(tmp_path / "lock"):
            return
    with pytest.raises(OSError, match="Input/output"), locked(tmp_path / "lock"):
        pass
