"""Every cell of a report as a line of a CSV file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from hpvqa.files import write_text
from hpvqa.report.measure import Report

COLUMNS = (
    "run",
    "marks",
    "condition",
    "task",
    "by",
    "value",
    "correct",
    "n",
    "accuracy",
    "low",
    "high",
    "level",
    "method",
    "majority",
    "invalid",
    "episodes",
    "effective_n",
)
BEGINS = b"run,marks,"
"""What such files begin with."""


def write_csv(report: Report, path: Path) -> None:
    """Write a line a cell; what is not known is empty.

    Raises:
        RunError: The disk does not take it.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for run in report.runs:
        for condition in run.conditions:
            for cell in condition.cells:
                interval = {} if cell.interval is None else cell.interval.model_dump()
                whose = {"run": run.name, "marks": "; ".join(run.marks), "condition": condition.condition}
                writer.writerow({**whose, **cell.model_dump(exclude={"interval"}), **interval})
    write_text(path, buffer.getvalue())
