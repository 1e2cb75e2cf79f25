"""What a second node of a Ray cluster brings: processor time of the busiest node beside that of a single one.

Needs the extra ray. The same pushes are collected by a cluster of one node and by one of two, each with one core, all
on this machine. Processor time is what holds where others use the machine, too; wall time needs a free core for each
node, and one for the rest. Prints all figures as one line of JSON last.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import parent_and_spent

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
OFTEN = 0.2
"""How often processor time is read [s]: a process that has ended says nothing."""


def processes() -> dict[int, tuple[int, str, float]]:
    """Parent, program and processor time [s] of every process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            program = (folder / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
            parent, spent = parent_and_spent(int(folder.name))
        except OSError:
            continue
        found[int(folder.name)] = (parent, program, spent)
    return found


@contextmanager
def watched() -> Iterator[dict[int, dict[int, float]]]:
    """Processor time [s] of each process of the nodes that this one has started, by raylet, while they run."""
    found: dict[int, dict[int, float]] = {}
    ended = threading.Event()
    # What a node has spent on coming up is not the command's.
    earlier = {process: spent for process, (_, _, spent) in processes().items()}

    def watch() -> None:
        while not ended.wait(OFTEN):
            there = processes()
            for process, (_, _, spent) in there.items():
                above = [process]
                while above[-1] in there:
                    above.append(there[above[-1]][0])
                raylet = next((one for one in above if one in there and there[one][1].endswith("/raylet")), None)
                if raylet is not None and os.getpid() in above:
                    found.setdefault(raylet, {})[process] = spent - earlier.get(process, 0.0)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def collect(nodes: int, episodes: int, out: Path) -> dict[str, float]:
    """Collect with so many nodes, and say what that took."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        for _ in range(nodes - 1):
            cluster.add_node(num_cpus=1)
        words = ["push", "--episodes", str(episodes), "--resolution", "224x224", "--fps", "5", "--out", str(out)]
        there = ["--executor", "ray", "--address", cluster.address]
        begin = time.perf_counter()
        with watched() as spent:
            subprocess.run([sys.executable, "-m", "hpvqa", "collect", *words, *there], check=True)
            wall = time.perf_counter() - begin
        each = [sum(node.values()) for node in spent.values()]
        return {f"{nodes}_cpu_s": sum(each), f"{nodes}_busiest_cpu_s": max(each), f"{nodes}_wall_s": wall}
    finally:
        cluster.shutdown()


def made(data: Path) -> dict[str, bytes]:
    """Clips and trajectories."""
    found = (path for path in data.rglob("*") if path.suffix in (".mp4", ".parquet"))
    return {path.relative_to(data).as_posix(): path.read_bytes() for path in found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=16)
    options = parser.parse_args()
    found: dict[str, float] = {"load": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as name:
        for nodes in (1, 2):
            found |= collect(nodes, options.episodes, Path(name) / str(nodes))
        assert made(Path(name) / "1") == made(Path(name) / "2")
    found["linear"] = found["1_busiest_cpu_s"] / found["2_busiest_cpu_s"] / 2
    for figure, value in found.items():
        print(f"{figure}: {value:.4g}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
