"""Says as JSON what EvalScope makes of an export: what a model is shown, and its scores; in EvalScope's environment."""

import hashlib
import importlib.util
import json
import sys
from importlib.metadata import version
from pathlib import Path

from evalscope import TaskConfig, run_task
from evalscope.api.model import ModelOutput
from evalscope.models.mockllm import MockLLM

root = Path(sys.argv[1])
spec = importlib.util.spec_from_file_location("hpvqa_evalscope", root / "hpvqa_evalscope.py")
program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(program)
asked = []


def seen(part):
    if part.type == "text":
        return ["text", part.text]
    return [part.type, hashlib.sha256(Path(getattr(part, part.type)).read_bytes()).hexdigest()]


class Parrot:
    """What is said to everything."""

    text = ""


def reply(self, **given):
    told, question = given["input"]
    asked.append([told.content, [seen(part) for part in question.content]])
    return ModelOutput.from_content(model="mockllm", content=Parrot.text)


MockLLM.generate = reply
found = {"version": version("evalscope"), "tasks": {}}
for name, Parrot.text in json.loads((root / "replies.json").read_text()).items():
    asked.clear()
    config = TaskConfig(
        model="mock",
        eval_type="mock_llm",
        datasets=[f"hpvqa_{name}"],
        eval_batch_size=1,
        work_dir=str(root / "work" / name),
        no_timestamp=True,
    )
    report = run_task(config)[f"hpvqa_{name}"]
    scores = {metric.identity.name: [metric.score] for metric in report.metrics}
    found["tasks"][name] = {"asked": list(asked), "scores": scores}
print("\n" + json.dumps(found))
