"""Says as JSON what Inspect makes of an export: what a model is shown, and its scores; in Inspect's environment."""

import hashlib
import importlib.util
import json
import sys
from importlib.metadata import version
from pathlib import Path

from inspect_ai import eval as evaluate
from inspect_ai.model import ModelOutput, ModelUsage, get_model

root = Path(sys.argv[1])
spec = importlib.util.spec_from_file_location("hpvqa_tasks", root / "hpvqa_tasks.py")
tasks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tasks)


def replies(text):
    while True:
        output = ModelOutput.from_content("mockllm", text)
        # Without a count of tokens, the stand-in would fetch a tokenizer.
        output.usage = ModelUsage()
        yield output


def seen(part):
    if part.type == "text":
        return ["text", part.text]
    return [part.type, hashlib.sha256(Path(getattr(part, part.type)).read_bytes()).hexdigest()]


found = {"version": version("inspect-ai"), "tasks": {}}
for name, reply in json.loads((root / "replies.json").read_text()).items():
    task = getattr(tasks, name)()
    model = get_model("mockllm/model", custom_outputs=replies(reply))
    (log,) = evaluate(task, model=model, display="none", log_dir=str(root / "logs"), log_format="json")
    assert log.status == "success", log.error
    found["tasks"][name] = {
        "asked": [
            [sample.input[0].content, [seen(part) for part in sample.input[-1].content]] for sample in task.dataset
        ],
        "scores": {score.name: [metric.value for metric in score.metrics.values()] for score in log.results.scores},
    }
print("\n" + json.dumps(found))
