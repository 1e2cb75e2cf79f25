"""What all child processes share: how they start, and that workers end with their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, TypeVar

T = TypeVar("T")

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Environment in which Python does not look for modules in the working folder: a file such as ``numpy.py`` or
``token.py`` there would be run (from Python 3.11 on; earlier ones look)."""
ONE_THREAD = {"LP_NUM_THREADS": "0", "OMP_NUM_THREADS": "1"}
"""Environment in which a process draws and computes in one thread: there is a process for each core."""


def python(*arguments: str) -> list[str]:
    """The command line of another process of this Python, which does not look for modules in the working folder."""
    return [sys.executable, "-P", *arguments]


# What one thread sets for its process, another must not take for what was there before.
_ENVIRONMENT = threading.RLock()


@contextmanager
def inherited(environment: Mapping[str, str] = {}) -> Iterator[None]:
    """Environment and signal mask for processes that are started meanwhile.

    Workers do not see Ctrl-C and SIGTERM, which reach a whole process group: the parent decides what becomes of them.
    They are blocked here and not in the worker, for a worker needs a second to come so far.
    """
    environment = {**SAFE_PATH, **environment}
    with _ENVIRONMENT:
        before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def hear_again(*numbers: signal.Signals) -> None:
    """Hear signals that :func:`inherited` held back while this process started, as the first thing in it.

    Those that came meanwhile are dropped: they were meant for the group of our parent, which we had not left yet, and
    which has heard them.
    """
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
    for number in numbers:
        signal.signal(number, signal.SIG_DFL)


def start_tracker() -> None:
    """Start the process in which multiprocessing keeps count of its locks, as all of ours are started.

    Must be over before workers start: it lets through the signals that are held back for them.
    """
    with inherited():
        resource_tracker.ensure_running()


class Workers:
    """Worker processes that take jobs; the death of any of them is the error of all jobs that are not done, at once.

    Args:
        count: How many.
        initialize: What each of them does first.
        arguments: What it is given.
        environment: What is added to our environment for them.
    """

    def __init__(
        self,
        count: int,
        initialize: Callable[..., None],
        arguments: tuple[Any, ...],
        environment: Mapping[str, str] = {},
    ) -> None:
        self._environment = environment
        self._others = {child.pid for child in multiprocessing.active_children()}
        start_tracker()
        self._executor = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initialize, arguments)
        # The executor sees the death of those workers alone that it knew when it began to wait, and it waits from one
        # result to the next: a first, empty job of each lets it know all of them while they start.
        for _ in range(count):
            self.submit(_start)

    def submit(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Have a function called in one of them.

        Raises:
            BrokenExecutor: One of them has died.
        """
        # This may start a worker.
        with inherited(self._environment):
            return self._executor.submit(function, *arguments)

    def close(self) -> None:
        """End the workers, which are idle."""
        self._executor.shutdown()

    def stop(self) -> None:
        """End the workers, once each has done what it is doing; jobs that wait are dropped."""
        self._executor.shutdown(cancel_futures=True)

    def kill(self) -> None:
        """End the workers at once, whatever they are doing."""
        for child in multiprocessing.active_children():
            if child.pid not in self._others:
                child.kill()
        self._executor.shutdown(cancel_futures=True)


def _start() -> None:
    """What a worker does first."""


def exit_with_parent() -> None:
    """End this worker as soon as its parent has died, however it died and whatever the worker is doing then."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, name="exit-with-parent", daemon=True).start()
