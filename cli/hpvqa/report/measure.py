"""Everything that a report says in numbers, as one model: the terminal, the page, JSON and CSV are views of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

from pydantic import Field, JsonValue

import hpvqa
from hpvqa.errors import printable
from hpvqa.evaluate.bias import Bias, FlipConsistency, ReliabilityBin, bias, flip_consistency, reliability
from hpvqa.evaluate.cameras import CameraTest, camera_tests
from hpvqa.evaluate.compare import Comparison, compare
from hpvqa.evaluate.conditions import PLAIN
from hpvqa.evaluate.perspective import Perspective, View, perspectives
from hpvqa.evaluate.prediction import Estimate, Prediction
from hpvqa.evaluate.score import Cell, score
from hpvqa.evaluate.statistics.interval import FEWEST_EPISODES
from hpvqa.evaluate.statistics.psychometric import Psychometric, fit_psychometric
from hpvqa.evaluate.values import ValueCell, pooled_values, score_values
from hpvqa.plain import Model
from hpvqa.report.shifts import RunShift, run_shifts
from hpvqa.report.source import Run
from hpvqa.report.views import views_of
from hpvqa.tasks import TASKS


class ConditionReport(Model):
    """How a run did under one condition."""

    condition: str
    rows: int = Field(description="Rows that were asked.")
    invalid: int = Field(description="Answers that were none of the choices; they count as wrong.")
    failed: int = Field(description="Rows that could not be answered; they do not count.")
    cells: tuple[Cell, ...]
    bias: tuple[Bias, ...]
    reliability: dict[str, tuple[ReliabilityBin, ...]] = Field(description="By task; empty without log-probabilities.")
    psychometric: dict[str, Psychometric] = Field(description="By task, where the hidden values are known.")
    cameras: tuple[CameraTest, ...] = Field(description="Whether the answers of each camera are related to the truth.")
    perspective: tuple[Perspective, ...] = Field(
        description="By task: accuracy with the robot's and with the picture's left and right, from front and back."
    )
    changes: tuple[Comparison, ...] = Field(description="This condition minus plain, on the same rows.")

    def cell(self, task: str | None, by: str = "all", value: str = "all") -> Cell | None:
        """One of its cells, if there is such a one."""
        return next((cell for cell in self.cells if (cell.task, cell.by, cell.value) == (task, by, value)), None)

    def few(self, task: str) -> bool:
        """Whether a task has too few episodes to tell how accuracy depends on anything, or of calibration."""
        cell = self.cell(task)
        return cell is None or cell.episodes < FEWEST_EPISODES

    def group(self, task: str, by: str) -> list[Cell]:
        """Its cells of one kind."""
        return [cell for cell in self.cells if (cell.task, cell.by) == (task, by) and cell.n]


class ValuesReport(Model):
    """Values of a run under one condition."""

    condition: str
    rows: int = Field(description="Rows that were asked.")
    invalid: int = Field(description="Answers with no number in the unit; they count as infinitely far off.")
    failed: int = Field(description="Rows that could not be answered; they do not count.")
    cells: tuple[ValueCell, ...]
    pairs: dict[str, tuple[tuple[float, float], ...]] = Field(
        description="By task: the true value of each thing and the one that was said, by all of its views pooled."
    )


class RunReport(Model):
    """One run."""

    name: str
    files: tuple[str, ...]
    model: str
    adapter: str | None
    marks: tuple[str, ...] = Field(description="What must stand beside every number of this run.")
    missing: int | None = Field(description="Rows without an answer yet; null where the data set is not at hand.")
    notes: tuple[str, ...]
    settings: dict[str, JsonValue] | None = Field(description="run.json; null for the public original's files.")
    conditions: tuple[ConditionReport, ...] = Field(description="The first one is what the run is judged by.")
    values: tuple[ValuesReport, ...] = Field(default=(), description="The same for questions that ask for values.")
    flips: dict[str, FlipConsistency] = Field(
        description="By task, where the choices were also asked in the other order."
    )

    @property
    def main(self) -> ConditionReport:
        """What the run is judged by."""
        return self.conditions[0]

    @property
    def condition(self) -> str:
        """Its condition."""
        return self.main.condition

    @property
    def tasks(self) -> list[str]:
        """Its tasks."""
        values = (cell.task for part in self.values for cell in part.cells)
        return list(dict.fromkeys((*(cell.task for cell in self.main.cells if cell.task is not None), *values)))


class RunComparison(Model):
    """Two runs that answered the same rows."""

    a: str
    b: str
    tuned: bool = Field(description="Whether b is a with an adapter.")
    results: tuple[Comparison, ...] = Field(description="b minus a.")


class Report(Model):
    """Runs side by side."""

    version: str = Field(description="Version of hpvqa that made the report.")
    created: str = Field(description="When it was made, UTC.")
    command: tuple[str, ...] = Field(description="The words of the command that made it.")
    runs: tuple[RunReport, ...]
    comparisons: tuple[RunComparison, ...]
    shifts: tuple[RunShift, ...] = Field(description="Runs on shifts, beside those on usual episodes.")
    notes: tuple[str, ...]

    @property
    def tasks(self) -> list[str]:
        """All tasks, in the order in which they are registered."""
        found = dict.fromkeys(task for run in self.runs for task in run.tasks)
        return [*(task for task in TASKS if task in found), *(task for task in found if task not in TASKS)]


def measure(runs: Sequence[Run], *, command: Sequence[str], created: str, seed: int = 0) -> Report:
    """Work out everything.

    Args:
        runs: The runs, in the order in which they are shown.
        command: The words of the command that asks for it.
        created: The time, in words.
        seed: Seed of all resampling.
    """
    comparisons, notes = _compare(runs, seed)
    shifts, alone = run_shifts(runs, seed)
    return Report(
        version=hpvqa.__version__,
        created=created,
        command=tuple(command),
        runs=tuple(_run(run, seed) for run in runs),
        comparisons=tuple(comparisons),
        shifts=tuple(shifts),
        notes=(*notes, *alone),
    )


def _run(run: Run, seed: int) -> RunReport:
    plain, view = run.conditions.get(PLAIN.name, []), views_of(run)
    # A run that was asked for values alone is judged by no comparison.
    asked = run.conditions or {run.main_condition: []}
    return RunReport(
        name=run.name,
        files=tuple(printable(str(file)) for file in run.files),
        model=run.model,
        adapter=run.adapter,
        marks=run.marks,
        missing=run.missing,
        notes=run.notes,
        settings=None if run.settings is None else run.settings.model_dump(mode="json"),
        conditions=tuple(_condition(name, rows, plain, view, seed) for name, rows in asked.items()),
        values=tuple(_values(name, rows, seed) for name, rows in run.values.items()),
        flips=_flips(plain, run.conditions.get("swap", []), seed),
    )


def _condition(
    name: str,
    rows: Sequence[Prediction],
    plain: Sequence[Prediction],
    view: Callable[[Prediction], View | None],
    seed: int,
) -> ConditionReport:
    by_task = {task: [row for row in rows if row.task == task] for task in dict.fromkeys(row.task for row in rows)}
    curves = {task: bins for task, of_task in by_task.items() if (bins := tuple(reliability(of_task, seed=seed)))}
    fits = {task: fit for task, of_task in by_task.items() if (fit := _psychometric(of_task, seed)) is not None}
    changes = [] if name == PLAIN.name or not _shared(plain, rows) else compare(plain, rows, seed=seed)
    return ConditionReport(
        condition=name,
        rows=len(rows),
        invalid=sum(row.invalid for row in rows),
        failed=sum(row.error is not None for row in rows),
        cells=tuple(score(rows, seed=seed)),
        bias=tuple(bias(rows, seed=seed)),
        reliability=curves,
        psychometric=fits,
        cameras=tuple(camera_tests(rows)),
        perspective=tuple(perspectives(rows, view, seed=seed)),
        changes=tuple(changes),
    )


def _values(name: str, rows: Sequence[Estimate], seed: int) -> ValuesReport:
    answered = [row for row in rows if row.error is None]
    pooled = pooled_values(answered) or answered
    return ValuesReport(
        condition=name,
        rows=len(rows),
        invalid=sum(row.invalid for row in rows),
        failed=len(rows) - len(answered),
        cells=tuple(score_values(rows, seed=seed)),
        pairs={
            task: tuple(
                (row.answer, row.prediction) for row in pooled if row.task == task and row.prediction is not None
            )
            for task in dict.fromkeys(row.task for row in pooled)
        },
    )


def _flips(plain: Sequence[Prediction], swap: Sequence[Prediction], seed: int) -> dict[str, FlipConsistency]:
    found = {}
    for task in dict.fromkeys(row.task for row in swap):
        pair = [[row for row in rows if row.task == task] for rows in (plain, swap)]
        if _shared(*pair):
            found[task] = flip_consistency(*pair, seed=seed)
    return found


def _psychometric(rows: Sequence[Prediction], seed: int) -> Psychometric | None:
    known = [(row.gap, row.is_correct, row.cluster) for row in rows if row.gap is not None and row.error is None]
    if not known:
        return None
    gaps, correct, clusters = zip(*known, strict=True)
    return fit_psychometric(gaps, correct, clusters, seed=seed)


def _compare(runs: Sequence[Run], seed: int) -> tuple[list[RunComparison], list[str]]:
    """Compare each two runs that answered the same rows, and say which could not be."""
    found: list[RunComparison] = []
    notes: list[str] = []
    for a, b in combinations(runs, 2):
        if a.shift != b.shift:
            # Of one model, they stand beside each other in a table of their own.
            continue
        if a.fingerprint != b.fingerprint:
            notes.append(f"{a.name} and {b.name} are about different data sets, so they are not compared.")
        elif a.main_condition != b.main_condition:
            asked = f"{a.name} was asked under the condition {a.main_condition}, {b.name} under {b.main_condition}"
            notes.append(f"{asked}, so they are not compared.")
        elif not _shared(a.main, b.main):
            notes.append(f"{a.name} and {b.name} answered no row in common, so they are not compared.")
        else:
            if is_tuned(b, a):
                a, b = b, a
            results = compare(a.main, b.main, seed=seed)
            found.append(RunComparison(a=a.name, b=b.name, tuned=is_tuned(a, b), results=tuple(results)))
    return found, notes


def is_tuned(a: Run, b: Run) -> bool:
    """Whether the second run is the model of the first with an adapter."""
    return a.settings is not None and a.base == b.base and a.adapter is None and b.adapter is not None


def _shared(a: Sequence[Prediction], b: Sequence[Prediction]) -> bool:
    """Whether both answered a row in common."""
    names = [{row.asked for row in rows if row.error is None} for rows in (a, b)]
    return bool(names[0] & names[1])
