"""A child process: starts a simulator and makes batch after batch of episodes."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from errno import EDQUOT, ENOSPC
from pathlib import Path

from hpvqa.collect.exchange import ChildExchange
from hpvqa.collect.messages import Batch, Made, Rendered, Reply, Setup, Trouble, counts
from hpvqa.errors import HpvqaError, RunError, UsageError
from hpvqa.processes import hear_again
from hpvqa.record.episode import EpisodeRecord, episode_dir, episode_name, publish
from hpvqa.record.recorder import record_episodes
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.protocol import Simulator

OnFrames = Callable[[int], None]
Record = Callable[[Sequence[EpisodeSpec], Sequence[Path], OnFrames], list[EpisodeRecord]]
"""Records episodes side by side, each into an existing empty folder, and says so after every few frames."""
OpenRecord = Callable[[Setup], Record]
"""Opens what records episodes; called once in every child."""
_FRAMES_INTERVAL = 0.5
"""Least time between two messages about frames [s]."""


def serve(exchange: ChildExchange, open_record: OpenRecord) -> int:
    """Make batches until there are no more.

    Args:
        exchange: Where they come from, and where answers go.
        open_record: Opens the simulator.

    Returns:
        The exit code: 0, or that of the error that was told to the pool.
    """
    frames = _FrameCounter(exchange.reply)
    try:
        record = open_record(exchange.setup)
        while (batch := exchange.next_batch()) is not None:
            make(batch, exchange.setup, record, frames, exchange.reply)
    except HpvqaError as error:
        exchange.reply(Trouble(message=str(error), usage=isinstance(error, UsageError)))
        return error.exit_code
    except OSError as error:
        exchange.reply(Trouble(message=str(error), usage=False))
        return 1
    return 0


def make(batch: Batch, setup: Setup, record: Record, on_frames: OnFrames, reply: Callable[[Reply], None]) -> None:
    """Make attempts side by side and publish those that count; nothing is left of them when that fails.

    Raises:
        RunError: The disk does not take them.
    """
    specs = [one.spec for one in batch.tries]
    folders = [setup.partial / f"{spec.task}-{episode_name(spec.index)}" for spec in specs]
    try:
        for folder in folders:
            folder.mkdir()
        records = record(specs, folders, on_frames)
        for number, (one, made, folder) in enumerate(zip(batch.tries, records, folders, strict=True)):
            full = made.model_copy(update={"failed_attempts": one.failed})
            if counts(one, full):
                publish(folder, full, episode_dir(setup.data, one.spec.task, one.spec.index))
            reply(Made(number=number, record=full))
    except OSError as error:
        raise _disk_error(setup.data, error) from error
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def _disk_error(data: Path, error: OSError) -> RunError:
    """What to tell when the disk does not take an episode."""
    if error.errno in {ENOSPC, EDQUOT}:
        return RunError(
            f"The disk of {data} is full; free some space and run the same command again, finished episodes are kept"
        )
    return RunError(f"An episode cannot be written to {data}: {error}")


class _FrameCounter:
    """Tells the pool how many frames there are, now and then."""

    def __init__(self, reply: Callable[[Reply], None]) -> None:
        self._reply = reply
        self._frames = 0
        self._told = 0.0

    def __call__(self, count: int) -> None:
        self._frames += count
        now = time.monotonic()
        if now - self._told >= _FRAMES_INTERVAL:
            self._told = now
            self._reply(Rendered(frames=self._frames))


def open_record(setup: Setup) -> Record:
    """Record with the simulator that a setup names; one serves all episodes of a child.

    Raises:
        HpvqaError: The simulator, or something that it needs, is missing.
    """
    if setup.backend == "mujoco":
        from hpvqa.sim import open_simulator

        return recording(open_simulator(setup.resolution), setup)
    example = setup.example
    what = example, setup.environments, setup.fps[example.task], setup.resolution
    try:
        if setup.physics == "ovphysx":
            from hpvqa.sim.isaaclab3.launch import open_lab3

            return recording(open_lab3(*what, setup.layers), setup)
        from hpvqa.sim.isaac.launch import open_isaac

        return recording(open_isaac(*what), setup)
    except ImportError as error:
        raise RunError(f"Isaac Lab cannot be imported: {error}; install a supported version") from error


def recording(simulator: Simulator, setup: Setup) -> Record:
    """Record with a simulator."""

    def record(specs: Sequence[EpisodeSpec], folders: Sequence[Path], on_frames: OnFrames) -> list[EpisodeRecord]:
        return record_episodes(
            simulator,
            specs,
            folders,
            fps=setup.fps[specs[0].task],
            resolution=setup.resolution,
            layers=setup.layers,
            threads=setup.threads,
            on_frames=on_frames,
        )

    return record


def run(address: str, open_record: OpenRecord = open_record) -> None:
    """Serve as a process of its own, and end it.

    Args:
        address: Where the pool listens.
        open_record: Opens the simulator.
    """
    hear_again(signal.SIGTERM)
    try:
        code = serve(ChildExchange(address), open_record)
    except BaseException:
        # For the log, where the pool looks for the reason.
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Kit ends its own process when it is closed, with its own exit code, or hangs after an error; everything is on disk
    # by now.
    os._exit(code)


if __name__ == "__main__":
    _, address = sys.argv
    # Kit takes the process's arguments for its own, and starts scripts, which may import their neighbours.
    del sys.argv[1:]
    os.environ.pop("PYTHONSAFEPATH", None)
    run(address)
