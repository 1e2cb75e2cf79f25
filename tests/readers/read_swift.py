"""Says as JSON what ms-swift reads of an export; runs in an environment of ms-swift's, inside of the export."""

import json
from importlib.metadata import version

from swift.dataset import load_dataset

found = {"version": version("ms-swift")}
for split in ("train", "eval"):
    rows, _ = load_dataset([f"{split}.jsonl"], split_dataset_ratio=0.0, load_from_cache_file=False)
    found[split] = [{"messages": row["messages"], "videos": row["videos"]} for row in rows]
print("\n" + json.dumps(found))
