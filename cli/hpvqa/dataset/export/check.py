"""Files of a data set compared with its manifest, before anything is made of them."""

from __future__ import annotations

from collections.abc import Sequence

from hpvqa.dataset.load import Dataset
from hpvqa.dataset.verify import problem_of
from hpvqa.errors import RunError
from hpvqa.progress.reporter import Reporter

_SHOWN = 3


def check_files(dataset: Dataset, names: Sequence[str], reporter: Reporter) -> None:
    """Raise if files are not as they were when the data set was made.

    Args:
        dataset: The data set.
        names: Paths of the files, relative to it.
        reporter: Told of every file.

    Raises:
        RunError: The message names the files that are missing or damaged.
    """
    bad = []
    reporter.start("check", "files", len(names))
    for name in names:
        record = dataset.manifest.files.get(name)
        ok = record is not None and problem_of(dataset.root, name, record) is None
        reporter.item(name, ok=ok)
        if not ok:
            bad.append(name)
    reporter.done()
    if bad:
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise RunError(
            f"Missing or damaged in {dataset.root}: {', '.join(bad[:_SHOWN])}{more}; nothing was exported: "
            f"see `hpvqa verify {dataset.root}`, and build the data set again"
        )
