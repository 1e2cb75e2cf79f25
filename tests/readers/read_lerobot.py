"""Says as JSON what LeRobot reads of an export; runs in an environment of LeRobot's, without hpvqa."""

import hashlib
import json
import sys
from pathlib import Path

import lerobot
import numpy as np
import pyarrow.parquet as pq
from lerobot.datasets.compute_stats import aggregate_stats, get_feature_stats
from lerobot.datasets.lerobot_dataset import LeRobotDataset

dataset = LeRobotDataset("hpvqa/export", root=sys.argv[1], video_backend="pyav")
episodes = []
told = [
    row
    for path in sorted(Path(sys.argv[1], "meta/episodes").rglob("*.parquet"))
    for row in pq.read_table(path).to_pylist()
]


def plain(stats):
    return {key: np.asarray(value).tolist() for key, value in stats.items()}


def of_column(key, items):
    """What LeRobot's own writer works out of an episode's column."""
    values = np.stack([item[key].numpy() for item in items])
    if key in dataset.meta.video_keys:
        # Not as bytes, whose squares overflow in LeRobot 0.4.
        own = get_feature_stats(values * 255, axis=(0, 2, 3), keepdims=True)
        return {name: value if name == "count" else np.squeeze(value / 255, axis=0) for name, value in own.items()}
    return get_feature_stats(values, axis=0, keepdims=values.ndim == 1)


for row in dataset.meta.episodes:
    items = [dataset[number] for number in range(row["dataset_from_index"], row["dataset_to_index"])]
    frames = {
        key: [
            hashlib.sha256((item[key].numpy().transpose(1, 2, 0) * 255).round().astype(np.uint8).tobytes()).hexdigest()
            for item in items
        ]
        for key in dataset.meta.video_keys
    }
    episodes.append(
        {
            "split": row["split"],
            "episode": row["episode"],
            "answer": row["answer"],
            "frames": frames,
            "states": [item["observation.state"].tolist() for item in items],
            "actions": [item["action"].tolist() for item in items],
            "events": [item.get("language_events", []) for item in items],
            "task": items[0]["task"],
            "stats": {
                key: [
                    plain(of_column(key, items)),
                    {
                        name.rpartition("/")[2]: value
                        for name, value in told[row["episode_index"]].items()
                        if name.startswith(f"stats/{key}/")
                    },
                ]
                for key in dataset.meta.stats
            },
        }
    )
found = {"version": lerobot.__version__, "frames": dataset.num_frames, "fps": dataset.fps, "episodes": episodes}
per_episode = [
    {key: {n: np.array(v) for n, v in of[1].items()} for key, of in one["stats"].items()} for one in episodes
]
together = {name: plain(of) for name, of in aggregate_stats(per_episode).items()}
info = dataset.meta.info
splits = info["splits"] if isinstance(info, dict) else info.splits
stats = {name: {key: np.ravel(value).tolist() for key, value in of.items()} for name, of in dataset.meta.stats.items()}
print("\n" + json.dumps({**found, "splits": splits, "stats": stats, "together": together}))
