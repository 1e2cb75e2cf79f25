"""Whose folder it is, and what killed runs leave in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpvqa.collect.folder import check_ours, partial_dir
from hpvqa.collect.shard import Shard
from hpvqa.errors import UsageError


def leave(data: Path, *names: str) -> list[Path]:
    folders = [data / ".partial" / name for name in names]
    for folder in folders:
        (folder / "push-episode-000000").mkdir(parents=True)
        (folder / "push-episode-000000" / "x.mp4").write_text("half")
    return folders


def test_new_empty_and_own_folders_are_ours(tmp_path: Path) -> None:
    check_ours(tmp_path / "new" / "deep")
    assert not (tmp_path / "new").exists()
    check_ours(tmp_path)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "hpvqa.json").touch()
    check_ours(tmp_path)


def test_what_a_run_killed_early_leaves_is_ours(tmp_path: Path) -> None:
    for name in (".lock", ".lock.settings", ".lock.shard-1-of-2", "hpvqa.json.partial"):
        (tmp_path / name).touch()
    (tmp_path / ".partial").mkdir()
    check_ours(tmp_path)


def test_a_folder_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"holds files but no collection \(thesis\.tex, for one\)"):
        check_ours(tmp_path)
    with pytest.raises(UsageError, match="is a file; choose another place"):
        check_ours(tmp_path / "thesis.tex")
    with pytest.raises(UsageError, match=r"thesis\.tex is not a folder; choose another place for x"):
        check_ours(tmp_path / "thesis.tex" / "x")


def test_a_collection_nearby_is_named(tmp_path: Path) -> None:
    data = tmp_path / "demo" / "data"
    (data / "push" / "000").mkdir(parents=True)
    (data / "hpvqa.json").touch()
    for place in (tmp_path / "demo", data / "push"):
        with pytest.raises(UsageError, match=f"choose an empty or a new folder as --out, or {data} to add to what is"):
            check_ours(place)


def test_a_whole_run_clears_everything(tmp_path: Path) -> None:
    left = leave(tmp_path, "all.abc", "shard-1-of-2.def", "all.ghi.cleared")
    with partial_dir(tmp_path, None) as folder:
        assert not any(path.exists() for path in left)
        assert list(folder.parent.iterdir()) == [folder]
        (folder / "push-episode-000001").mkdir()
    assert list((tmp_path / ".partial").iterdir()) == []


def test_a_shard_clears_only_its_own(tmp_path: Path) -> None:
    mine, other, similar = leave(tmp_path, "shard-1-of-2.abc", "shard-2-of-2.abc", "shard-1-of-20.abc")
    with partial_dir(tmp_path, Shard(1, 2)) as folder:
        assert folder.name.startswith("shard-1-of-2.")
        assert [path.exists() for path in (mine, other, similar)] == [False, True, True]
    assert sorted((tmp_path / ".partial").iterdir()) == sorted([other, similar])


def test_it_is_cleared_when_the_run_fails(tmp_path: Path) -> None:
    def fail() -> None:
        with partial_dir(tmp_path, None) as folder:
            (folder / "x").touch()
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        fail()
    assert list((tmp_path / ".partial").iterdir()) == []


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    # A worker of a killed run may live on for a moment: its path must not be the next run's.
    with partial_dir(tmp_path, None) as first:
        pass
    with partial_dir(tmp_path, None) as second:
        assert first.name != second.name
