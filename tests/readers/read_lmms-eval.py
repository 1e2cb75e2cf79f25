"""Says as JSON what lmms-eval makes of an export: what a model is shown, and its scores; in lmms-eval's environment."""

import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

from lmms_eval.api.model import lmms
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.tasks import TaskManager

root = Path(sys.argv[1])


class Parrot(lmms):
    """A chat model that says the same to everything, and remembers what it was shown."""

    is_simple = False

    def __init__(self, reply):
        super().__init__()
        self.reply, self.asked = reply, []

    def generate_until(self, requests):
        for request in requests:
            _, messages, _, number, task, split = request.args
            told, asked = messages(self.task_dict[task][split][number])
            self.asked.append([told["content"][0]["text"], [seen(part) for part in asked["content"]]])
        return [self.reply] * len(requests)

    def loglikelihood(self, requests):
        raise AssertionError("our tasks only generate, once")

    def generate_until_multi_round(self, requests):
        raise AssertionError("our tasks only generate, once")


def seen(part):
    if part["type"] == "text":
        return ["text", part["text"]]
    media = part["url"]
    return [
        part["type"],
        hashlib.sha256(Path(media).read_bytes() if isinstance(media, str) else media.tobytes()).hexdigest(),
    ]


found = {"version": version("lmms-eval"), "tasks": {}}
manager = TaskManager("INFO", include_path=str(root))
for name, reply in json.loads((root / "replies.json").read_text()).items():
    model = Parrot(reply)
    results = simple_evaluate(model=model, tasks=[f"hpvqa_{name}"], task_manager=manager, cli_args=None)
    scores = results["results"][f"hpvqa_{name}"]
    metrics = [key.partition(",")[0] for key in scores if key.endswith(",none") and "_stderr" not in key]
    found["tasks"][name] = {
        "asked": model.asked,
        "scores": {metric: [scores[f"{metric},none"], scores[f"{metric}_stderr_clustered,none"]] for metric in metrics},
    }
print("\n" + json.dumps(found))
