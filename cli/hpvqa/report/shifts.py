"""Each run on a shift beside the runs of the same model on usual episodes."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from hpvqa.evaluate.shifted import Shifted, compare_shifted
from hpvqa.plain import Model
from hpvqa.report.source import Run


class RunShift(Model):
    """One model's run on usual episodes, and its run on a shift."""

    usual: str = Field(description="Name of the run on usual episodes.")
    shifted: str = Field(description="Name of the run on the shift.")
    results: tuple[Shifted, ...] = Field(description="By task: the shift minus the usual.")


def run_shifts(runs: Sequence[Run], seed: int) -> tuple[list[RunShift], list[str]]:
    """Compare each run on a shift with those of the same model on usual episodes, and say which have none."""
    found: list[RunShift] = []
    notes: list[str] = []
    for run in runs:
        if run.shift is None:
            continue
        same = [other for other in runs if other.shift is None and _model(other) == _model(run)]
        alike = [other for other in same if other.main_condition == run.main_condition]
        found += [
            RunShift(usual=other.name, shifted=run.name, results=tuple(results))
            for other in alike
            if (results := compare_shifted(other.main, run.main, seed=seed))
        ]
        if not alike:
            lacking = f"under the condition {run.main_condition}" if same else "on usual episodes"
            notes.append(
                f"{run.name} is of the shift {run.shift}, but no run of the same model {lacking} is beside it, so "
                "it is not compared."
            )
    return found, notes


def _model(run: Run) -> tuple[str, str | None]:
    return run.base, run.adapter
