"""A plot of an episode's trajectory with its events."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import MissingDependencyError
from hpvqa.install import pip_install
from hpvqa.probes.events import Span
from hpvqa.record.episode import TRAJECTORY_FILE, EpisodeRecord
from hpvqa.record.marks import color_of
from hpvqa.record.moments import spans
from hpvqa.record.sheet import title
from hpvqa.record.trajectory import read_trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = {"first_touch": ">", "held": "D", "release": "s", "impact": "v", "apex": "^", "rest": "o"}


def plot_trajectory(folder: Path, record: EpisodeRecord) -> Figure:
    """Draw what the things and the gripper did, with events marked where they were found.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        RunError: The trajectory cannot be read.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError(f"Plots need matplotlib; run: {pip_install('plot')}") from None
    rows = read_trajectory(folder / TRAJECTORY_FILE, record.spec.names)
    figure = Figure(figsize=(10, 6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    _draw_objects(top, record, rows)
    _draw_robot(bottom, rows)
    figure.suptitle(title(record), fontsize=10)
    return figure


def _draw_objects(axes: Axes, record: EpisodeRecord, rows: Mapping[str, NDArray[np.float64]]) -> None:
    probe, names = record.task.probe, record.spec.names
    component = "xyz".index(probe.axis)
    for name in names:
        axes.plot(rows["time"], 100 * rows[f"{name}_{probe.axis}"], color=color_of(name, names), label=name)
    labelled = set()
    for event in record.events:
        kind = event.kind.replace("_", " ")
        axes.plot(
            event.t,
            100 * event.position[component],
            _MARKERS[event.kind],
            color=color_of(event.object, names),
            markerfacecolor="white",
            label=None if kind in labelled else kind,
        )
        labelled.add(kind)
    for name, span in spans(record).items():
        _draw_span(axes, span, component, color_of(name, names))
    axes.set_ylabel(f"{probe.axis_label} [cm]")
    axes.margins(y=0.1)
    axes.grid(alpha=0.3)
    axes.legend(ncols=2, fontsize=8)


def _draw_span(axes: Axes, span: Span, component: int, color: str) -> None:
    """An arrow as long as the object went, at the moment when it had, and its length in words."""
    low, high = (100 * end[component] for end in (span.start, span.end))
    ends = {"arrowstyle": "<->", "color": color, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (span.t, high), (span.t, low), arrowprops=ends)
    # Above and after the end, where neither a fall nor a later bounce comes.
    axes.annotate(span.words, (span.t, high), (5, 6), textcoords="offset points", color=color, weight="bold")


def _draw_robot(axes: Axes, rows: Mapping[str, NDArray[np.float64]]) -> None:
    for axis, style in (("x", "-"), ("y", "--"), ("z", ":")):
        axes.plot(rows["time"], 100 * rows[f"ee_{axis}"], style, color="#333333", label=f"gripper {axis}")
    axes.set_ylabel("gripper [cm]")
    axes.set_xlabel("time [s]")
    axes.grid(alpha=0.3)
    axes.legend(ncols=3, fontsize=8)
