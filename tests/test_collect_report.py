"""The numbers of a run: failures by the hidden property."""

from __future__ import annotations

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from hpvqa.collect.report import Report, Tally, attempts
from hpvqa.collect.table import print_report
from hpvqa.record.episode import EpisodeRecord, FailedAttempt
from tests.collect_fakes import collection, episode
from tests.worlds import with_hidden

SETTINGS = collection()


def made(task: str, index: int, failed: int) -> EpisodeRecord:
    """An episode of which the first ``failed`` of at most three attempts failed."""
    earlier = tuple(FailedAttempt(attempt=attempt, reason="missed") for attempt in range(min(failed, 2)))
    record = episode(SETTINGS.spec(task, index), "missed" if failed == 3 else None)
    return record.model_copy(update={"failed_attempts": earlier})


@given(st.sampled_from(["push", "drop"]), st.lists(st.integers(0, 3), max_size=30), st.integers(0, 30))
def test_every_attempt_counts_for_both_objects(task: str, failures: list[int], there: int) -> None:
    tally = Tally(task, asked=40)
    for index, failed in enumerate(failures):
        (tally.already if index < there else tally.made)(made(task, index, failed))
    report = tally.report()
    tries = sum(min(failed + 1, 3) for failed in failures)
    assert report.already + report.made == len(failures)
    assert report.already == min(there, len(failures))
    assert report.failed_attempts == sum(failures)
    assert report.failed == failures.count(3)
    assert sum(decile.objects for decile in report.deciles) == 2 * tries
    assert sum(decile.failed for decile in report.deciles) == 2 * sum(failures)


@pytest.mark.parametrize(("failed", "expected"), [(0, (1, 0)), (1, (2, 1)), (2, (3, 2)), (3, (3, 3))])
def test_attempts(failed: int, expected: tuple[int, int]) -> None:
    assert attempts(made("push", 0, failed)) == expected


def test_deciles_cover_the_range() -> None:
    deciles = Tally("drop", 1).report().deciles
    assert len(deciles) == 10
    assert (deciles[0].low, deciles[-1].high) == (0.0, 1.0)
    assert all(a.high == b.low for a, b in itertools.pairwise(deciles))


@pytest.mark.parametrize(("value", "decile"), [(0.0, 0), (0.099, 0), (0.1, 1), (0.95, 9), (1.0, 9)])
def test_a_value_falls_into_its_decile(value: float, decile: int) -> None:
    spec = SETTINGS.spec("drop", 0)
    spec = with_hidden(spec, value, value)
    tally = Tally("drop", 1)
    tally.made(episode(spec))
    assert [place for place, found in enumerate(tally.report().deciles) if found.objects] == [decile]


def test_values_beyond_the_default_range_count_in_the_last_decile() -> None:
    tally = Tally("push", 1)
    tally.made(episode(with_hidden(SETTINGS.spec("push", 0), 9.0, 0.1)))
    assert [decile.objects for decile in tally.report().deciles] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_the_tables_fit_80_columns() -> None:
    tallies = {name: Tally(name, 123456) for name in ("push", "drop")}
    for name, tally in tallies.items():
        for index in range(40):
            tally.made(made(name, index, index % 4))
    report = Report(
        data="data", status="finished", seconds=1.0, tasks={name: tally.report() for name, tally in tallies.items()}
    )
    assert report.any_failed
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=80), deciles=True)
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("push" in line and "123456" in line and "60" in line for line in lines)
    assert any("restitution 0.90 to 1.00" in line for line in lines)
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=80), deciles=False)
    assert "restitution" not in stream.getvalue()
