"""``hpvqa export rerun``: one episode as a recording of the Rerun viewer, its clips embedded as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import MissingDependencyError, RunError, UsageError, nearest
from hpvqa.files import file_record, read_bytes, replacing
from hpvqa.install import pip_install
from hpvqa.record.episode import TRAJECTORY_FILE, CameraRecord, EpisodeRecord, read_episode
from hpvqa.record.marks import color_of
from hpvqa.record.moments import spans
from hpvqa.record.sheet import title
from hpvqa.record.trajectory import read_trajectory
from hpvqa.scene.room import TABLE_CENTER, TABLE_HALF
from hpvqa.scene.spec import Thing

TIME = "time"
"""The timeline: seconds since the start of the episode."""
_AXES = ("x", "y", "z")
_FRUSTUM = 0.12
"""How far in front of a camera its picture is drawn in the 3-D view [m]."""
_EYE = (1.6, -1.1, 0.8)
"""From where the 3-D view shows the table at first [m]."""

Rows = Mapping[str, NDArray[np.float64]]


def export_episode(folder: Path, out: Path, cameras: Collection[str] = ()) -> EpisodeRecord:
    """Write an episode into a new file, whole or not at all.

    Args:
        folder: The episode.
        out: The file.
        cameras: The only cameras whose clips are embedded; none: all.

    Returns:
        The record of the episode.

    Raises:
        MissingDependencyError: Rerun is not installed.
        UsageError: The folder holds no episode, or no clip of such a camera.
        RunError: A file of the episode is damaged, or the disk does not take the recording.
    """
    try:
        import rerun as rr
    except ImportError:
        raise MissingDependencyError(f"Recordings for Rerun need its library; run: {pip_install('rerun')}") from None
    record = read_episode(folder)
    shown = _chosen(record, cameras)
    rows = read_trajectory(folder / TRAJECTORY_FILE, record.spec.names)
    clips = {camera.camera.name: _clip(folder, record, camera.camera.name) for camera in shown}
    spec = record.spec
    # The same episode is the same recording: a viewer that has it open shows the new one in its place.
    stream = rr.RecordingStream("hpvqa", recording_id=f"hpvqa-{spec.task}-{spec.seed}-{spec.index}")
    with replacing(out) as draft:
        stream.save(draft, default_blueprint=_blueprint(record, shown))
        stream.send_recording_name(f"{spec.task} episode {spec.index} (seed {spec.seed})")
        try:
            _log_room(stream, record)
            _log_things(stream, record, rows)
            _log_gripper(stream, rows)
            _log_curves(stream, record, rows)
            _log_events(stream, record)
            _log_words(stream, record)
            for camera in shown:
                _log_camera(stream, record, camera, clips[camera.camera.name])
            stream.flush()
        finally:
            stream.disconnect()
    return record


def _chosen(record: EpisodeRecord, cameras: Collection[str]) -> list[CameraRecord]:
    there = {one.camera.name: one for one in record.cameras}
    for name in cameras:
        if name not in there:
            raise UsageError(f"The episode has no clip of a camera {name!r}; {nearest(name, there)}")
    return [one for name, one in there.items() if not cameras or name in cameras]


def _clip(folder: Path, record: EpisodeRecord, camera: str) -> bytes:
    """A clip's file as it is."""
    path = folder / f"{camera}.mp4"
    try:
        if file_record(path) == record.files.get(path.name):
            return read_bytes(path)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
    raise RunError(f"{path} is not what was recorded; `hpvqa verify` says what else is damaged")


def _times(seconds: NDArray[np.float64]) -> list[Any]:
    import rerun as rr

    return [rr.TimeColumn(TIME, duration=seconds)]


def _log_room(stream: Any, record: EpisodeRecord) -> None:
    import rerun as rr

    stream.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    table = rr.Boxes3D(
        centers=[(*TABLE_CENTER, -TABLE_HALF[2])],
        half_sizes=[TABLE_HALF],
        colors=[_rgb(record.spec.room.table)],
        fill_mode="solid",
    )
    stream.log("world/table", table, static=True)


def _log_things(stream: Any, record: EpisodeRecord, rows: Rows) -> None:
    import rerun as rr

    for thing in record.spec.things:
        path = f"world/things/{thing.name}"
        stream.log(path, _shape(thing), static=True)
        _send_poses(stream, path, rows, f"{thing.name}_")
        way = np.stack([rows[f"{thing.name}_{axis}"] for axis in _AXES], axis=1)
        color = _hex(color_of(thing.name, record.spec.names))
        stream.log(f"world/paths/{thing.name}", rr.LineStrips3D([way], colors=[color], radii=[0.001]), static=True)


def _shape(thing: Thing) -> Any:
    """A thing about its own centre. A cover and a spring are drawn as the box around them."""
    import rerun as rr

    half = [part / 2 for part in thing.size]
    look = {"colors": [_rgb(thing.color)], "labels": [thing.name], "show_labels": False, "fill_mode": "solid"}
    if thing.shape == "sphere":
        return rr.Ellipsoids3D(half_sizes=[half], **look)
    if thing.shape == "cylinder":
        return rr.Cylinders3D(lengths=[thing.size[2]], radii=[half[0]], **look)
    return rr.Boxes3D(half_sizes=[half], **look)


def _log_gripper(stream: Any, rows: Rows) -> None:
    import rerun as rr

    _send_poses(stream, "world/gripper", rows, "ee_")
    stream.log("world/gripper", rr.TransformAxes3D(0.06), static=True)
    way = np.stack([rows[f"ee_{axis}"] for axis in _AXES], axis=1)
    stream.log("world/paths/gripper", rr.LineStrips3D([way], colors=[_hex("#888888")], radii=[0.0007]), static=True)


def _send_poses(stream: Any, path: str, rows: Rows, prefix: str) -> None:
    import rerun as rr

    places = np.stack([rows[f"{prefix}{axis}"] for axis in _AXES], axis=1)
    # Ours has w first, Rerun's has it last.
    turns = np.stack([rows[f"{prefix}q{part}"] for part in (*_AXES, "w")], axis=1)
    columns = rr.Transform3D.columns(translation=places, quaternion=turns)
    stream.send_columns(path, indexes=_times(rows["time"]), columns=columns)


def _log_curves(stream: Any, record: EpisodeRecord, rows: Rows) -> None:
    probe, names = record.task.probe, record.spec.names
    for name in names:
        color = color_of(name, names)
        _send_curve(stream, f"curves/position/{name}", rows["time"], 100 * rows[f"{name}_{probe.axis}"], color)
        speed = np.sqrt(sum(rows[f"{name}_v{axis}"] ** 2 for axis in _AXES))
        _send_curve(stream, f"curves/speed/{name}", rows["time"], speed, color)
    for axis, color in zip(_AXES, ("#D62728", "#2CA02C", "#1F77B4"), strict=True):
        _send_curve(stream, f"curves/gripper/{axis}", rows["time"], 100 * rows[f"ee_{axis}"], color)
    _send_curve(stream, "curves/robot/gripper", rows["time"], rows["gripper"], "#333333")
    for number in range(1, 8):
        _send_curve(stream, f"curves/robot/joint_{number}", rows["time"], rows[f"joint_{number}"], None)


def _send_curve(
    stream: Any, path: str, seconds: NDArray[np.float64], values: NDArray[np.float64], color: str | None
) -> None:
    import rerun as rr

    name = path.rsplit("/", 1)[1]
    stream.log(path, rr.SeriesLines(names=[name], colors=None if color is None else [_hex(color)]), static=True)
    stream.send_columns(path, indexes=_times(seconds), columns=rr.Scalars.columns(scalars=values))


def _log_events(stream: Any, record: EpisodeRecord) -> None:
    """What happened: a line of text, and a point in the 3-D view from then on."""
    import rerun as rr

    words = dict(record.task.probe.story)
    for number, event in enumerate(record.events):
        stream.set_time(TIME, duration=event.t)
        text = f"{event.object} {words.get(event.kind, event.kind.replace('_', ' '))}"
        stream.log("events", rr.TextLog(text, level=rr.TextLogLevel.INFO))
        color = _hex(color_of(event.object, record.spec.names))
        point = rr.Points3D([event.position], radii=[0.004], colors=[color], labels=[text], show_labels=False)
        stream.log(f"world/events/{number:02d}_{event.object}_{event.kind}", point)
    stream.reset_time()


def _log_words(stream: Any, record: EpisodeRecord) -> None:
    """The question, and apart from it what answers it."""
    import rerun as rr

    task = record.task
    markdown = rr.MediaType.MARKDOWN
    question = f'# {task.title}\n\n{task.question}\n\n*The answer is behind the tab "truth".*'
    stream.log("question", rr.TextDocument(question, media_type=markdown), static=True)
    lines = [title(record), *(f"{name} moved {span.words}" for name, span in spans(record).items())]
    stream.log("truth", rr.TextDocument("\n\n".join(lines), media_type=markdown), static=True)


def _log_camera(stream: Any, record: EpisodeRecord, camera: CameraRecord, clip: bytes) -> None:
    """Pose, intrinsics and the clip, each of whose frames is shown at its own time."""
    import rerun as rr

    assert record.video is not None  # noqa: S101 - a camera record goes with a clip
    path = f"world/cameras/{camera.camera.name}"
    w, x, y, z = camera.camera.quat_wxyz
    turn = rr.Quaternion(xyzw=[x, y, z, w])
    stream.log(path, rr.Transform3D(translation=camera.camera.position, quaternion=turn), static=True)
    pinhole = rr.Pinhole(
        focal_length=[camera.fx, camera.fy],
        principal_point=[camera.cx, camera.cy],
        resolution=[record.video.width, record.video.height],
        # It looks along its -z, and y is up.
        camera_xyz=rr.ViewCoordinates.RUB,
        image_plane_distance=_FRUSTUM,
    )
    stream.log(path, pinhole, static=True)
    asset = rr.AssetVideo(contents=clip, media_type="video/mp4")
    stream.log(path, asset, static=True)
    shown = asset.read_frame_timestamps_nanos()
    stream.send_columns(path, indexes=_times(shown * 1e-9), columns=rr.VideoFrameReference.columns_nanos(shown))


def _blueprint(record: EpisodeRecord, cameras: Sequence[CameraRecord]) -> Any:
    """How the viewer opens: the room and the clips above, curves and events below, the answer behind a tab."""
    import rerun.blueprint as rrb

    probe = record.task.probe
    eye = rrb.EyeControls3D(position=_EYE, look_target=(*TABLE_CENTER, 0.1), eye_up=(0.0, 0.0, 1.0))
    room = rrb.Spatial3DView(origin="world", name="room", eye_controls=eye)
    clips = [rrb.Spatial2DView(origin=f"world/cameras/{one.camera.name}", name=one.camera.name) for one in cameras]
    curves = rrb.Tabs(
        rrb.TimeSeriesView(origin="curves/position", name=f"{probe.axis_label} [cm]"),
        rrb.TimeSeriesView(origin="curves/speed", name="speed [m/s]"),
        rrb.TimeSeriesView(origin="curves/gripper", name="gripper [cm]"),
        rrb.TimeSeriesView(origin="curves/robot", name="joints [rad]"),
    )
    body = rrb.encodings.TextLogColumn(kind="Body", visible=True)
    words = rrb.Tabs(
        rrb.TextLogView(origin="events", name="events", columns=rrb.TextLogColumns(text_log_columns=[body])),
        rrb.TextDocumentView(origin="question", name="question"),
        rrb.TextDocumentView(origin="truth", name="truth"),
    )
    above = rrb.Horizontal(room, rrb.Grid(*clips), column_shares=[2, 3]) if clips else room
    below = rrb.Horizontal(curves, words, column_shares=[3, 2])
    return rrb.Blueprint(
        rrb.Vertical(above, below, row_shares=[3, 2]),
        rrb.TimePanel(timeline=TIME, state="collapsed"),
        rrb.SelectionPanel(state="collapsed"),
        rrb.BlueprintPanel(state="collapsed"),
    )


def _rgb(color: tuple[float, float, float]) -> tuple[int, ...]:
    return tuple(round(255 * part) for part in color)


def _hex(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color.removeprefix("#")))
