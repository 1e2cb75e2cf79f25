"""What Linux says of a process."""

from __future__ import annotations

import os
from pathlib import Path


def parent_and_spent(process: int) -> tuple[int, float]:
    """The process that started one, and the processor time of the one [s].

    Raises:
        OSError: It has ended.
    """
    # The name, in brackets, may hold anything; what follows it are numbers (proc_pid_stat(5)).
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
