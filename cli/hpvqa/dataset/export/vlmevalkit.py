"""Data sets of VLMEvalKit: a Python file that registers them and starts it, with JSON lines and pictures beside it."""

from __future__ import annotations

from pathlib import Path

from hpvqa.dataset.card import CARD_FILE
from hpvqa.dataset.export.asked import FRAMES, write_program, write_questions
from hpvqa.dataset.export.base import Export, Job
from hpvqa.files import write_text

PROGRAM_FILE = "hpvqa_vlmevalkit.py"

_PROGRAM = '''"""Questions about clips of a robot, as data sets of VLMEvalKit; written by hpvqa."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pandas
import vlmeval.dataset
from vlmeval.dataset.image_base import ImageBaseDataset
from vlmeval.smp import load

HERE = Path(__file__).resolve().parent

# READING


class Questions(ImageBaseDataset):
    """Questions about pictures in their order; subclasses read and score what is said."""

    TYPE = "VQA"
    NAMES = []
    # Models bring words of their own for data sets of this type.
    force_use_dataset_prompt = True

    @classmethod
    def supported_datasets(cls):
        return cls.NAMES

    def load_data(self, dataset):
        file = HERE / "questions" / f"{dataset.removeprefix('hpvqa_')}.jsonl"
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        kept = ("answer", "event", "camera", "value", "unit")
        return pandas.DataFrame(
            {
                "index": line["id"],
                # There is one text for all models: the system message stands before the question.
                "question": "\\n\\n".join(part for part in (line["system"], line["text"]) if part),
                "image_path": [str(HERE / name) for name in line["frames"]],
                **{name: line[name] for name in kept if name in line},
            }
            for line in lines
        )

    def evaluate(self, eval_file, **judge_kwargs):
        """Shares over all rows; ``stderr`` is of the accuracy, for several cameras see the same event."""
        said = load(str(eval_file)).set_index("index")["prediction"]
        asked = self.data.set_index("index")
        rows = [(asked.loc[index], "" if pandas.isna(text) else str(text)) for index, text in said.items()]
        scores = pandas.DataFrame([self.score(row, text) for row, text in rows]).astype(float)
        found = {name: float(column.mean()) for name, column in scores.items()}
        sums = (scores["accuracy"] - found["accuracy"]).groupby([row["event"] for row, _ in rows]).sum()
        if len(sums) > 1:
            found["stderr"] = float((len(sums) / (len(sums) - 1) * sums.pow(2).sum()) ** 0.5 / len(rows))
        path = Path(eval_file)
        path.with_name(f"{path.stem}_score.json").write_text(json.dumps(found, indent=2), encoding="utf-8")
        return found


class Comparisons(Questions):
    NAMES = {compare}

    def score(self, row, text):
        named = parse_choice(text, ("left", "right"))
        return {"accuracy": named == row["answer"], "unreadable": named is None}


class Values(Questions):
    NAMES = {value}

    def score(self, row, text):
        value = parse_value(text, row["unit"])
        off = relative_error(value, row["value"])
        return {"accuracy": off <= 0.1, "within_25": off <= 0.25, "unreadable": value is None}


vlmeval.dataset.DATASET_CLASSES += [Comparisons, Values]
vlmeval.dataset.SUPPORTED_DATASETS += [*Comparisons.NAMES, *Values.NAMES]

if __name__ == "__main__":
    if importlib.util.find_spec("vlmeval.run"):
        from vlmeval.run import main
    else:
        # A checkout has it beside the package.
        sys.path.append(str(Path(vlmeval.__file__).parents[1]))
        from run import main
    main()
'''

_TEXT = """# For VLMEvalKit

```
python path/to/this/folder/{file} --data {first} --model Qwen3-VL-8B-Instruct
```

`{file}` takes the arguments of VLMEvalKit's `run.py`, and knows the data sets {names}.
Words are those of `hpvqa eval`, the system message before the question, and replies are read as strictly: no judge is
asked. {how}

The score is `accuracy`: how often the word is the correct one, or the number is off by a tenth of the true value at
most; `within_25`: by a quarter. `unreadable` replies are wrong. `stderr` is the standard error of `accuracy`, by event:
several cameras see the same one. `hpvqa eval` gives intervals that also hold for few events.
"""


def _write(root: Path, job: Job) -> list[str]:
    forms = write_questions(root, job)
    names = {form: [f"hpvqa_{name}" for name, of in forms.items() if of == form] for form in ("compare", "value")}
    program = _PROGRAM
    for form, of_form in names.items():
        program = program.replace(f"{{{form}}}", str(of_form))
    write_program(root / PROGRAM_FILE, program, job)
    told = ", ".join(f"`hpvqa_{name}`" for name in forms)
    first = f"hpvqa_{next(iter(forms))}"
    write_text(root / CARD_FILE, _TEXT.format(file=PROGRAM_FILE, first=first, names=told, how=FRAMES))
    return []


EXPORT = Export(_write, frozenset({"frames"}), "eval")
