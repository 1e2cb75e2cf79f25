"""Several runs of agents, scored and compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from hpvqa.errors import UsageError, printable
from hpvqa.explore.runs.folder import RunSettings, read_run
from hpvqa.explore.scores.compare import Comparison, compare
from hpvqa.explore.scores.measure import Scores, measure
from hpvqa.explore.scores.split import Split, splits
from hpvqa.plain import Model


class RunReport(Model):
    """One run."""

    name: str
    settings: RunSettings
    scores: Scores
    by_family: dict[str, Scores]
    held_out: Scores | None = Field(description="Of the types that are kept for evaluation; null: none was played.")


class Report(Model):
    """Several runs."""

    runs: tuple[RunReport, ...]
    comparisons: tuple[Comparison, ...]
    splits: tuple[Split, ...]


def report(folders: Sequence[Path]) -> Report:
    """Score and compare runs.

    Args:
        folders: Their folders.

    Raises:
        UsageError: A folder is no run, or two are the same.
        RunError: A file is damaged.
    """
    read = [read_run(folder) for folder in folders]  # first: names of links that lead nowhere cannot be resolved
    names = [printable(folder.resolve().name) for folder in folders]
    if len(set(names)) < len(names):
        names = [printable(str(folder)) for folder in folders]
    if len(set(names)) < len(names):
        raise UsageError("A run is named twice; name each once")
    found = dict(zip(names, read, strict=True))
    runs = []
    for name, (settings, played) in found.items():
        families = dict.fromkeys(one.ending.family for one in played)
        held_out = [one for one in played if one.ending.held_out]
        runs.append(
            RunReport(
                name=name,
                settings=settings,
                scores=measure(played, settings.condition),
                by_family={
                    family: measure([one for one in played if one.ending.family == family], settings.condition)
                    for family in families
                },
                held_out=measure(held_out, settings.condition) if held_out else None,
            )
        )
    return Report(
        runs=tuple(runs),
        comparisons=compare({name: played for name, (_, played) in found.items()}),
        splits=splits(list(found.values())),
    )
