"""Tasks of lmms-eval: a YAML file for each form of question of each task, their functions, and JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

from hpvqa.dataset.card import CARD_FILE
from hpvqa.dataset.export.asked import CLIPS, FRAMES, write_program, write_questions
from hpvqa.dataset.export.base import Export, Job
from hpvqa.files import write_text

_PROGRAM = '''"""What the tasks of this folder ask, and how replies are read; written by hpvqa."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent

# READING


def doc_to_visual(doc):
    if doc.get("clip"):
        return [str(HERE / doc["clip"])]
    pictures = []
    for name in doc["frames"]:
        with Image.open(HERE / name) as picture:
            pictures.append(picture.convert("RGB"))
    return pictures


def doc_to_text(doc, lmms_eval_specific_kwargs=None):
    """For models that take one text: the system message stands before the question."""
    return "\\n\\n".join(part for part in (doc["system"], doc["text"]) if part)


def doc_to_messages(doc, lmms_eval_specific_kwargs=None):
    kind = "video" if doc.get("clip") else "image"
    seen = [{"type": kind, "url": one} for one in doc_to_visual(doc)]
    told = [{"role": "system", "content": [{"type": "text", "text": doc["system"]}]}] if doc["system"] else []
    return [*told, {"role": "user", "content": [*seen, {"type": "text", "text": doc["text"]}]}]


def doc_to_target(doc):
    return doc["answer"]


def scored(doc, **scores):
    return {name: {"score": float(score), "event": doc["event"]} for name, score in scores.items()}


def score_compare(doc, results):
    named = parse_choice(results[0], ("left", "right"))
    return scored(doc, correct=named == doc["answer"], unreadable=named is None)


def score_value(doc, results):
    value = parse_value(results[0], doc["unit"])
    off = relative_error(value, doc["value"])
    return scored(doc, within_10=off <= 0.1, within_25=off <= 0.25, unreadable=value is None)


def mean(items):
    return sum(item["score"] for item in items) / len(items)


'''
_FILE = '{name} = str(HERE / "questions" / "{name}.jsonl")\n'
_YAML = """task: hpvqa_{name}
tag: hpvqa
dataset_path: json
dataset_kwargs:
  data_files:
    eval: !function utils.{name}
test_split: eval
output_type: generate_until
doc_to_visual: !function utils.doc_to_visual
doc_to_text: !function utils.doc_to_text
doc_to_target: !function utils.doc_to_target
doc_to_messages: !function utils.doc_to_messages
process_results: !function utils.score_{form}
cluster_key: event
generation_kwargs:
  max_new_tokens: 16
  temperature: 0
  do_sample: false
metric_list:
{metrics}metadata:
  - version: 1
"""
_METRIC = """  - metric: {name}
    aggregation: !function utils.mean
    higher_is_better: {better}
"""
_METRICS = {
    "compare": {"correct": "true", "unreadable": "false"},
    "value": {"within_10": "true", "within_25": "true", "unreadable": "false"},
}

_TEXT = """# For lmms-eval

```
python -m lmms_eval --include_path path/to/this/folder --tasks hpvqa --model qwen3_vl \\
  --model_args pretrained=Qwen/Qwen3-VL-8B-Instruct
```

The tasks are {names}; `hpvqa` stands for all of them. Words are those of `hpvqa eval`,
and replies are read as strictly. Models that take one text instead of messages are told the system message before the
question. {how}

Where a word is asked for, the score is `correct`; where a number is, `within_10` and `within_25`: how often it is off
by a tenth or a quarter of the true value at most. `unreadable` replies are wrong. The standard error to go by is
`stderr_clustered`: several cameras see the same event. `hpvqa eval` gives intervals that also hold for few events.
For a model that thinks, raise `max_new_tokens`: `--gen_kwargs max_new_tokens=2048`.
"""


def _write(root: Path, job: Job) -> list[str]:
    forms = write_questions(root, job)
    write_program(root / "utils.py", _PROGRAM + "".join(_FILE.format(name=name) for name in forms), job)
    for name, form in forms.items():
        metrics = "".join(_METRIC.format(name=metric, better=better) for metric, better in _METRICS[form].items())
        write_text(root / f"hpvqa_{name}.yaml", _YAML.format(name=name, form=form, metrics=metrics))
    how = FRAMES if job.media == "frames" else CLIPS.format(sampling=json.dumps(dict(job.sampling)))
    write_text(root / CARD_FILE, _TEXT.format(names=", ".join(f"`hpvqa_{name}`" for name in forms), how=how))
    return []


EXPORT = Export(_write, frozenset({"media", "frames"}), "eval")
