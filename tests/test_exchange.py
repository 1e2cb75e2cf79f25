"""How a pool and a child talk, and how each knows that the other is gone."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpvqa.collect.exchange import ChildExchange, Exchange
from hpvqa.collect.messages import Batch, Rendered, Reply, Setup, Try
from tests.factories import make_spec


@pytest.fixture
def given(tmp_path: Path) -> Setup:
    return Setup(
        backend="mujoco",
        data=tmp_path,
        partial=tmp_path,
        fps={"push": 10},
        resolution=None,
        environments=1,
        threads=1,
        example=make_spec("push", 0),
    )


@pytest.fixture
def pool(given: Setup) -> Iterator[Exchange]:
    exchange = Exchange(given)
    yield exchange
    exchange.close()
    assert not Path(exchange.address).parent.exists()


def joined(pool: Exchange) -> ChildExchange:
    """A child of this process that has come."""
    found: list[ChildExchange] = []
    thread = threading.Thread(target=lambda: found.append(ChildExchange(pool.address)))
    thread.start()
    assert replies(pool, 0) == []
    thread.join(30)
    return found[0]


def replies(pool: Exchange, count: int) -> list[Reply]:
    found = pool.replies(30)
    while len(found) < count:
        found += pool.replies(30)
    return found


def test_what_is_sent_before_the_child_has_come_waits_for_it(pool: Exchange, given: Setup) -> None:
    batch = Batch(tries=(Try(spec=given.example, failed=(), last=False),))
    pool.send(batch)
    assert pool.replies(0.01) == []
    child = joined(pool)
    assert child.setup == given
    assert child.next_batch() == batch
    child.reply(Rendered(frames=1))
    child.reply(Rendered(frames=2))
    assert replies(pool, 2) == [Rendered(frames=1), Rendered(frames=2)]
    pool.stop()
    assert child.next_batch() is None


def test_only_this_user_may_look_in(pool: Exchange) -> None:
    assert Path(pool.address).parent.stat().st_mode & 0o077 == 0


def test_a_long_name_of_the_folder_for_temporary_files_does_not_matter(
    given: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    Exchange(given).close()


CHILD = """
import sys
from hpvqa.collect.exchange import ChildExchange
from hpvqa.collect.messages import Rendered

child = ChildExchange(sys.argv[1])
child.reply(Rendered(frames=3))
if sys.argv[2] == "hang":
    import time
    time.sleep(600)
"""


@pytest.mark.slow
def test_the_last_words_of_a_child_are_heard(pool: Exchange, given: Setup) -> None:
    process = subprocess.Popen([sys.executable, "-c", CHILD, pool.address, "end"])
    assert replies(pool, 1) == [Rendered(frames=3)]
    assert process.wait(30) == 0
    assert pool.replies(0.01) == []
    pool.send(Batch(tries=()))


@pytest.mark.slow
def test_a_child_that_hangs_ends_with_its_pool(given: Setup) -> None:
    exchange = Exchange(given)
    process = subprocess.Popen([sys.executable, "-c", CHILD, exchange.address, "hang"])
    assert replies(exchange, 1) == [Rendered(frames=3)]
    exchange.close()
    assert process.wait(30) == 1
