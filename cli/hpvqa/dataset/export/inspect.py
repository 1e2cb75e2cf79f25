"""Tasks of Inspect (inspect.aisi.org.uk): a Python file, with JSON lines and pictures beside it."""

from __future__ import annotations

import json
from pathlib import Path

from hpvqa.dataset.card import CARD_FILE
from hpvqa.dataset.export.asked import CLIPS, FRAMES, write_program, write_questions
from hpvqa.dataset.export.base import Export, Job
from hpvqa.files import write_text

TASKS_FILE = "hpvqa_tasks.py"

_PROGRAM = '''"""Questions about clips of a robot, as tasks of Inspect; written by hpvqa."""

from __future__ import annotations

from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import Sample, json_dataset
from inspect_ai.model import (
    ChatMessageSystem,
    ChatMessageUser,
    ContentImage,
    ContentText,
    ContentVideo,
    GenerateConfig,
)
from inspect_ai.scorer import Score, mean, scorer, stderr
from inspect_ai.solver import generate

HERE = Path(__file__).resolve().parent

# READING

def ask(line):
    if "clip" in line:
        seen = [ContentVideo(video=str(HERE / line["clip"]), format="mp4")]
    else:
        seen = [ContentImage(image=str(HERE / name)) for name in line["frames"]]
    told = [ChatMessageSystem(content=line["system"])] if line["system"] else []
    return Sample(
        id=line["id"],
        input=[*told, ChatMessageUser(content=[*seen, ContentText(text=line["text"])])],
        target=line["answer"],
        metadata={
            name: line[name]
            for name in ("event", "task", "source", "episode", "camera", "form", "value", "unit")
            if name in line
        },
    )


def said(state):
    return state.output.completion, state.output.stop_reason in ("max_tokens", "model_length")


@scorer(metrics={"correct": [mean(), stderr(cluster="event")], "unreadable": [mean()]})
def choice():
    """Whether the correct side was named, and whether none was; views of one event are not independent."""

    async def score(state, target):
        text, cut = said(state)
        named = parse_choice(text, ("left", "right"), cut=cut)
        found = {"correct": float(named == target.text), "unreadable": float(named is None)}
        return Score(value=found, answer=named, explanation=text)

    return score


@scorer(
    metrics={
        "within_10": [mean(), stderr(cluster="event")],
        "within_25": [mean(), stderr(cluster="event")],
        "unreadable": [mean()],
    }
)
def closeness():
    """Whether a number is off by a tenth, and by a quarter, of the true one at most, and whether none was said."""

    async def score(state, target):
        text, cut = said(state)
        truth = state.metadata["value"]
        value = parse_value(text, state.metadata["unit"], cut=cut)
        off = relative_error(value, truth)
        found = {"within_10": float(off <= 0.1), "within_25": float(off <= 0.25), "unreadable": float(value is None)}
        return Score(value=found, answer=None if value is None else f"{value:g}", explanation=text)

    return score


def questions(name, scorer):
    return Task(
        dataset=json_dataset(str(HERE / "questions" / f"{name}.jsonl"), ask),
        solver=generate(),
        scorer=scorer,
        config=GenerateConfig(temperature=0),
        version=1,
    )
'''
_TASK = """

@task(name="hpvqa_{name}")
def {name}():
    return questions("{name}", {scorer}())
"""
_SCORERS = {"compare": "choice", "value": "closeness"}

_TEXT = """# For Inspect

```
inspect eval path/to/this/folder/{file}@hpvqa_{first} --model openai/gpt-4o
```

`{file}` holds {names}. Words are those of `hpvqa eval`, and replies are read as
strictly. {how}

Where a word is asked for, the score is `correct`; where a number is, `within_10` and `within_25`: how often it is off
by a tenth or a quarter of the true value at most. `unreadable` replies are wrong. Standard errors are clustered by
`event`: several cameras see the same one. `hpvqa eval` gives intervals that also hold for few events.
"""


def _write(root: Path, job: Job) -> list[str]:
    forms = write_questions(root, job)
    tasks = "".join(_TASK.format(name=name, scorer=_SCORERS[form]) for name, form in forms.items())
    write_program(root / TASKS_FILE, _PROGRAM + tasks, job)
    how = FRAMES if job.media == "frames" else CLIPS.format(sampling=json.dumps(dict(job.sampling)))
    text = _TEXT.format(
        file=TASKS_FILE, first=next(iter(forms)), names=", ".join(f"`hpvqa_{name}`" for name in forms), how=how
    )
    write_text(root / CARD_FILE, text)
    return []


EXPORT = Export(_write, frozenset({"media", "frames"}), "eval")
