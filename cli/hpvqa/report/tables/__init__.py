"""The tables of a report: the paper's Tables 3 and 4, and those that say how far they can be trusted."""

from __future__ import annotations

from collections.abc import Callable

from hpvqa.report.grid import Grid
from hpvqa.report.measure import Report
from hpvqa.report.tables.bias import bias_grid, probabilities_grid
from hpvqa.report.tables.comparisons import camera_comparison_grid, comparison_grid, tuned_grid
from hpvqa.report.tables.conditions import conditions_grid, explanation_grid, flips_grid
from hpvqa.report.tables.perspective import perspective_grid
from hpvqa.report.tables.scores import (
    accuracy_grid,
    camera_grid,
    gap_grid,
    pooled_grid,
    runs_grid,
    sides_grid,
    threshold_grid,
)
from hpvqa.report.tables.shifts import shift_grid
from hpvqa.report.tables.values import sureness_grid, values_conditions_grid, values_grid

Maker = Callable[[Report], Grid | None]
"""What makes a table of a report, or none where it has nothing to show."""


def grids(report: Report) -> list[Grid]:
    """All tables, in the order in which they are read."""
    found = (
        runs_grid(report),
        accuracy_grid(report),
        tuned_grid(report),
        shift_grid(report),
        sides_grid(report),
        bias_grid(report),
        probabilities_grid(report),
        camera_grid(report),
        perspective_grid(report),
        pooled_grid(report),
        values_grid(report),
        values_conditions_grid(report),
        sureness_grid(report),
        gap_grid(report),
        threshold_grid(report),
        explanation_grid(report),
        conditions_grid(report),
        flips_grid(report),
        comparison_grid(report),
        # Of many pairs, the cameras would bury everything else; the page and JSON have them.
        camera_comparison_grid(report) if len(report.comparisons) == 1 else None,
    )
    return [grid for grid in found if grid is not None]
