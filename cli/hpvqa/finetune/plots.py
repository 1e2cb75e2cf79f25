"""Pictures of a training: loss and accuracy over the steps."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from hpvqa.errors import MissingDependencyError
from hpvqa.install import pip_install
from hpvqa.vlm.training_record import read_metrics


def draw_training(metrics: Path, out: Path, chance: float | None = 0.5) -> list[Path]:
    """Draw what ``metrics.jsonl`` holds.

    Args:
        metrics: The file.
        out: Folder of the pictures.
        chance: The accuracy of guessing; None: it is not known.

    Returns:
        The pictures, PNG.

    Raises:
        MissingDependencyError: Matplotlib is not installed.
    """
    # Without a home folder it says at length where its cache is.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingDependencyError(f"Plots need Matplotlib; run: {pip_install('plot')}") from None
    mpl.use("agg")
    lines = read_metrics(metrics)
    curves = {"training": _curve(lines, "loss"), "validation": _curve(lines, "eval_loss")}
    accuracy = _curve(lines, "eval_accuracy")
    loss_file, accuracy_file = out / "loss.png", out / "accuracy.png"
    _draw(curves, "loss of the answer's tokens", loss_file)
    if not accuracy[0]:
        # Of descriptions, the loss alone is measured.
        return [loss_file]
    _draw({"validation": accuracy}, "accuracy", accuracy_file, (0.0, 1.02), chance)
    return [loss_file, accuracy_file]


Curve = tuple[list[int], list[float]]


def _curve(lines: list[dict[str, Any]], name: str) -> Curve:
    found = [(line["step"], line[name]) for line in lines if name in line]
    return [step for step, _ in found], [value for _, value in found]


def _draw(
    curves: dict[str, Curve],
    label: str,
    path: Path,
    limits: tuple[float, float] | None = None,
    line: float | None = None,
) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for (name, (steps, values)), color in zip(
        curves.items(), ("#9aa5b1", "#0b6e99") if len(curves) > 1 else ("#0b6e99",), strict=True
    ):
        marker = "o" if len(values) <= 40 and name == "validation" else ""
        axes.plot(steps, values, label=name, color=color, marker=marker, markersize=4, linewidth=1.6)
    if limits is not None:
        axes.set_ylim(*limits)
    if line is not None:
        axes.axhline(line, color="#c0c6cc", linewidth=1, linestyle="--")
    axes.set_xlabel("step")
    axes.set_ylabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e5e8eb", linewidth=0.8)
    if len(curves) > 1:
        axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
