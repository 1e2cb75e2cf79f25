"""A run with pictures that is killed again and again ends as one that is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpvqa.sim import open_simulator  # noqa: F401 - marks this file as one that simulates
from tests.explore_worlds import write_worlds
from tests.servers import StandIn

pytestmark = pytest.mark.long

KILLS = (0, 3, 6)
"""Each run is ended after so many requests of its own: before the first, within a scene, and when some are over."""
TIMES = ("seconds", "cpu_seconds", "lines")
"""What differs from run to run: how long it took, and the seal of the lines that say so."""


def content(folder: Path) -> dict[str, Any]:
    """All files of a run, without its times."""
    found: dict[str, Any] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        found[name] = path.read_bytes()
        if path.name == "steps.jsonl":
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            found[name] = [{key: value for key, value in line.items() if key not in TIMES} for line in lines]
        elif path.name == "run.json":
            found[name] = {key: value for key, value in json.loads(path.read_text()).items() if key != "command"}
    return found


def test_a_run_with_pictures_that_is_killed_at_any_moment_ends_as_one_that_is_not(tmp_path: Path) -> None:
    pytest.importorskip("mujoco", exc_type=ImportError)
    pytest.importorskip("httpx2")
    worlds, rng = write_worlds(tmp_path / "worlds"), np.random.default_rng(0)
    with StandIn(text="A") as server:
        command = [sys.executable, "-m", "hpvqa", "explore", "run", "--worlds", worlds, "--server", server.url]
        command += ["--transport", "images", "--concurrency", "1", "--limit", "3", "--out"]

        def run(out: Path, requests: int | None) -> None:
            before = len(server.requests)
            process = subprocess.Popen(
                [str(word) for word in (*command, out)],
                env=os.environ,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            if requests is not None:
                while process.poll() is None and not (out.exists() and len(server.requests) >= before + requests):
                    time.sleep(0.002)
                # While the next view is drawn, or what was chosen is written.
                time.sleep(rng.uniform(0, 0.1))
                process.send_signal(signal.SIGKILL)
            said = process.communicate()[1]
            assert process.returncode == (0 if requests is None else -signal.SIGKILL), said

        run(tmp_path / "whole", None)
        for requests in KILLS:
            run(tmp_path / "killed", requests)
        run(tmp_path / "killed", None)
    assert content(tmp_path / "killed") == content(tmp_path / "whole")
