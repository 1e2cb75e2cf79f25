"""Running one episode and writing down what happens: a client of the simulator's protocol."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import hpvqa
from hpvqa.record.episode import TRAJECTORY_FILE, CameraRecord, EpisodeRecord, VideoRecord
from hpvqa.record.trajectory import row, write_trajectory
from hpvqa.record.video import ClipWriter
from hpvqa.scene.spec import SIDES, EpisodeSpec, Side, Vec3
from hpvqa.sim.events import EventDetector
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import Simulator, State
from hpvqa.tasks import TASKS


def record_episode(
    simulator: Simulator,
    spec: EpisodeSpec,
    folder: Path,
    *,
    fps: int,
    resolution: tuple[int, int] | None,
    on_frames: Callable[[int], None] = lambda count: None,
) -> EpisodeRecord:
    """Run an episode and write its clips and trajectory.

    Args:
        simulator: Where the episode happens.
        spec: What it is.
        folder: An existing, empty folder for the files.
        fps: Frame rate of the clips and of the trajectory's rows; it divides the physics rate.
        resolution: Width and height of the clips [pixels]; None to record no clips.
        on_frames: Called with the number of frames just rendered.

    Returns:
        The record of the episode; the checksums of its files are still missing.
    """
    task = TASKS[spec.task]
    planner = Planner(task.waypoints(spec))
    frames = round(planner.duration * fps)
    steps = round(1.0 / (fps * simulator.timestep))
    detector = EventDetector(spec, simulator.timestep)
    rows = []

    simulator.reset(spec, planner.command(0.0))
    state = simulator.state()
    detector.update(state)
    with ExitStack() as stack:
        clips: dict[str, ClipWriter] = {}
        if resolution is not None:
            for camera in spec.cameras:
                clips[camera.name] = stack.enter_context(ClipWriter(folder / f"{camera.name}.mp4", fps, *resolution))
        # Encoding goes on beside the simulation, at most one moment behind it. It leaves before the clips are closed.
        encoder = stack.enter_context(ThreadPoolExecutor(max_workers=1))
        encoding: list[Future[None]] = []
        for frame in range(frames):
            rows.append(row(state))
            images = {name: simulator.render(name).copy() for name in clips}
            for earlier in encoding:
                earlier.result()
            encoding = [encoder.submit(clip.write, images[name]) for name, clip in clips.items()]
            on_frames(len(clips))
            for step in range(frame * steps, (frame + 1) * steps):
                simulator.step(planner.command(step * simulator.timestep))
                state = simulator.state()
                detector.update(state)
        for last in encoding:
            last.result()
    write_trajectory(folder / TRAJECTORY_FILE, rows)

    events = detector.events()
    return EpisodeRecord(
        spec=spec,
        outcome=task.check(spec, events, final_positions(state)),
        events=events,
        duration=planner.duration,
        video=None
        if resolution is None
        else VideoRecord(fps=fps, width=resolution[0], height=resolution[1], frames=frames),
        cameras=() if resolution is None else tuple(CameraRecord.of(camera, *resolution) for camera in spec.cameras),
        files={},
        versions={"hpvqa": hpvqa.__version__, "av": version("av"), **simulator.versions()},
    )


def final_positions(state: State) -> dict[Side, Vec3]:
    """Where both objects are."""
    found: dict[Side, Vec3] = {}
    for side in SIDES:
        x, y, z = state.objects[side].position
        found[side] = (float(x), float(y), float(z))
    return found
