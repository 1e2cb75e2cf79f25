"""What stands out in published predictions, in words, with what makes each sure or unsure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hpvqa.dataset.rows import Cluster
from hpvqa.evaluate.perspective import Perspective, in_picture
from hpvqa.evaluate.statistics.interval import Interval
from hpvqa.evaluate.statistics.permutation import sign_flip_p
from hpvqa.report.measure import Report, RunReport
from hpvqa.report.source import Run
from hpvqa.report.views import views_of


def sentences(runs: Sequence[Run], report: Report) -> list[str]:
    """What each run does in each task.

    Args:
        runs: The runs.
        report: What was measured of them.
    """
    tests = sum(len(run.main.perspective) for run in report.runs)
    return [
        sentence
        for task in report.tasks
        for run, found in zip(runs, report.runs, strict=True)
        if task in found.tasks
        for sentence in (*_one_side(found, task), *_perspective(run, found, task, tests), *_cameras(found, task))
    ]


def _one_side(run: RunReport, task: str) -> Iterator[str]:
    """Whether one side is said nearly always, so that accuracy is the share of episodes where it is true."""
    leaning = next(bias for bias in run.main.bias if bias.task == task)
    interval = leaning.said_left_interval
    if leaning.said_left is None or interval is None or leaning.balanced_interval is None:
        return
    side, share = ("left", leaning.said_left) if leaning.said_left >= 0.5 else ("right", 1 - leaning.said_left)
    if share >= 0.9:
        yield (
            f"**{run.name}, {task}: nearly always {side}**, in {share:.3f} of the answers. By the mean accuracy of "
            f"both true sides it is at {leaning.balanced_accuracy:.3f} ({_ends(leaning.balanced_interval)})."
        )


def _perspective(run: Run, found: RunReport, task: str, tests: int) -> Iterator[str]:
    """Whether the picture's left and right explain the answers."""
    for one in found.main.perspective:
        if one.task != task:
            continue
        if one.sentence is None:
            yield f"**{found.name}, {task}**: the picture's left and right do not explain the answers ({_counts(one)})."
            continue
        p = picture_p(run, task)
        yield (
            f"**{found.name}, {one.sentence}** That answers agree with the picture's left and right so much more often "
            f"than not: p = {p:.1g} (sign flip of whole episodes, two-sided), {min(p * tests, 1.0):.1g} after "
            f"correction for {tests} runs and tasks."
        )


def _counts(one: Perspective) -> str:
    both = next(seen for seen in one.views if seen.view == "both")
    return f"robot's {both.robot.correct}, picture's {both.picture.correct} of {both.n}"


def picture_p(run: Run, task: str) -> float:
    """Two-sided p of the hypothesis that an answer is as often correct as wrong in the picture's left and right."""
    view = views_of(run)
    sums: dict[Cluster, int] = {}
    for row in run.main:
        seen = view(row) if row.task == task and row.error is None else None
        if seen is not None:
            sums[row.cluster] = sums.get(row.cluster, 0) + (1 if in_picture(row, seen).is_correct else -1)
    return sign_flip_p(list(sums.values()))


def _cameras(run: RunReport, task: str) -> Iterator[str]:
    """Cameras by which answers go with the truth, or against it."""
    for verdict, words in (("below", "against the truth"), ("above", "with the truth")):
        found = [test for test in run.main.cameras if (test.task, test.verdict) == (task, verdict)]
        if found:
            names = ", ".join(f"`{test.camera}` (p = {test.p_holm:.1g})" for test in found)
            yield f"**{run.name}, {task}**: answers go {words} by {names}; Fisher's exact test, Holm over cameras."


def _ends(interval: Interval) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}"
