"""Running one episode and writing down what happens: a client of the simulator's protocol."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from hpvqa.record.episode import EpisodeRecord
from hpvqa.record.writing import EpisodeWriter, final_poses
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.protocol import Simulator

__all__ = ["final_poses", "record_episode"]


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
    writer = EpisodeWriter(spec, folder, fps, resolution, simulator.timestep)
    planner = writer.planner
    steps = round(1.0 / (fps * simulator.timestep))

    simulator.reset(spec, planner.command(0.0))
    state = simulator.state()
    writer.see(state)
    with ExitStack() as stack:
        clips = writer.open_clips(stack)
        # Encoding goes on beside the simulation, at most one moment behind it. It leaves before the clips are closed.
        encoder = stack.enter_context(ThreadPoolExecutor(max_workers=1))
        encoding: list[Future[None]] = []
        for frame in range(writer.frames):
            writer.add_row(state)
            images = {camera.name: simulator.render(camera).copy() for camera in spec.cameras if camera.name in clips}
            for earlier in encoding:
                earlier.result()
            encoding = [encoder.submit(clip.write, images[name]) for name, clip in clips.items()]
            on_frames(len(clips))
            for step in range(frame * steps, (frame + 1) * steps):
                simulator.step(planner.command(step * simulator.timestep))
                state = simulator.state()
                writer.see(state)
        for last in encoding:
            last.result()
    return writer.finish(state, simulator.versions())
