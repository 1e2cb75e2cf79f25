"""The child process: starts a simulator and makes batch after batch of episodes."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from hpvqa.collect.batches.exchange import Exchange
from hpvqa.collect.batches.messages import Batch, Frames, Made, Ready, Setup, Trouble, counts
from hpvqa.collect.worker import disk_error
from hpvqa.errors import HpvqaError, RunError, UsageError
from hpvqa.record.batch import record_batch
from hpvqa.record.encoders import EncoderPool
from hpvqa.record.episode import episode_dir, episode_name, publish
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.batch import BatchSimulator

OpenBatch = Callable[[EpisodeSpec, int, int, "tuple[int, int] | None"], BatchSimulator]
"""Opens a simulator for episodes like the given one: environments, frames a second, resolution."""
_FRAMES_INTERVAL = 0.5
"""Least time between two messages about frames [s]."""
_LOOK = 1.0
"""How often the child looks whether its parent lives [s]."""


def serve(exchange: Exchange, open_batch: OpenBatch) -> int:
    """Make batches until there are no more.

    Args:
        exchange: Where they come from, and where answers go.
        open_batch: Opens the simulator.

    Returns:
        The exit code: 0, or that of the error that was told to the parent.
    """
    setup = exchange.setup()
    try:
        simulator = open_batch(setup.example, setup.environments, setup.fps, setup.resolution)
        exchange.reply(Ready())
        with EncoderPool(setup.threads) as encoders:
            counter = _FrameCounter(exchange)
            while (batch := exchange.next_batch()) is not None:
                _make(batch, setup, simulator, encoders, exchange, counter)
        simulator.close()
    except OSError as error:
        return _give_up(exchange, disk_error(setup.data, error))
    except HpvqaError as error:
        return _give_up(exchange, error)
    return 0


def _make(
    batch: Batch,
    setup: Setup,
    simulator: BatchSimulator,
    encoders: EncoderPool,
    exchange: Exchange,
    counter: _FrameCounter,
) -> None:
    specs = [one.spec for one in batch.tries]
    folders = [setup.partial / f"{spec.task}-{episode_name(spec.index)}" for spec in specs]
    try:
        for folder in folders:
            folder.mkdir()
        records = record_batch(
            simulator,
            specs,
            folders,
            fps=setup.fps,
            resolution=setup.resolution,
            encoders=encoders,
            on_frames=counter,
        )
        for number, (one, record, folder) in enumerate(zip(batch.tries, records, folders, strict=True)):
            full = record.model_copy(update={"failed_attempts": one.failed})
            if counts(one, full):
                publish(folder, full, episode_dir(setup.data, one.spec.task, one.spec.index))
            exchange.reply(Made(number=number, record=full))
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def _give_up(exchange: Exchange, error: HpvqaError) -> int:
    exchange.reply(Trouble(message=str(error), usage=isinstance(error, UsageError)))
    return error.exit_code


class _FrameCounter:
    """Tells the parent how many frames there are, now and then."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._frames = 0
        self._told = 0.0

    def __call__(self, count: int) -> None:
        self._frames += count
        now = time.monotonic()
        if now - self._told < _FRAMES_INTERVAL:
            return
        self._told = now
        self._exchange.reply(Frames(frames=self._frames))


def open_isaac_batch(
    example: EpisodeSpec, environments: int, fps: int, resolution: tuple[int, int] | None
) -> BatchSimulator:
    """Open Isaac Sim; what it raises while starting becomes a sentence."""
    from hpvqa.sim.isaac.launch import open_isaac

    try:
        return open_isaac(example, environments, fps, resolution)
    except ImportError as error:
        raise RunError(f"Isaac Lab cannot be imported: {error}; install a supported version") from error


def run(folder: Path, open_batch: OpenBatch) -> None:
    """Serve as a process of its own, and end it.

    Args:
        folder: Where messages are exchanged.
        open_batch: Opens the simulator.
    """
    exchange = Exchange(folder)
    threading.Thread(target=_end_with_parent, args=(exchange,), name="parent", daemon=True).start()
    try:
        code = serve(exchange, open_batch)
    except BaseException:
        # For the log, where the parent looks for the reason.
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Kit ends its own process when it is closed, with its own exit code, or hangs after an error; everything is on disk
    # by now.
    os._exit(code)


def _end_with_parent(exchange: Exchange) -> None:
    # In a thread, for starting Kit takes minutes, and a Kit that hangs never comes back. Episodes appear by one rename,
    # and a later run removes what is unfinished, so that any moment will do.
    while exchange.parent_lives():
        time.sleep(_LOOK)
    os._exit(1)


def main(arguments: list[str]) -> None:
    """Run in the Python of Isaac Sim.

    Args:
        arguments: The folder to exchange messages through.
    """
    # Kit takes the process's arguments for its own, and starts scripts, which may import their neighbours.
    del sys.argv[1:]
    os.environ.pop("PYTHONSAFEPATH", None)
    run(Path(arguments[0]), open_isaac_batch)


if __name__ == "__main__":
    main(sys.argv[1:])
