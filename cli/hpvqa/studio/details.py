"""All that a page shows of one episode, as plain data: what happened, the plan, the truth, and where it is from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import HpvqaError
from hpvqa.record.episode import RECORD_FILE, TRAJECTORY_FILE, EpisodeRecord, read_episode
from hpvqa.record.moments import spans
from hpvqa.record.trajectory import read_trajectory
from hpvqa.scene.spec import Thing
from hpvqa.studio.entry import Entry
from hpvqa.studio.force import soft_force

_MOST_ROWS = 4000
"""Of a trajectory that is drawn; of a longer one, only every second row or fewer."""
_DIGITS = 4
_FEWEST = 2
"""Rows that make a curve."""

Array = NDArray[np.float64]


def details(root: Path, entry: Entry) -> dict[str, Any]:
    """What is known of an episode beyond its entry; parts that are damaged say so under ``trouble``.

    Args:
        root: What the entry's paths are relative to.
        entry: The episode.
    """
    shown = _basic(entry)
    if entry.state == "damaged" or not entry.recorded:
        return shown
    folder = root / entry.key

    def named(error: object) -> str:
        """What is wrong, without the place of this machine that it is at."""
        return str(error).replace(str(folder), entry.key)

    try:
        record = read_episode(folder)
        shown |= _recorded(record)
    except (HpvqaError, OSError) as error:
        return {**shown, "trouble": [*shown["trouble"], named(error)]}
    except (ArithmeticError, LookupError, ValueError):
        return {**shown, "trouble": [*shown["trouble"], f"{entry.key}/{RECORD_FILE}: its plan does not fit its task"]}
    if record.checksum != record.digest():
        shown["trouble"].append(
            f"{entry.key}/{RECORD_FILE} was changed after it was recorded: its checksum is not its own"
        )
    try:
        shown |= _moving(record, read_trajectory(folder / TRAJECTORY_FILE, record.spec.names), entry)
    except HpvqaError as error:
        shown["trouble"].append(named(error))
    return shown


def _basic(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "task": entry.task,
        "number": entry.number,
        "split": entry.split,
        "state": entry.state,
        "trouble": [] if entry.why is None else [entry.why],
        "question": entry.question,
        "clips": [{"camera": camera, "file": name} for camera, name in entry.clips.items()],
        "fps": entry.fps,
        "frames": entry.frames,
        "size": entry.size,
        "events": [],
        "things": [],
        "truth": {"answer": entry.answer, "facts": [[f"Hidden, {name}", said] for name, said in entry.values.items()]},
        "facts": [["Source", entry.source], *([["Seed", str(entry.seed)]] if entry.seed is not None else [])],
    }


def _recorded(record: EpisodeRecord) -> dict[str, Any]:
    spec, task = record.spec, record.task
    return {
        "title": task.title,
        "things": [{"name": thing.name, "words": _looks(thing), "color": _css(thing.color)} for thing in spec.things],
        "events": _events(record),
        "plan": _plan(record),
        "truth": {"answer": task.answer(spec), "facts": _truth(record)},
        "facts": _facts(record),
    }


def _events(record: EpisodeRecord) -> list[dict[str, Any]]:
    """What happened, by time, in the words of the probe where it has some."""
    words = dict(record.task.probe.story)
    return [
        {
            "t": event.t,
            "thing": event.object,
            "words": f"{event.object} {words.get(event.kind, event.kind.replace('_', ' '))}",
            "story": event.kind in words,
        }
        for event in sorted(record.events, key=lambda event: event.t)
    ]


def _plan(record: EpisodeRecord) -> list[dict[str, Any]]:
    """What the robot was told to do, with the time at which each movement begins."""
    found: list[dict[str, Any]] = []
    time = 0.0
    for point in record.task.waypoints(record.spec):
        place = ", ".join(f"{100 * part:.1f}" for part in point.position)
        found.append(
            {"t": time, "phase": point.phase, "thing": point.thing or "", "seconds": point.duration, "to": place}
        )
        time += point.duration
    return found


def _truth(record: EpisodeRecord) -> list[list[str]]:
    spec, task, outcome = record.spec, record.task, record.outcome
    hidden = task.hidden.replace("_", " ")
    facts = [[f"{hidden.capitalize()}, {name}", task.words_for(task.hidden_value(spec, name))] for name in spec.names]
    facts.append(["Gap", f"{task.gap(spec):.3g}"])
    if outcome.measurement is not None:
        quantity = outcome.measurement.quantity.replace("_", " ")
        facts += [
            [f"Measured {quantity}, {name}", f"{value:.4g}"] for name, value in outcome.measurement.values.items()
        ]
    facts += [[f"Distance moved, {name}", span.words] for name, span in spans(record).items()]
    facts += [[f"All that is hidden, {thing.name}", _hidden(thing)] for thing in spec.things]
    return facts


def _hidden(thing: Thing) -> str:
    parts = [f"mass {thing.mass:.3g} kg", f"friction {thing.friction:.3g}", f"restitution {thing.restitution:.3g}"]
    parts += [f"stiffness {thing.stiffness:.3g} N/m"] if thing.stiffness is not None else []
    if any(thing.center_of_mass):
        parts.append(f"centre of mass {', '.join(f'{1000 * part:.1f}' for part in thing.center_of_mass)} mm off")
    return ", ".join(parts)


def _looks(thing: Thing) -> str:
    size = " x ".join(f"{100 * part:.3g}" for part in thing.size)
    return f"{thing.words}, {size} cm"


def _facts(record: EpisodeRecord) -> list[list[str]]:
    spec = record.spec
    facts = [
        ["Seed", f"{spec.seed}, episode {spec.index}, attempt {spec.attempt}"],
        ["Order", ", then ".join(spec.order)],
        ["Camera rig", spec.rig],
        ["Changed for testing", spec.shift or "nothing"],
        ["Lamp [m]", ", ".join(f"{part:.2f}" for part in spec.light.position)],
        ["Length", f"{record.duration:.2f} s"],
    ]
    if record.video is not None:
        video = record.video
        facts.append(["Clips", f"{video.width}x{video.height} pixels, {video.fps} a second, {video.frames} frames"])
    facts += [[f"Attempt {failed.attempt} failed", failed.reason] for failed in record.failed_attempts]
    facts.append(["Versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())])
    facts.append(["SHA-256 of the record", record.checksum])
    return facts


def _css(color: Sequence[float]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in color)


def _moving(record: EpisodeRecord, rows: Mapping[str, Array], entry: Entry) -> dict[str, Any]:
    """What moved, how, in curves over time and as paths in space."""
    count = len(rows["time"])
    if count < _FEWEST:
        return {}
    step = -(-count // _MOST_ROWS)
    rows = {name: column[::step] for name, column in rows.items()}
    names, probe = record.spec.names, record.task.probe
    velocity = {name: np.stack([rows[f"{name}_v{axis}"] for axis in "xyz"]) for name in names}
    # Older recordings do not hold what the robot was told.
    told = {"commanded": rows["command_gripper"]} if "command_gripper" in rows else {}
    charts = [
        _chart(f"{probe.axis_label} [cm]", {name: 100 * rows[f"{name}_{probe.axis}"] for name in names}),
        _chart("speed [cm/s]", {name: 100 * np.linalg.norm(velocity[name], axis=0) for name in names}),
        _chart("gripper [cm]", {axis: 100 * rows[f"ee_{axis}"] for axis in "xyz"}),
        {**_chart("gripper closed, 0 to 1", {"closed": rows["gripper"], **told}), "span": [0, 1]},
    ]
    if told:
        behind = {axis: 100 * (rows[f"command_{axis}"] - rows[f"ee_{axis}"]) for axis in "xyz"}
        charts.insert(3, _chart("gripper behind its command [cm]", behind))
    force = soft_force(record, rows)
    if np.isfinite(force).any():
        charts.insert(2, _chart("force of the soft arm [N]", dict(zip("xyz", force, strict=True))))
    paths = {name: [rows[f"{name}_{axis}"] for axis in "xyz"] for name in names}
    paths["gripper"] = [rows[f"ee_{axis}"] for axis in "xyz"]
    span = float(rows["time"][-1] - rows["time"][0])
    still = {} if entry.frames else {"frames": count, "fps": (count - 1) / span if span > 0 else 1.0}
    return {
        "times": _numbers(rows["time"]),
        "charts": charts,
        "paths": [
            {"name": name, "points": [list(point) for point in zip(*map(_numbers, axes), strict=True)]}
            for name, axes in paths.items()
        ],
        **still,
    }


def _chart(title: str, lines: Mapping[str, Array]) -> dict[str, Any]:
    return {"title": title, "lines": [{"name": name, "values": _numbers(values)} for name, values in lines.items()]}


def _numbers(values: Array) -> list[float | None]:
    """Numbers to a few digits, as JSON has them: what is not finite is null."""
    return [float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None for value in values.tolist()]
