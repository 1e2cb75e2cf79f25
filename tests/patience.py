"""How long tests wait for other processes."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 600.0
"""Before a process that does not end, or a thing that does not happen, fails a test [s]: what is waited for takes
seconds, but minutes on a machine that has other work to do."""


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
