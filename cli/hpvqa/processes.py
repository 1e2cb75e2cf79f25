"""What all worker processes share: how they start, and that they end with their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def inherited(environment: Mapping[str, str] = {}) -> Iterator[None]:
    """Environment and signal mask for processes that are started meanwhile.

    Workers do not see Ctrl-C and SIGTERM, which reach a whole process group: the parent decides what becomes of them.
    They are blocked here and not in the worker, for a worker needs a second to come so far.

    Python must not look for modules in the working folder there: a file such as ``numpy.py`` would be run.
    """
    environment = {"PYTHONSAFEPATH": "1", **environment}
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
