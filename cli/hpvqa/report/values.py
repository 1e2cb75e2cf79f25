"""Hidden values of published clips: files in the public original's form that hold values and no answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hpvqa.dataset.public import first_of, read_row
from hpvqa.dataset.rows import Cluster
from hpvqa.errors import UsageError
from hpvqa.evaluate.prediction import Prediction
from hpvqa.files import read_bytes
from hpvqa.plain import parse_json

Values = Mapping[Cluster, tuple[float, float]]
"""Hidden values of the left and the right object of an episode."""


def holds_values(file: Path) -> bool:
    """Whether the first line of a file has values and no prediction."""
    try:
        line = read_bytes(file).partition(b"\n")[0]
        data = parse_json(line)
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and isinstance(data.get("values"), dict) and "prediction" not in data


def read_values(files: Iterable[Path]) -> Values:
    """Read files of values.

    Raises:
        UsageError: A line has no values, or others than an earlier one of its episode; the message names the first and
            how many.
    """
    found: dict[Cluster, tuple[float, float]] = {}
    bad: list[str] = []
    for file in files:
        for number, line in enumerate(read_bytes(file).splitlines(), 1):
            try:
                row = read_row(line)
                if row.values is None:
                    raise ValueError("has no values of two things")
                source = (row.folders or (file.parent.resolve().name,))[-1]
                if found.setdefault((row.task, source, row.episode), row.values) != row.values:
                    raise ValueError("has other values than an earlier line of the same episode")
            except ValueError as error:
                bad.append(f"{file} line {number} {error}")
    if bad:
        raise UsageError(first_of(bad))
    return found


def with_gaps(predictions: Sequence[Prediction], values: Values) -> tuple[list[Prediction], list[str]]:
    """Answers with the gap between both hidden values where it is known, and what is worth knowing about that."""
    known = [row for row in predictions if row.cluster in values]
    against = {row.cluster for row in known if _larger(values[row.cluster]) not in (None, row.answer)}
    unknown = {row.cluster for row in predictions} - values.keys()
    notes = []
    if unknown:
        notes.append(f"the files of values hold none of {len(unknown)} episodes, such as {_words(min(unknown))}")
    if against:
        notes.append(
            f"the values of {len(against)} episodes contradict their answers, such as {_words(min(against))}; the "
            "answers count"
        )
    joined = [
        row.model_copy(update={"gap": abs(values[row.cluster][0] - values[row.cluster][1])})
        if row.cluster in values
        else row
        for row in predictions
    ]
    return joined, notes


def _larger(values: tuple[float, float]) -> str | None:
    left, right = values
    return None if left == right else "left" if left > right else "right"


def _words(cluster: Cluster) -> str:
    _, source, episode = cluster
    return f"{source} {episode}"
