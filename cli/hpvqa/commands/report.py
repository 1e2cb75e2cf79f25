"""``hpvqa report``: runs as tables, figures and a page."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.common import json_option
from hpvqa.errors import printable


@click.command(
    epilog="""\b
Examples:
  hpvqa report runs/pixels-dataset-0a1b2c3d
  hpvqa report runs/base runs/tuned --html report.html
  hpvqa report published/*.jsonl --json

Every interval is over episodes, since views of one episode are not independent. Runs that answered the same rows are
compared.
"""
)
@click.argument("paths", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with figures and failures: one file, to open anywhere.",
)
@click.option(
    "--csv", "table", type=click.Path(dir_okay=False, path_type=Path), help="Write every cell as a line of a CSV file."
)
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Where the data set of runs is now, if it is not where it was; may be given several times.",
)
@json_option
def command(
    paths: tuple[Path, ...], html: Path | None, table: Path | None, datasets: tuple[Path, ...], as_json: bool
) -> None:
    """Show the accuracy of RUNs with intervals, their response bias and calibration, and compare them.

    A RUN is the folder of a run, finished or not, or prediction files in the public original's form; such files that
    differ only in task and side are one run. Files in that form with hidden values (masses, restitutions) and no
    predictions, named beside them, say how far apart these are.
    """
    import sys
    import time

    from hpvqa.commands.explore_report import show
    from hpvqa.dataset.load import open_dataset
    from hpvqa.errors import UsageError
    from hpvqa.explore.runs.folder import is_run
    from hpvqa.files import PAGE, check_output
    from hpvqa.progress.console import PlainConsole
    from hpvqa.report.cells import BEGINS, write_csv
    from hpvqa.report.measure import measure
    from hpvqa.report.reading import read_runs

    for path, begins in ((html, PAGE), (table, BEGINS)):
        if path is not None:
            check_output(path, begins)
    if all(map(is_run, paths)):
        for name, given in (("--csv", table is not None), ("--dataset", bool(datasets))):
            if given:
                raise UsageError(f"{name} is for runs on data sets, and these are runs of agents; leave it out")
        show(paths, html, as_json)
        return
    for folder in datasets:
        # One that none of the runs is of is passed over; what is no data set is a mistake.
        open_dataset(folder)
    runs = read_runs(paths, datasets)
    created = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    report = measure(runs, command=("hpvqa", *map(printable, sys.argv[1:])), created=created)
    if table is not None:
        write_csv(report, table)
    if html is not None:
        from hpvqa.report.html.page import write_page

        write_page(report, runs, html)
    if as_json:
        click.echo(report.model_dump_json(indent=2))
        return
    from hpvqa.commands.report_table import print_report

    print_report(report, PlainConsole())
    for path in (table, html):
        if path is not None:
            click.echo(printable(f"Written: {path}"))
