"""A data set in the place of another, or of what is not ours, also when a build is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest

from hpvqa.dataset.layout import published
from hpvqa.dataset.load import open_dataset
from hpvqa.errors import RunError, UsageError
from tests.build_data import make, tree
from tests.factories import copy, make_data
from tests.needs import long_but


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("build") / "data", push=8, drop=8)


def test_a_rebuild_is_the_same(data: Path, tmp_path: Path) -> None:
    first = make(data, tmp_path / "a")
    assert make(data, tmp_path / "b").fingerprint == first.fingerprint
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_an_identical_data_set_is_put_right(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    make(data, out)
    (out / "eval" / "metadata.jsonl").unlink()
    make(data, out)
    assert len(open_dataset(out).rows("eval")) == 8
    assert {path.name for path in tmp_path.iterdir()} == {"dataset"}


def test_a_different_data_set_is_replaced_only_when_asked(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    make(data, out)
    before = tree(out)
    with pytest.raises(UsageError, match="--force"):
        make(data, out, seed=1)
    assert tree(out) == before
    assert {path.name for path in tmp_path.iterdir()} == {"dataset"}
    make(data, out, seed=1, force=True)
    assert tree(out) != before
    assert {path.name for path in tmp_path.iterdir()} == {"dataset"}


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_not_ours_is_left_alone(data: Path, tmp_path: Path, force: bool) -> None:
    out = tmp_path / "dataset"
    out.mkdir()
    (out / "thesis.txt").write_text("four years")
    with pytest.raises(UsageError, match="not a data set of ours"):
        make(data, out, force=force)
    with pytest.raises(UsageError, match="not a data set of ours"):
        make(data, data, force=force)
    assert (out / "thesis.txt").read_text() == "four years"
    assert {path.name for path in tmp_path.iterdir()} == {"dataset"}


def test_what_a_user_added_to_a_data_set_is_not_removed(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    make(data, out)
    (out / "thesis.txt").write_text("four years")
    with pytest.raises(UsageError, match=r"holds thesis\.txt, which is not ours"):
        make(data, out, seed=1, force=True)
    assert (out / "thesis.txt").read_text() == "four years"


def test_a_file_in_the_place_of_the_data_set(data: Path, tmp_path: Path) -> None:
    (tmp_path / "dataset").write_text("four years")
    with pytest.raises(UsageError, match="is a file"):
        make(data, tmp_path / "dataset", force=True)


def test_an_empty_folder_is_taken(data: Path, tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir()
    make(data, tmp_path / "dataset")
    assert open_dataset(tmp_path / "dataset").rows("eval")


def test_leftovers_of_a_killed_build_are_cleared(data: Path, tmp_path: Path) -> None:
    partial = tmp_path / "dataset.partial" / "train" / "push"
    partial.mkdir(parents=True)
    (partial / "half.mp4").write_text("half")
    make(data, tmp_path / "dataset")
    assert {path.name for path in tmp_path.iterdir()} == {"dataset"}


def test_a_build_killed_between_its_renames_loses_nothing(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    make(data, out)
    out.rename(tmp_path / "dataset.old")
    with pytest.raises(UsageError, match="--force"):
        make(data, out, seed=1)
    assert open_dataset(out).rows("eval")


def test_a_build_that_cannot_take_the_place_of_another_leaves_it_there(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "dataset"
    make(data, out)
    before = tree(out)
    rename = Path.rename

    def stubborn(path: Path, target: Path) -> Path:
        if path.name == "dataset.partial":
            raise PermissionError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", stubborn)
    with pytest.raises(PermissionError):
        make(data, out, seed=1, force=True)
    assert tree(out) == before
    assert {path.name for path in tmp_path.iterdir()} == {"dataset"}


def test_what_is_in_the_way_and_not_ours_is_not_removed(data: Path, tmp_path: Path) -> None:
    (tmp_path / "dataset.partial").mkdir()
    (tmp_path / "dataset.partial" / "thesis.txt").write_text("four years")
    with pytest.raises(UsageError, match=r"thesis\.txt"):
        make(data, tmp_path / "dataset")
    assert (tmp_path / "dataset.partial" / "thesis.txt").exists()


def test_targets_that_cannot_be_replaced_are_refused_before_any_work(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for out, said in ((".", "the folder you are in"), ("file/x", "not a folder"), ("/proc", "disk is mounted")):
        with pytest.raises(UsageError, match=said):
            make(data.with_name("nowhere"), Path(out))
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


def test_of_two_builds_at_once_one_is_refused(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    with published(out, force=False) as root:
        with pytest.raises(RunError, match=r"Another process builds .*dataset right now"):
            make(data, out)
        assert root.is_dir()
        (root / "manifest.json").touch()
    assert {path.name for path in tmp_path.iterdir()} == {"dataset"}


def _build_and_die(data: Path, out: Path, step: int) -> None:
    """Build, and be killed right before the given one of the steps that change the disk."""
    changes = {"os.rename", "os.mkdir", "os.link", "os.remove", "os.rmdir"}
    left = [step]

    def watch(event: str, args: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        if event in changes or writes:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    make(data, out, seed=1, force=True)


@pytest.mark.slow
@pytest.mark.parametrize("replaced", long_but([False, True]))
@pytest.mark.parametrize("every", long_but([5, 1]))
def test_a_build_killed_at_any_step_can_be_repeated(tmp_path: Path, replaced: bool, every: int) -> None:
    data = make_data(tmp_path / "data", push=4, cameras=1)
    make(data, tmp_path / "expected", seed=1)
    make(data, tmp_path / "before", seed=5)
    expected, before = tree(tmp_path / "expected"), tree(tmp_path / "before")
    assert expected != before
    step = 0
    while True:
        folder = tmp_path / str(step)
        folder.mkdir()
        if replaced:
            copy(tmp_path / "before", folder / "dataset")
        arguments = (data, folder / "dataset", step)
        child = multiprocessing.get_context("fork").Process(target=_build_and_die, args=arguments)
        child.start()
        child.join(60)
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        if (folder / "dataset").exists():
            assert tree(folder / "dataset") in (before, expected)
        make(data, folder / "dataset", seed=1, force=True)
        assert tree(folder / "dataset") == expected
        assert {path.name for path in folder.iterdir()} == {"dataset"}
        step += every
    assert step > 20
