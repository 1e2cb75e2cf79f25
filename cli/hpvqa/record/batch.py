"""Running many episodes side by side and writing down what happens: a client of the batch simulator's protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from hpvqa.record.encoders import EncoderPool
from hpvqa.record.episode import EpisodeRecord
from hpvqa.record.writing import EpisodeWriter
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.batch import BatchSimulator


def record_batch(
    simulator: BatchSimulator,
    specs: Sequence[EpisodeSpec],
    folders: Sequence[Path],
    *,
    fps: int,
    resolution: tuple[int, int] | None,
    encoders: EncoderPool,
    on_frames: Callable[[int], None] = lambda count: None,
) -> list[EpisodeRecord]:
    """Run episodes of one task and write their clips and trajectories, frame by frame.

    No more frames are in memory than those of the moment and those that wait for an encoder.

    Args:
        simulator: Where the episodes happen.
        specs: What they are; as many as the simulator has places, or fewer.
        folders: An existing, empty folder for each.
        fps: Frame rate.
        resolution: Width and height of the clips [pixels]; None to record no clips.
        encoders: Who encodes.
        on_frames: Called with the number of frames just rendered.

    Returns:
        The records of the episodes; the checksums of their files are still missing.
    """
    writers = [
        EpisodeWriter(spec, folder, fps, resolution, simulator.timestep)
        for spec, folder in zip(specs, folders, strict=True)
    ]
    simulator.reset(specs, [writer.planner.command(0.0) for writer in writers])
    now = simulator.states()
    for writer, state in zip(writers, now, strict=True):
        writer.see(state)
    with ExitStack() as stack:
        clips = [writer.open_clips(stack) for writer in writers]
        # Called last, and so before the clips are closed, also when something failed: nobody writes to them then.
        stack.callback(encoders.flush)
        for frame in range(writers[0].frames):
            for writer, state in zip(writers, now, strict=True):
                writer.add_row(state)
            for camera in clips[0]:
                # Copied, for the next call may overwrite it; each encoder gets a row of the one copy.
                for own, image in zip(clips, simulator.images(camera).copy(), strict=True):
                    encoders.write(own[camera], image)
            on_frames(len(clips) * len(clips[0]))
            first = frame * simulator.substeps
            times = [step * simulator.timestep for step in range(first, first + simulator.substeps)]
            passed = simulator.advance([[writer.planner.command(time) for time in times] for writer in writers])
            for writer, states in zip(writers, passed, strict=True):
                for state in states:
                    writer.see(state)
            now = [states[-1] for states in passed]
    versions = simulator.versions()
    finished = zip(writers, now, simulator.troubles(), strict=True)
    return [writer.finish(state, versions, trouble) for writer, state, trouble in finished]
