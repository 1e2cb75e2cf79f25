"""Reading prediction files in the public original's form: one JSON object a line, a file a task and side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from hpvqa.dataset.public import first_of, read_row
from hpvqa.errors import UsageError, printable
from hpvqa.evaluate.conditions import PLAIN
from hpvqa.evaluate.prediction import Prediction
from hpvqa.files import read_bytes
from hpvqa.plain import parse_json
from hpvqa.report.source import Run
from hpvqa.report.values import Values, with_gaps
from hpvqa.scene.spec import SIDES, Side
from hpvqa.vlm.strict import parse_choice

_BETWEEN_WORDS = re.compile(r"[^A-Za-z0-9.]+|(?<!\d)\.|\.(?!\d)")
"""A point between digits belongs to a version."""
_REVERSED = frozenset({"rev", "reversed"})
"""Words of a file's name that say that the choices were named in the other order, be it in the system prompt alone."""
_NO_NAME = frozenset(
    [
        *("push", "drop", "cube", "cubes", "sphere", "spheres", "l", "r", "left", "right"),
        *("result", "results", "prediction", "predictions", "test", "eval"),
        *_REVERSED,
    ]
)
"""Words of a file's name that say which part of a run it holds, not whose run it is."""


def group_files(paths: Sequence[Path]) -> dict[Path, tuple[str, list[Path]]]:
    """Name and files of each run, by its first file: those in one folder whose names differ only in task and side."""
    groups: dict[tuple[Path, str], list[Path]] = {}
    for path in dict.fromkeys(paths):
        groups.setdefault((path.parent, run_name(path)), []).append(path)
    return {files[0]: (name, files) for (_, name), files in groups.items()}


def run_name(path: Path) -> str:
    """The words of a file's name that say whose predictions it holds; all of them if none does."""
    words = _BETWEEN_WORDS.split(path.stem)
    return "-".join(word for word in words if word and word.lower() not in _NO_NAME) or path.stem


def read_files(name: str, files: Sequence[Path], values: Values | None = None) -> Run:
    """Read the files of one run.

    Args:
        name: What to call it.
        files: Its predictions.
        values: Hidden values of episodes, if any are known.

    Raises:
        UsageError: A file is of another form, or there is no row; the message names the first line and how many.
    """
    latest: dict[tuple[object, ...], Prediction] = {}
    bad: list[str] = []
    notes: list[str] = []
    rows = disagree = 0
    for file in files:
        reverse = not _REVERSED.isdisjoint(_BETWEEN_WORDS.split(file.stem.lower()))
        for number, line in enumerate(read_bytes(file).splitlines(), 1):
            try:
                prediction, stored = _read_line(line)
            except ValueError as error:
                bad.append(f"{file} line {number} {error}")
                continue
            if reverse:
                prediction = prediction.model_copy(update={"condition": "swap"})
            rows += 1
            disagree += stored != prediction.is_correct
            latest[(prediction.condition, prediction.cluster, prediction.camera)] = prediction
    if bad:
        raise UsageError(f"{first_of(bad)}; give the folder of a run, or files in the public original's form")
    if not latest:
        raise UsageError(f"{files[0]} holds no answers; give the folder of a run, or a file of predictions")
    if disagree:
        notes.append(f"is_correct contradicts a strict reading of the answer in {disagree} rows; the latter counts")
    if rows > len(latest):
        notes.append(f"{rows - len(latest)} clips are answered more than once; the latest answer counts")
    predictions = list(latest.values())
    if values is not None:
        predictions, more = with_gaps(predictions, values)
        notes += more
    return Run(printable(name), tuple(files), None, tuple(predictions), notes=tuple(notes))


def _read_line(line: bytes) -> tuple[Prediction, bool]:
    """One answer, and whether the file calls it right.

    Raises:
        ValueError: It is none; the message is the end of a sentence that says why.
    """
    row = read_row(line)
    data = parse_json(line)
    text, stored = data.get("prediction"), data.get("is_correct")
    if not isinstance(text, str) or not isinstance(stored, bool):
        raise ValueError("has no prediction and is_correct")
    choices = _order(row.question)
    choice = parse_choice(text, choices)
    prediction = Prediction(
        file_name=str(row.name),
        question=row.question,
        answer=row.answer,
        prediction=choice,
        is_correct=choice == row.answer,
        split=row.split or "eval",
        task=row.task,
        source=row.folders[-1] if row.folders else "",
        episode=row.episode,
        camera=row.camera,
        condition=PLAIN.name if choices == SIDES else "swap",
        choices=choices,
        logprobs=None,
        p_left=None,
        text=text,
        seconds=0.0,
        error=None,
    )
    return prediction, stored


def _order(question: str) -> tuple[Side, ...]:
    """The choices in the order in which a question names them."""
    words = re.findall(r"\b(left|right)\b", question)
    return ("right", "left") if words[:1] == ["right"] else SIDES
