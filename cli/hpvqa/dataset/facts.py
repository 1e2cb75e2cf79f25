"""What can be said of a data set by rule: for its card, and for the machine-readable description beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from hpvqa.dataset.rows import AnyRow, Row, ValueRow
from hpvqa.dataset.splits import Split
from hpvqa.scene.spec import Side

OWN_LICENCE = "apache-2.0"
"""Licence of data of our own, if nobody says otherwise: that of the robot's model that is seen in them."""
FOREIGN_LICENCE = "unknown"
"""That of data which others have made."""
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))

DESCRIPTION = "Clips of a robot that acts on things, and questions about their hidden physical properties."
_LIMITS = (
    "The answer is in how things move. A program that measures motion in the pictures may answer as well as a model "
    "that understands them; compare with `hpvqa eval --backend baseline`.",
    "Questions are in English, in few wordings.",
)
_OUR_LIMITS = (
    "One robot, one room and things of one shape each: who answers well here need not do so about filmed robots.",
    "Things that are compared look alike.",
    "Hidden values are drawn from fixed ranges, and both answers are about equally frequent, as nowhere in the world.",
)
_FOREIGN_LIMITS = (
    "What the clips show, and how it was chosen, is known to whoever made them; hpvqa has not checked it.",
    "Answers need not be equally frequent: always giving the same one may score well.",
)
_MEASURED_LIMITS = ("Hidden values are as exact as they were measured; where they are close, the answer may be wrong.",)


def size_category(rows: int) -> str:
    """The Hub's word for a number of rows."""
    return next((word for least, word in _SIZES if rows < least), "n>10M")


def is_ours(rows: Mapping[Split, Sequence[AnyRow]]) -> bool:
    """Whether these are episodes of our own, and none that were imported."""
    return all(row.seed is not None for found in rows.values() for row in found)


def is_measured(rows: Mapping[Split, Sequence[AnyRow]]) -> bool:
    """Whether these are filmed episodes, of which a file of labels says what was measured."""
    found = [row for of_split in rows.values() for row in of_split]
    return all(row.seed is None and row.original_question is None for row in found)


def limits(rows: Mapping[Split, Sequence[AnyRow]]) -> tuple[str, ...]:
    """What a reader must know before drawing conclusions."""
    if is_ours(rows):
        return (*_OUR_LIMITS, *_LIMITS)
    return (*_FOREIGN_LIMITS, *(_MEASURED_LIMITS if is_measured(rows) else ()), *_LIMITS)


def making(rows: Mapping[Split, Sequence[AnyRow]], source: str) -> str:
    """How the clips and the answers came about."""
    if is_measured(rows):
        return (
            f"Filmed: imported by hpvqa from `{source}`, which says how its clips were made. The hidden values were "
            "measured, and stand in a file of labels that was given with the clips; the answers follow from them."
        )
    if not is_ours(rows):
        return f"Imported by hpvqa from `{source}`, which says how its clips were made; answers are those given there."
    found = [row for of_split in rows.values() for row in of_split]
    versions = ", ".join(sorted({row.version for row in found if row.version is not None})) or "unknown"
    seeds = ", ".join(map(str, sorted({row.seed for row in found if row.seed is not None})))
    return (
        f"Simulated with hpvqa (version {versions}; seed {seeds}). A plan draws the hidden values before anything "
        "moves, and the answer follows from the plan; an episode in which the simulator contradicts it is left out. "
        "The same seed and versions give the same clips. Beside the clips of an episode lies what else was recorded."
    )


def baselines(rows: Mapping[Split, Sequence[AnyRow]]) -> list[tuple[str, str, str, float, int]]:
    """What answering without looking scores on the evaluation split, as learnt from the training split.

    Returns:
        Task, what is always answered, the measure, its value, and how many rows it is of; in the order of the tasks.
    """
    found: list[tuple[str, str, str, float, int]] = []
    train, held = rows.get("train", ()), rows.get("eval", ())
    for task in dict.fromkeys(row.task for row in held):
        known = [row.answer for row in train if isinstance(row, Row) and row.task == task]
        asked = [row.answer for row in held if isinstance(row, Row) and row.task == task]
        if known and asked:
            side: Side = "left" if known.count("left") >= known.count("right") else "right"
            found.append((task, side, "accuracy", asked.count(side) / len(asked), len(asked)))
        values = [row.value for row in train if isinstance(row, ValueRow) and row.task == task]
        truths = [row.value for row in held if isinstance(row, ValueRow) and row.task == task]
        if values and truths:
            mean = fmean(values)
            near = sum(abs(mean - truth) <= 0.25 * abs(truth) for truth in truths)
            found.append((task, f"{mean:.3g}", "within a quarter", near / len(truths), len(truths)))
    return found
