"""The tables of docs/results.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

from benchmarks.results.steps import COLLECTIONS, DATASETS, LOOKS, SEEDS

from hpvqa.evaluate.compare import compare
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.score import Cell
from hpvqa.evaluate.statistics.interval import Interval
from hpvqa.evaluate.statistics.permutation import holm
from hpvqa.report.measure import RunReport, measure
from hpvqa.report.reading import read_runs
from hpvqa.scene.spec import SIDES
from research.page import begin, table

BEGIN = begin("python -m benchmarks.results")
NAMES = {
    look: sampler if sampler == "motion" else f"{sampler}, {fps:.3g} a second"
    for look, (sampler, fps, _) in LOOKS.items()
}

LIKE_RECIPE = ("uniform", "large")
"""Trainings that look as the recipe says: on the small data set, and on the large one."""


class Results:
    """Runs of one lab.

    Args:
        runs: Folder of the runs.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs

    def there(self, names: Iterable[str]) -> list[str]:
        """Those of some runs that were made."""
        return [name for name in names if (self._runs / name).is_dir()]

    def of(self, name: str) -> RunReport:
        """One run, measured."""
        return measure(read_runs([self._runs / name]), command=(), created="").runs[0]

    def text(self, scores: Path) -> str:
        """All tables.

        Args:
            scores: What the base scores on its visible questions.
        """
        return "\n\n".join(
            [
                "## Which cube is heavier",
                self._accuracy(["push-base", *(f"push-{seed}" for seed in SEEDS)]),
                "By camera, single views:",
                self._cameras([f"push-{seed}" for seed in SEEDS]),
                "## Which sphere is more elastic",
                self._samplers(),
                "By the difference of both restitutions:",
                self._by("drop", "gap", self.there(f"drop-{look}-{seed}" for look in LIKE_RECIPE for seed in SEEDS)),
                "On the same episodes, three seeds together (p of equal accuracy by episode, Holm over all pairs):",
                self._pairs(),
                "## The adapter that comes with the package",
                self._accuracy(["both-push", "both-drop"], ("swap", "blank", "single", "shuffle")),
                "## Response bias and order of the choices",
                "In the form of the paper's Table 4: accuracy by the true answer.",
                self._bias(),
                "## Controls",
                self._accuracy(
                    [f"{task}-{control}" for task in ("push", "drop") for control in ("random-base", "shuffled")],
                ),
                "## Visible questions",
                _visible(scores),
            ]
        )

    def _accuracy(self, names: Sequence[str], others: Sequence[str] = ("swap", "blank")) -> str:
        rows = []
        for name in self.there(names):
            run = self.of(name)
            conditions = {condition.condition: condition for condition in run.conditions}
            (own,) = run.tasks
            single, pooled = run.main.cell(own), run.main.cell(own, "pooled", "all views")
            counts = [_count(conditions[other].cell(own)) for other in others]
            rows.append([f"`{name}`", _cell(single), _cell(pooled), *counts])
        return table(["run", "one view", "all views pooled", *(f"`{other}`" for other in others)], rows)

    def _cameras(self, names: Sequence[str]) -> str:
        return self._by("push", "camera", names)

    def _by(self, task: str, grouping: str, names: Sequence[str]) -> str:
        runs = [self.of(name).main.group(task, grouping) for name in names]
        return table(
            [grouping, *(f"`{name}`" for name in names)],
            [[f"`{cells[0].value}`", *map(_cell, cells)] for cells in zip(*runs, strict=True)],
        )

    def _samplers(self) -> str:
        rows = [["`drop-base`", "18", "none", _cell(self.of("drop-base").main.cell("drop")), "", "", ""]]
        for look, episodes in (
            *((look, _episodes("drop-train")) for look in LOOKS),
            ("large", _episodes("drop-large")),
        ):
            names = [f"drop-{look}-{seed}" for seed in SEEDS]
            cells = [self.of(name).main.cell("drop") if self.there([name]) else None for name in names]
            seen = "uniform" if look == "large" else look
            oracle = self.of(f"oracle-{seen}").main.cell("drop")
            rows.append([NAMES[seen], str(LOOKS[seen][2]), episodes, *map(_cell, cells), _cell(oracle)])
        return table(["look", "frames", "trained on", *(f"seed {seed}" for seed in SEEDS), "frame oracle"], rows)

    def _pairs(self) -> str:
        whole = [look for look in LOOKS if len(self.there(f"drop-{look}-{seed}" for seed in SEEDS)) == len(SEEDS)]
        rows = {look: list(self._seeds(look)) for look in whole}
        found = [(a, b, compare(rows[a], rows[b])[0]) for a, b in combinations(whole, 2)]
        corrected = holm([result.p for _, _, result in found])
        return table(
            ["", "difference", "95 %", "p", "p (Holm)"],
            [
                [f"{b} - {a}", f"{result.difference:+.3f}", _interval(result.interval), f"{result.p:.4f}", f"{p:.4f}"]
                for (a, b, result), p in zip(found, corrected, strict=True)
            ],
        )

    def _seeds(self, look: str) -> Iterator[Prediction]:
        """Answers of all seeds as rows of one run: names differ by seed, episodes do not."""
        for seed in SEEDS:
            (run,) = read_runs([self._runs / f"drop-{look}-{seed}"])
            for row in run.main:
                yield row.model_copy(update={"file_name": f"{seed}/{row.file_name}"})

    def _bias(self) -> str:
        names = ["push-base", *(f"push-{seed}" for seed in SEEDS), "drop-base"]
        names += [f"drop-{look}-{seed}" for look in (*LOOKS, "large") for seed in SEEDS]
        names += ["both-push", "both-drop"]
        rows = []
        for name in self.there(names):
            run = self.of(name)
            (task,) = run.tasks
            (leaning,) = run.main.bias
            sides = [_cell(run.main.cell(task, "side", side)) for side in SIDES]
            rows.append(
                [
                    f"`{name}`",
                    *sides,
                    _number(leaning.said_left),
                    _number(leaning.d_prime),
                    _number(leaning.criterion),
                    _number(run.flips[task].rate),
                ]
            )
        columns = ["run", "true left", "true right", "says left", "d′", "criterion", "same answer under `swap`"]
        return table(columns, rows)


def _episodes(dataset: str) -> str:
    count = sum(COLLECTIONS[part][1] for part in DATASETS[dataset])
    return f"{count:,} episodes{'' if dataset == 'drop-train' else ', also flipped'}"


def _visible(scores: Path) -> str:
    rows = [
        [
            f"{entry['task']}: {entry['question']}",
            f"{entry['right']:.3f} ({entry['interval']['low']:.3f}–{entry['interval']['high']:.3f})",
            f"{entry['clips']}",
            f"{entry['episodes']}",
        ]
        for entry in json.loads(scores.read_text(encoding="utf-8"))
    ]
    return table(["question", "accuracy, one clip", "clips", "episodes"], rows)


def _count(cell: Cell | None) -> str:
    return "" if cell is None else f"{cell.correct}/{cell.n}"


def _cell(cell: Cell | None) -> str:
    if cell is None or cell.accuracy is None or cell.interval is None:
        return ""
    return f"{cell.correct}/{cell.n} = {cell.accuracy:.3f} ({_interval(cell.interval)})"


def _interval(interval: Interval) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
