"""What is simulated for docs/statistics.md, and that a small part of it is as it should be."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from research.coverage.__main__ import MARK, PAGE, main
from research.coverage.draw import Setting, pair, rows, values
from research.coverage.run import Grid, measure
from research.coverage.tables import HIGHEST, LOWEST, text
from research.page import END

SMALL = Grid(episodes=(15,), ps=(0.9,), correlations=(0.0, 0.3), valued=(8,), links=(0.9,))


@pytest.mark.parametrize("correlation", [0.0, 0.3, 1.0])
def test_rows_are_as_often_correct_and_as_alike_as_they_should_be(correlation: float) -> None:
    drawn = rows(Setting(4000, 2, 0.8, correlation), np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(0.8, abs=0.02)
    assert np.corrcoef(drawn.T.astype(float))[0, 1] == pytest.approx(correlation, abs=0.06)


def test_runs_of_a_pair_err_in_their_ways() -> None:
    rng = np.random.default_rng(1)
    drawn = pair(3000, 7, (0.9, 0.9), "by episode, by row", rng).reshape(-1, 7)
    assert drawn.mean() == pytest.approx(0.0, abs=0.02)
    # An episode of which the first run gets nothing, and the second nearly all.
    assert (drawn.sum(axis=1) >= 5).mean() == pytest.approx(0.1, abs=0.03)
    mixed = pair(3000, 7, (0.9, 0.8), "both, by row", rng)
    assert mixed.mean() == pytest.approx(-0.1, abs=0.02)


def test_values_and_what_is_said_of_them() -> None:
    truth, said = values(Setting(4000, 2, 0.9, 0.3), np.random.default_rng(2))
    assert np.corrcoef(truth, said)[0, 1] == pytest.approx(0.9, abs=0.02)
    errors = ((said - 0.9 * truth) / 0.19**0.5).reshape(-1, 2)
    assert np.corrcoef(errors.T)[0, 1] == pytest.approx(0.3, abs=0.05)
    assert (truth.reshape(-1, 2).std(axis=1) == 0).all()


@pytest.mark.slow
def test_a_small_part() -> None:
    found = measure(SMALL, 120, 0, 1)
    assert measure(SMALL, 4, 5, 1) == measure(SMALL, 4, 5, 1)
    names = {one.what for one in found}
    assert names >= {"share", "balanced accuracy", "d′", "criterion", "paired difference", "equal accuracy"}
    # Of 120 simulations, one in twenty is off by no more than this.
    noise = 0.05
    for one in found:
        if one.what == "equal accuracy":
            assert one.rate <= HIGHEST + noise, one
        elif one.what != "sign flip":
            assert one.rate >= LOWEST - noise, one
    flipped = max(one.rate for one in found if one.what == "sign flip" and one.alike == "by episode, by row")
    assert flipped > 0.1, "the plain sign flip takes unlike errors for a difference"


def test_the_command_writes_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{MARK}\nold\n{END}\nafter\n")
    monkeypatch.setattr("research.coverage.__main__.Grid", lambda: SMALL)
    arguments = ["--simulations", "4", "--workers", "1", "--page", str(page)]
    assert CliRunner().invoke(main, arguments, catch_exceptions=False).exit_code == 0
    lines = page.read_text().splitlines()
    assert "old" not in lines
    assert sum(line.startswith("| 15 | 7 |") for line in lines) == 2 + 4
    assert any(line.startswith("| share | interval | 3 |") for line in lines)


def test_the_page_holds_what_it_promises() -> None:
    """Lowest coverage and highest size over all settings, but for the noise of 1,000 simulations."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    summary = {line[0]: line for line in cells if len(line) == 6 and line[1] in ("interval", "test")}
    assert float(summary.pop("sign flip")[4]) > 0.1
    assert float(summary.pop("equal accuracy")[4]) <= HIGHEST + 0.01
    # Of values there are fewer simulations.
    noise = {"median error": 0.03}
    assert {name for name, line in summary.items() if float(line[3]) < LOWEST - noise.get(name, 0.01)} == set()
    assert len(summary) == 9


def test_no_rate_is_left_out() -> None:
    found = measure(Grid(episodes=(8,), ps=(0.9, 0.99), correlations=(1.0,), valued=()), 2, 0, 1)
    page = text(found, 2)
    assert "| 8 | 7 | 1 |" in page
    rows = "\n".join(line for line in page.splitlines() if line.startswith("| 8 |"))
    assert len(re.findall(r"\b[01]\.\d{3}\b", rows)) == len(found)
    assert "## Values" in page
