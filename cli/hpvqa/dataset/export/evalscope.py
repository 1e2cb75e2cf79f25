"""Benchmarks of EvalScope: a Python file that registers them and starts it, with JSON lines and pictures beside it."""

from __future__ import annotations

import json
from pathlib import Path

from hpvqa.dataset.card import CARD_FILE
from hpvqa.dataset.export.asked import CLIPS, FRAMES, write_program, write_questions
from hpvqa.dataset.export.base import Export, Job
from hpvqa.files import write_text

PROGRAM_FILE = "hpvqa_evalscope.py"

_PROGRAM = '''"""Questions about clips of a robot, as benchmarks of EvalScope; written by hpvqa."""

from __future__ import annotations

from pathlib import Path

from evalscope.api.benchmark import BenchmarkMeta, VisionLanguageAdapter
from evalscope.api.dataset import Sample
from evalscope.api.messages import ChatMessageSystem, ChatMessageUser, ContentImage, ContentText, ContentVideo
from evalscope.api.metric import Score
from evalscope.api.registry import register_benchmark
from evalscope.constants import Tags

HERE = Path(__file__).resolve().parent

# READING


class Questions(VisionLanguageAdapter):
    def load_from_disk(self, **kwargs):
        return super().load_from_disk(use_local_loader=True)

    def record_to_sample(self, record):
        if record.get("clip"):
            seen = [ContentVideo(video=str(HERE / record["clip"]), format="mp4")]
        else:
            seen = [ContentImage(image=str(HERE / name)) for name in record["frames"]]
        told = [ChatMessageSystem(content=record["system"])] if record["system"] else []
        return Sample(
            input=[*told, ChatMessageUser(content=[*seen, ContentText(text=record["text"])])],
            target=record["answer"],
            metadata={name: record[name] for name in ("id", "event", "camera", "value", "unit") if name in record},
        )

    def scored(self, said, read, scores):
        return Score(
            value={name: float(score) for name, score in scores.items()},
            extracted_prediction="" if read is None else str(read),
            prediction=said,
            main_score_name=next(iter(scores)),
        )


class Comparisons(Questions):
    def match_score(self, original_prediction, filtered_prediction, reference, task_state):
        named = parse_choice(original_prediction, ("left", "right"))
        return self.scored(original_prediction, named, {"accuracy": named == reference, "unreadable": named is None})


class Values(Questions):
    def match_score(self, original_prediction, filtered_prediction, reference, task_state):
        truth, unit = task_state.metadata["value"], task_state.metadata["unit"]
        value = parse_value(original_prediction, unit)
        off = relative_error(value, truth)
        scores = {"accuracy": off <= 0.1, "within_25": off <= 0.25, "unreadable": value is None}
        return self.scored(original_prediction, value, scores)


def benchmark(name, adapter, metrics):
    meta = BenchmarkMeta(
        name=f"hpvqa_{name}",
        pretty_name=f"hpvqa {name}",
        description="Hidden physical properties of things that a robot acts on.",
        dataset_id=str(HERE / "questions"),
        tags=[Tags.MULTI_MODAL, Tags.CUSTOM],
        subset_list=[name],
        metric_list=metrics,
        primary_metric=metrics[0],
        few_shot_num=0,
        eval_split="eval",
    )
    register_benchmark(meta)(adapter)


'''
_BENCHMARK = 'benchmark("{name}", {adapter}, {metrics})\n'
_START = """
if __name__ == "__main__":
    from evalscope.cli.cli import run_cmd

    run_cmd()
"""
_ADAPTERS = {
    "compare": ("Comparisons", '["accuracy", "unreadable"]'),
    "value": ("Values", '["accuracy", "within_25", "unreadable"]'),
}

_TEXT = """# For EvalScope

```
python path/to/this/folder/{file} eval --datasets hpvqa_{first} \\
  --model Qwen/Qwen3-VL-8B-Instruct --api-url http://127.0.0.1:8000/v1 --api-key EMPTY --eval-type openai_api
```

`{file}` takes the arguments of `evalscope`, and knows the benchmarks {names}.
Words are those of `hpvqa eval`, and replies are read as strictly. {how}

The score is `accuracy`: how often the word is the correct one, or the number is off by a tenth of the true value at
most; `within_25`: by a quarter. `unreadable` replies are wrong.
EvalScope says nothing about how sure
a score is: several cameras see the same event, and `hpvqa eval` gives intervals that take this into account.
"""


def _write(root: Path, job: Job) -> list[str]:
    forms = write_questions(root, job)
    lines = [
        _BENCHMARK.format(name=name, adapter=_ADAPTERS[form][0], metrics=_ADAPTERS[form][1])
        for name, form in forms.items()
    ]
    write_program(root / PROGRAM_FILE, _PROGRAM + "".join(lines) + _START, job)
    names = ", ".join(f"`hpvqa_{name}`" for name in forms)
    how = FRAMES if job.media == "frames" else CLIPS.format(sampling=json.dumps(dict(job.sampling)))
    write_text(root / CARD_FILE, _TEXT.format(file=PROGRAM_FILE, first=next(iter(forms)), names=names, how=how))
    return []


EXPORT = Export(_write, frozenset({"media", "frames"}), "eval")
