"""Says as JSON what VLMEvalKit makes of an export: what a model is shown, and its scores; in its environment."""

import hashlib
import json
import os
import runpy
import sys
from importlib.metadata import version
from pathlib import Path

root = Path(sys.argv[1])
os.environ["LMUData"] = str(root)  # noqa: SIM112 - its name there
from vlmeval.config import supported_VLM  # noqa: E402
from vlmeval.vlm.base import BaseModel  # noqa: E402


class Parrot(BaseModel):
    """A model that says the same to everything, and remembers what it was shown; it has words of its own, as many."""

    def __init__(self, reply):
        super().__init__()
        self.reply, self.asked = reply, []

    def use_custom_prompt(self, dataset):
        return True

    def generate_inner(self, message, dataset=None):
        self.asked.append([seen(part) for part in message])
        return self.reply


def seen(part):
    if part["type"] == "text":
        return ["text", part["value"]]
    return [part["type"], hashlib.sha256(Path(part["value"]).read_bytes()).hexdigest()]


found = {"version": version("ms-vlmeval"), "tasks": {}}
for name, reply in json.loads((root / "replies.json").read_text()).items():
    model = Parrot(reply)
    supported_VLM["parrot"] = lambda model=model: model
    sys.argv = ["run", "--data", f"hpvqa_{name}", "--model", "parrot", "--work-dir", str(root / "work")]
    runpy.run_path(str(root / "hpvqa_vlmevalkit.py"), run_name="__main__")
    score = next((root / "work").rglob(f"*_hpvqa_{name}_score.json"))
    scores = json.loads(score.read_text())
    error = scores.pop("stderr")
    found["tasks"][name] = {
        "asked": model.asked,
        "scores": {metric: [value, *([error] if metric == "accuracy" else [])] for metric, value in scores.items()},
    }
print("\n" + json.dumps(found))
