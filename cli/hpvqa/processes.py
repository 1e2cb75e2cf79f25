"""What all child processes share: how they start, and that workers end with their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Environment in which Python does not look for modules in the working folder: a file such as ``numpy.py`` or
``token.py`` there would be run (from Python 3.11 on; earlier ones look)."""


def python(*arguments: str) -> list[str]:
    """The command line of another process of this Python, which does not look for modules in the working folder."""
    return [sys.executable, "-P", *arguments]


@contextmanager
def inherited(environment: Mapping[str, str] = {}) -> Iterator[None]:
    """Environment and signal mask for processes that are started meanwhile.

    Workers do not see Ctrl-C and SIGTERM, which reach a whole process group: the parent decides what becomes of them.
    They are blocked here and not in the worker, for a worker needs a second to come so far.
    """
    environment = {**SAFE_PATH, **environment}
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


def exit_with_parent() -> None:
    """End this worker as soon as its parent has died, however it died and whatever the worker is doing then."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, name="exit-with-parent", daemon=True).start()
