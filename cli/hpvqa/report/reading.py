"""Finding out what a path on the command line is, and reading it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hpvqa.errors import UsageError
from hpvqa.evaluate.folder import RUN_FILE
from hpvqa.report.folder import read_folder
from hpvqa.report.published import group_files, read_files
from hpvqa.report.source import Run
from hpvqa.report.values import holds_values, read_values


def read_runs(paths: Sequence[Path], datasets: Sequence[Path] = ()) -> list[Run]:
    """Read runs, in the order in which they are named.

    Args:
        paths: Folders of runs, or prediction files in the public original's form; such files that differ only in task
            and side are one run. Files in that form that hold hidden values and no predictions belong to all of them.
        datasets: Where the data sets of runs may be, besides where they were.

    Raises:
        UsageError: A path is no run, or holds no answers.
        RunError: A file is damaged.
    """
    folders = {path: folder for path in paths if (folder := _run_folder(path)) is not None}
    stated = [path for path in paths if path not in folders and holds_values(path)]
    groups = group_files([path for path in paths if path not in folders and path not in stated])
    if stated and not groups:
        raise UsageError(f"{stated[0]} holds hidden values and no answers; give the files of predictions, too")
    values = read_values(stated) if stated else None
    runs: list[Run] = []
    for path in dict.fromkeys(paths):
        if path in folders:
            runs.append(read_folder(folders[path], datasets))
        elif path in groups:
            runs.append(read_files(*groups[path], values))
    return _told_apart(runs)


def _run_folder(path: Path) -> Path | None:
    """The run that a path names by its folder or by a file in it; None for a file that belongs to none."""
    ways = "give the folder of a run, or a file of predictions"
    try:
        if (path / RUN_FILE).is_file():
            return path
        if path.is_file():
            return path.parent if (path.parent / RUN_FILE).is_file() else None
        if path.is_dir():
            way = f"name those in it: {path}/*" if any(path.glob(f"*/{RUN_FILE}")) else "make one with `hpvqa eval`"
            raise UsageError(f"{path} is not a run: it has no {RUN_FILE}; {way}")
        there = path.exists()
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error}); {ways}") from None
    raise UsageError(f"{path} {'is neither a folder nor a regular file' if there else 'does not exist'}; {ways}")


def _told_apart(runs: Sequence[Run]) -> list[Run]:
    """The same runs, with more of the path in the names of those that would be called alike."""
    names = [run.name for run in runs]
    apart = [
        run if names.count(run.name) == 1 else replace(run, name=f"{run.files[0].resolve().parent.name}/{run.name}")
        for run in runs
    ]
    taken: dict[str, int] = {}
    for number, run in enumerate(apart):
        taken[run.name] = taken.get(run.name, 0) + 1
        if taken[run.name] > 1:
            apart[number] = replace(run, name=f"{run.name} ({taken[run.name]})")
    return apart
