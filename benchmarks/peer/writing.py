"""Writes episodes with LeRobot's own writer, as it is by default; runs in an environment of LeRobot's, without hpvqa.

``python writing.py EXPORT OUT``: EXPORT is what ``hpvqa export lerobot`` wrote; its videos are decoded first, which
does not count. Says as JSON how many CPU seconds writing took, with the processes that it started.
"""

from __future__ import annotations

import json
import resource
import sys
from importlib.metadata import version
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
from lerobot.datasets.lerobot_dataset import LeRobotDataset

OWN = ("timestamp", "frame_index", "episode_index", "index", "task_index", "language_events")


def seconds() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def main(export: str, out: str) -> None:
    root = Path(export)
    info = json.loads((root / "meta/info.json").read_text())
    features = {name: feature for name, feature in info["features"].items() if name not in OWN}
    rows = pq.read_table(root / "data/chunk-000/file-000.parquet").to_pylist()
    frames = {}
    for name in features:
        if name.startswith("observation.images."):
            with av.open(str(root / f"videos/{name}/chunk-000/file-000.mp4")) as container:
                frames[name] = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    begin = seconds()
    given = {name: {**feature, "shape": tuple(feature["shape"])} for name, feature in features.items()}
    dataset = LeRobotDataset.create("peer/export", fps=info["fps"], features=given, root=out, use_videos=True)
    for number, row in enumerate(rows):
        values = {name: np.array(row[name], np.float32) for name in features if name not in frames}
        dataset.add_frame({**values, **{name: own[number] for name, own in frames.items()}, "task": "push"})
        if number + 1 == len(rows) or rows[number + 1]["episode_index"] != row["episode_index"]:
            dataset.save_episode()
    dataset.finalize()
    print("\n" + json.dumps({"version": version("lerobot"), "cpu_s": seconds() - begin, "frames": len(rows)}))


if __name__ == "__main__":
    # It starts processes, which import this file again.
    main(*sys.argv[1:])
