"""Says as JSON what LeRobot reads of an export; runs in an environment of LeRobot's, without hpvqa."""

import hashlib
import json
import sys

import lerobot
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

dataset = LeRobotDataset("hpvqa/export", root=sys.argv[1], video_backend="pyav")
episodes = []
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
        }
    )
found = {"version": lerobot.__version__, "frames": dataset.num_frames, "fps": dataset.fps, "episodes": episodes}
stats = {name: {key: np.ravel(value).tolist() for key, value in of.items()} for name, of in dataset.meta.stats.items()}
print("\n" + json.dumps({**found, "splits": dataset.meta.info.splits, "stats": stats}))
