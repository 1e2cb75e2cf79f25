"""Running episodes side by side and writing down what happens: a client of the simulator's protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from hpvqa.record.encoders import EncoderPool
from hpvqa.record.episode import EpisodeRecord
from hpvqa.record.writing import EpisodeWriter
from hpvqa.scene.layers import Layer
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.protocol import Simulator


def record_episodes(
    simulator: Simulator,
    specs: Sequence[EpisodeSpec],
    folders: Sequence[Path],
    *,
    fps: int,
    resolution: tuple[int, int] | None,
    layers: Sequence[Layer] = (),
    threads: int = 1,
    on_frames: Callable[[int], None] = lambda count: None,
) -> list[EpisodeRecord]:
    """Run episodes of one task and write their clips and trajectories, frame by frame.

    No more frames are in memory than those of the moment and those that wait for an encoder.

    Args:
        simulator: Where the episodes happen.
        specs: What they are; no more than the simulator has worlds.
        folders: An existing, empty folder for the files of each.
        fps: Frame rate of the clips and of the trajectory's rows; it divides the physics rate.
        resolution: Width and height of the clips [pixels]; None to record no clips.
        layers: What to record beside the clips.
        threads: How many clips are encoded at a time, beside the simulation.
        on_frames: Called with the number of frames just rendered.

    Returns:
        The records of the episodes; the checksums of their files are still missing.
    """
    writers = [
        EpisodeWriter(spec, folder, fps, resolution, simulator.timestep, layers)
        for spec, folder in zip(specs, folders, strict=True)
    ]
    cameras = specs[0].cameras if resolution is not None else ()
    steps = round(1.0 / (fps * simulator.timestep))
    simulator.begin(specs, [writer.planner.command(0.0) for writer in writers])
    now = simulator.states()
    for writer, state in zip(writers, now, strict=True):
        writer.see(state)
    with ExitStack() as stack:
        clips = [writer.open_clips(stack) for writer in writers]
        beside = [writer.open_layers(stack) for writer in writers]
        # Left before the clips are closed, also when something failed: nobody writes to them then.
        encoders = stack.enter_context(EncoderPool(threads))
        for frame in range(writers[0].frames):
            times = [step * simulator.timestep for step in range(frame * steps, (frame + 1) * steps)]
            commands = [[writer.planner.command(time) for time in times] for writer in writers]
            for writer, state, told in zip(writers, now, commands, strict=True):
                writer.add_row(state, told[0])
            for camera in cameras:
                for own, image in zip(clips, simulator.images(camera), strict=True):
                    encoders.write(own[camera.name], image)
                found = simulator.layers(camera, layers) if layers else {}
                for layer, pictures in found.items():
                    for files, picture in zip(beside, pictures, strict=True):
                        encoders.write(files[camera.name, layer], picture)
            on_frames(len(specs) * len(cameras))
            passed = simulator.advance(commands)
            for writer, states in zip(writers, passed, strict=True):
                for state in states:
                    writer.see(state)
            now = [states[-1] for states in passed]
    versions = simulator.versions()
    finished = zip(writers, now, simulator.troubles(), strict=True)
    return [writer.finish(state, versions, trouble) for writer, state, trouble in finished]
