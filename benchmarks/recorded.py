"""Measuring on episodes that are recorded first, or on those of a data folder."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def run(doc: str | None, wanted: Sequence[str], measure: Callable[[Path, Path], Mapping[str, float | str]]) -> None:
    """Read the command line, record episodes unless it names some, and print all figures, as one line of JSON last.

    Args:
        doc: What ``--help`` says.
        wanted: What to record, as words of ``hpvqa collect``.
        measure: Takes the folder of the episodes and an empty one.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="Folder of episodes; by default some are recorded.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        data = options.data
        if data is None:
            data = Path(name) / "data"
            subprocess.run([sys.executable, "-m", "hpvqa", "collect", *wanted, "--out", str(data)], check=True)
        found = measure(data, Path(name))
    for figure, value in found.items():
        print(f"{figure}: {value}" if isinstance(value, str) else f"{figure}: {value:.4g}")
    print(json.dumps(found))
