"""The page in a real browser: tables are sorted, cards filtered, and a phone shows all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from hpvqa.report.html.page import write_page
from hpvqa.report.measure import measure
from hpvqa.report.reading import read_runs
from tests.chromium import CHROMIUM, Tab, browser
from tests.report_runs import make_dataset, make_run, truth

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]

TABLES = """
[...document.querySelectorAll(".scroll > table")].map((table) => [...table.tBodies].map((body) =>
  [...body.rows].filter((row) => row.cells[0].tagName === "TD").map((row) => [...row.cells].map((c) => c.textContent))))
"""
"""What stands in the cells: tables, bodies, rows, columns."""
SORT = '[...document.querySelectorAll(".scroll > table")].map((t) => t.tHead.rows[0].cells[%d]?.firstChild.click())'
SHOWN = '[...document.querySelectorAll("#failures .card")].filter((card) => card.checkVisibility())'
EMPTY = """
[...document.querySelectorAll("#failures .run")].filter((run) =>
  run.checkVisibility() && !run.querySelector(".card:not([hidden])")).length
"""
EDGE = """
(async () => {
  const found = [];
  for (const box of document.querySelectorAll(".scroll")) {
    box.scrollLeft = 10000;
    await new Promise(requestAnimationFrame);
    const cell = box.querySelector("td").getBoundingClientRect().left;
    found.push([box.scrollWidth - box.clientWidth, box.scrollLeft, cell - box.getBoundingClientRect().left]);
  }
  return found;
})()
"""
"""Of each table: what is wider than its window, how far it was scrolled, and where the first column is then [px]."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    dataset = make_dataset(folder, push=4, drop=4)
    right = make_run(folder / "right", dataset, say=lambda row: None if row.camera.endswith("wide") else "right")
    runs = read_runs([make_run(folder / "truth", dataset, say=truth), make_run(folder / "left", dataset), right])
    write_page(measure(runs, command=("hpvqa", "report"), created="2026-01-01"), runs, folder / "page.html")
    return (folder / "page.html").as_uri()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def tab(started: Tab, page: str) -> Iterator[Tab]:
    started.complaints.clear()
    started.size(1280, 900)
    started.open(page)
    yield started
    assert started.complaints == []


def number(cell: str) -> float | None:
    found = re.match(r"[-<−+]?\d[\d.]*", cell)
    return float(found[0].replace("−", "-").replace("<", "")) if found else None


def test_a_click_on_a_heading_sorts_and_another_turns_it_round(tab: Tab) -> None:
    before = tab.run(TABLES)
    seen = 0
    for column in range(max(len(rows[0]) for table in before for rows in table if rows)):
        for down in (False, True) if column == 0 else (True, False):
            tab.run(SORT % column)
            after = tab.run(TABLES)
            for rows, found in ((r, f) for b, a in zip(before, after, strict=True) for r, f in zip(b, a, strict=True)):
                assert sorted(found) == sorted(rows)
                cells = [row[column] for row in found if column < len(row)]
                if column == 0:
                    keys = [[int(p) if p.isdigit() else p.lower() for p in re.split(r"(\d+)", c)] for c in cells]
                    assert keys == sorted(keys, reverse=down), cells
                else:
                    known = [number(cell) for cell in cells if number(cell) is not None]
                    assert known == sorted(known, reverse=down), cells
                    assert all(number(cell) is None for cell in cells[len(known) :]), cells
                seen += len(set(cells)) > 2
    assert seen > 10


def test_cards_of_failures_are_filtered_by_each_of_their_kinds(tab: Tab) -> None:
    everyone = tab.run(f"{SHOWN}.map((card) => ({{ ...card.dataset }}))")
    for name in ("run", "task", "camera", "kind"):
        values = sorted({card[name] for card in everyone})
        select = f"""document.querySelector('.filters [aria-label="{name}"]')"""
        if len(values) == 1:
            assert tab.run(f"{select} === null")
            continue
        assert tab.run(f"[...{select}.options].map((option) => option.value).sort()") == ["", *values]
        for value in (values[-1], ""):
            tab.run(f"{select}.value = '{value}', {select}.dispatchEvent(new Event('change'))")
            wanted = sum(card[name] == value for card in everyone) if value else len(everyone)
            assert tab.run(f"{SHOWN}.length") == wanted
            # A run without a card says so, unless cards of others are looked for.
            assert value == "" or tab.run(EMPTY) == 0


@pytest.mark.parametrize("width", [390, 1280], ids=["phone", "desk"])
def test_only_tables_scroll_and_their_names_stay_in_sight(width: int, tab: Tab) -> None:
    tab.size(width, 844, phone=width < 500)
    assert tab.run("document.documentElement.scrollWidth") == width
    edges = tab.run(EDGE)
    assert any(beyond > 0 for beyond, _, _ in edges) == (width < 500)
    for beyond, scrolled, first in edges:
        assert scrolled == pytest.approx(beyond, abs=1)
        assert abs(first) <= 1
