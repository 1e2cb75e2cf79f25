"""Filming one episode: the physics of a recording, and clips that hold some of its frames alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path

from hpvqa.record.episode import EpisodeRecord
from hpvqa.record.writing import EpisodeWriter
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.protocol import SteppedSimulator


def film(
    simulator: SteppedSimulator,
    specs: Sequence[EpisodeSpec],
    folders: Sequence[Path],
    numbers: Collection[int],
    fps: int,
    resolution: tuple[int, int],
) -> list[EpisodeRecord]:
    """Run an episode once, and write the clips of several rigs.

    Args:
        simulator: Where it happens.
        specs: The episode, as each rig sees it: they differ in cameras alone.
        folders: An existing, empty folder for the files of each.
        numbers: Which frames the clips hold, of those that a recording at ``fps`` would.
        fps: Frame rate of that recording, and of the trajectory's rows; it divides the physics rate.
        resolution: Width and height of the clips [pixels].

    Returns:
        A record for each rig: that of the whole recording, with checksums still missing.
    """
    writers = [
        EpisodeWriter(spec, folder, fps, resolution, simulator.timestep)
        for spec, folder in zip(specs, folders, strict=True)
    ]
    planner, steps = writers[0].planner, round(1.0 / (fps * simulator.timestep))
    simulator.reset(specs[0], planner.command(0.0))
    state = simulator.state()
    for writer in writers:
        writer.see(state)
    with ExitStack() as stack:
        clips = [writer.open_clips(stack) for writer in writers]
        for frame in range(writers[0].frames):
            for writer, spec, own in zip(writers, specs, clips, strict=True):
                writer.add_row(state, planner.command(frame * steps * simulator.timestep))
                for camera in spec.cameras if frame in numbers else ():
                    own[camera.name].write(simulator.images(camera)[0])
            for step in range(frame * steps, (frame + 1) * steps):
                simulator.step(planner.command(step * simulator.timestep))
                state = simulator.state()
                for writer in writers:
                    writer.see(state)
    return [writer.finish(state, simulator.versions()) for writer in writers]
