"""Figures with two axes: accuracy against gap, the criterion against d′, and calibration."""

from __future__ import annotations

import re
import sys

import numpy as np

from hpvqa.evaluate.score import Cell
from hpvqa.evaluate.statistics.interval import FEWEST_EPISODES, Interval
from hpvqa.report.html.scores import label
from hpvqa.report.html.svg import Chart
from hpvqa.report.html.text import figure, figures, words
from hpvqa.report.measure import Report, RunReport
from hpvqa.report.tables.words import share
from hpvqa.tasks import TASKS

_STEPS = 80


def gap_figures(report: Report) -> str:
    """One figure a task: accuracy in bins of the gap, and the psychometric curve fitted to all rows."""
    drawn, few = [], list[str]()
    for task in report.tasks:
        known = [(number, run) for number, run in enumerate(report.runs) if run.main.group(task, "gap")]
        few += [too_few(task, run) for _, run in known if run.main.few(task)]
        shown = [(number, run) for number, run in known if not run.main.few(task)]
        cells = [(number, run, cell) for number, run in shown for cell in run.main.group(task, "gap")]
        if not cells:
            continue
        widest = max(_edges(cell)[1] for _, _, cell in cells) or 1.0
        hidden = TASKS[task].quantity() if task in TASKS else "hidden value"
        chart = Chart((0.0, min(1.03 * widest, sys.float_info.max)), (0.0, 1.0), f"difference of {hidden}", "accuracy")
        chart.level(0.5, "half")
        for number, run in shown:
            if (fit := run.main.psychometric.get(task)) is not None:
                x = np.linspace(0.0, widest, _STEPS).tolist()
                chart.curve(x, fit.curve(x), number, faint=not fit.rises)
        for number, run, cell in cells:
            low, high = (None, None) if cell.interval is None else (cell.interval.low, cell.interval.high)
            # Runs stand a little apart, so that their intervals can be told apart.
            x = sum(_edges(cell)) / 2 + (number - (len(report.runs) - 1) / 2) * 0.012 * widest
            tip = f"{run.name}, gap {cell.value}: {share(cell.accuracy)} ({cell.correct}/{cell.n})"
            chart.point(x, cell.accuracy or 0.0, low, high, number, tip)
        title = f"{task}, by gap"
        caption = (
            "Bins with 95 % intervals over episodes, and the psychometric curve fitted to all rows; it is thin where "
            "accuracy does not rise beyond chance."
        )
        drawn.append(figure(title, chart.drawing.render(title, caption), caption))
    return figures(drawn) + "".join(few)


def value_figures(report: Report) -> str:
    """One figure a task: what was said of each thing against what is true."""
    drawn = []
    for task in report.tasks:
        known = [
            (number, run.name, part.pairs[task])
            for number, run in enumerate(report.runs)
            for part in run.values
            if part.condition == run.condition and part.pairs.get(task)
        ]
        if not known:
            continue
        truths = [truth for _, _, pairs in known for truth, _ in pairs]
        margin = 0.08 * (max(truths) - min(truths) or abs(truths[0]))
        # A wild guess stays at the border: the scale is that of the truth.
        span = (min(truths) - margin, max(truths) + margin)
        name = f"{TASKS[task].hidden.replace('_', ' ')} [{TASKS[task].asked_unit}]" if task in TASKS else "value"
        chart = Chart(span, span, f"true {name.removesuffix(' []')}", "said")
        chart.slope("half")
        for number, run, pairs in known:
            for truth, said in pairs:
                chart.point(truth, said, None, None, number, f"{run}: said {said:.3g}, true {truth:.3g}", 3.0)
        title = f"{task}, values"
        caption = "One mark a thing, all of its views pooled. On the dashed line, what is said is true."
        drawn.append(figure(title, chart.drawing.render(title, caption), caption))
    return figures(drawn)


def lean_figures(report: Report) -> str:
    """One figure a task: how well the sides are told apart, and which one is preferred."""
    drawn = []
    for task in report.tasks:
        points = [
            (
                number,
                run.name,
                _ends(found.criterion, found.criterion_interval),
                _ends(found.d_prime, found.d_prime_interval),
            )
            for number, run in enumerate(report.runs)
            for found in run.main.bias
            if found.task == task and found.criterion is not None
        ]
        if not points:
            continue
        wide = 1.1 * max(1.0, *(abs(end) for _, _, c, _ in points for end in c))
        bottom, top = (edge(0.0, *(end for *_, d in points for end in d)) for edge in (min, max))
        tall = (1.1 * min(bottom, -0.5), 1.1 * max(top, 1.0))
        chart = Chart((-wide, wide), tall, "criterion: ← left · right →", "d′")
        chart.upright(0.0, "half")
        chart.level(0.0, "half")
        for number, name, (c_low, c, c_high), (d_low, d, d_high) in points:
            chart.across(c_low, c_high, d, number)
            chart.point(c, d, d_low, d_high, number, f"{name}: c {c:+.2f}, d′ {d:.2f}")
        title = f"{task}, criterion and d′"
        caption = (
            "Up: the model separates left from right better. Off the middle: it prefers one side whatever it is shown. "
            "Bars: 95 % intervals over episodes."
        )
        drawn.append(figure(title, chart.drawing.render(title, caption), caption))
    return figures(drawn)


def too_few(task: str, run: RunReport) -> str:
    """What stands in place of a figure that would show nothing but noise."""
    cell = run.main.cell(task)
    episodes = 0 if cell is None else cell.episodes
    return words(
        f"{task}, {label(run)}: too few episodes to tell ({episodes} of at least {FEWEST_EPISODES}).", "p", "note"
    )


def _ends(value: float | None, interval: Interval | None) -> tuple[float, float, float]:
    """A value between the ends of its interval; all the same where there is none."""
    middle = 0.0 if value is None else value
    return (middle, middle, middle) if interval is None else (interval.low, middle, interval.high)


def calibration_figures(report: Report) -> str:
    """One figure a task: how often left was true where it was said to have some probability."""
    drawn, few = [], list[str]()
    for task in report.tasks:
        known = [(number, run) for number, run in enumerate(report.runs) if run.main.reliability.get(task)]
        few += [too_few(task, run) for _, run in known if run.main.few(task)]
        curves = [(number, run) for number, run in known if not run.main.few(task)]
        if not curves:
            continue
        chart = Chart((0.0, 1.0), (0.0, 1.0), "predicted P(left)", "observed share of left")
        chart.slope("half")
        for number, run in curves:
            bins = run.main.reliability[task]
            chart.curve([found.p_left for found in bins], [found.left for found in bins], number)
            most = max(found.n for found in bins)
            for found in bins:
                tip = f"{run.name}: said {found.p_left:.2f}, true {found.left:.2f}, {found.n} rows, "
                tip += f"{found.episodes} episodes"
                size = 2.5 + 3.5 * (found.n / most) ** 0.5
                chart.point(found.p_left, found.left, found.interval.low, found.interval.high, number, tip, size)
        title = f"{task}, calibration"
        caption = "On the dashed line, predicted probabilities match observed frequencies. Larger marks: more rows."
        drawn.append(figure(title, chart.drawing.render(title, caption), caption))
    return figures(drawn) + "".join(few)


def _edges(cell: Cell) -> tuple[float, float]:
    low, high = (float(number) for number in re.findall(r"\d+(?:\.\d+)?(?:e\+\d+)?", cell.value))
    return low, high
