"""How the child that makes batches knows that its parent lives."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hpvqa.collect.batches import exchange
from hpvqa.collect.batches.exchange import Exchange
from hpvqa.collect.batches.messages import Setup
from tests.factories import make_spec


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(
        data=tmp_path,
        partial=tmp_path,
        fps=10,
        resolution=None,
        environments=1,
        threads=1,
        example=make_spec("push", 0),
    )


def test_the_lock_says_whether_the_parent_lives(tmp_path: Path, setup: Setup) -> None:
    folder = tmp_path / "exchange"
    child = Exchange(folder)
    assert not child.parent_lives()
    with Exchange(folder).hosted(setup):
        assert child.parent_lives()
    assert not child.parent_lives()


def test_without_locks_the_process_says_so(tmp_path: Path, setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(file: object, operation: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(exchange.fcntl, "flock", no_locks)
    folder = tmp_path / "exchange"
    with Exchange(folder).hosted(setup):
        assert Exchange(folder).parent_lives()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (folder / "parent-lives").write_text(str(ended.pid))
    assert not Exchange(folder).parent_lives()
