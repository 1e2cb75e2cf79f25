"""The child process: starts a simulator and makes batch after batch of episodes."""

from __future__ import annotations

import shutil
import sys
import time
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


class _Orphan(Exception):  # noqa: N818 - not an error: nobody is left to tell
    """The parent has died."""


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
    except _Orphan:
        return 1
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
    """Tells the parent how many frames there are, now and then; ends the child when the parent is gone."""

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
        if not self._exchange.parent_lives():
            raise _Orphan
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


def main(arguments: list[str]) -> None:
    """Run as a process, in the Python of Isaac Sim.

    Args:
        arguments: The folder to exchange messages through.
    """
    code = serve(Exchange(Path(arguments[0])), open_isaac_batch)
    sys.stdout.flush()
    sys.stderr.flush()
    # Kit ends its own process when it is closed, with its own exit code; everything is on disk by now.
    import os

    os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
