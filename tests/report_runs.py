"""Runs for tests of reports, as folders and as files of the public original."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hpvqa.dataset.build import build
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.dataset.rows import Row
from hpvqa.evaluate.chances import p_left
from hpvqa.evaluate.folder import PromptRecord, RunSettings
from hpvqa.evaluate.prediction import Prediction
from hpvqa.recipe import Recipe
from hpvqa.scene.spec import SIDES, Side, other_side
from hpvqa.tasks import TASKS
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import load_prompt
from tests import factories

Say = Callable[[Row], Side | None]


def left(row: Row) -> Side:
    return "left"


def truth(row: Row) -> Side:
    return row.answer


def make_dataset(folder: Path, *, seed: int = 3, shift: str | None = None, **episodes: int) -> Dataset:
    data = factories.make_data(folder / "data", seed=seed, shift=shift, **episodes)
    out = folder / "dataset"
    build(data, out, factories.quiet(), recipe=Recipe())
    return open_dataset(out)


def make_run(
    folder: Path,
    dataset: Dataset,
    /,
    *,
    say: Say = left,
    conditions: Iterable[str] = ("plain",),
    logprobs: bool = True,
    adapter: str | None = None,
    **settings: Any,
) -> Path:
    """Write the folder of a run about both splits."""
    folder.mkdir(parents=True)
    given = {
        "backend": "transformers",
        "model": "model",
        "details": {} if adapter is None else {"adapter": adapter},
        "dataset": str(dataset.root),
        "fingerprint": dataset.fingerprint,
        "split": "all",
        "task": None,
        "camera": None,
        "seed": 42,
        "prompt": PromptRecord.of(load_prompt("paper")),
        "choices": SIDES,
        "frames": FrameSampling(),
        "versions": {"hpvqa": "0.0.test"},
    }
    (folder / "run.json").write_text(RunSettings.model_validate(given | settings).model_dump_json())
    lines = [
        make_prediction(row, say(row), split=split, condition=condition, logprobs=logprobs).model_dump_json()
        for condition in conditions
        for split in ("train", "eval")
        for row in dataset.rows(split)
    ]
    (folder / "predictions.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return folder


def make_prediction(
    row: Row,
    said: Side | None,
    *,
    split: str = "eval",
    condition: str = "plain",
    logprobs: bool = True,
    **changes: Any,
) -> Prediction:
    """An answer to a row; with log-probabilities, it is quite sure."""
    found: dict[Side, float] | None = None
    if logprobs and said is not None:
        found = {said: math.log(0.8), other_side(said): math.log(0.1)}
    answer = other_side(row.answer) if condition == "mirror" else row.answer
    given = {
        "file_name": row.file_name,
        "question": row.question,
        "answer": answer,
        "prediction": said,
        "is_correct": said == answer,
        "split": split,
        "task": row.task,
        "source": row.source,
        "episode": row.episode,
        "camera": row.camera,
        "gap": row.gap,
        "seed": row.seed,
        "shift": row.shift,
        "condition": condition,
        "choices": SIDES[::-1] if condition == "swap" else SIDES,
        "logprobs": found,
        "p_left": None if found is None else p_left(found),
        "p_choices": None if found is None else 0.9,
        "text": said or "left or right",
        "seconds": 0.1,
        "error": None,
    }
    return Prediction.model_validate(given | changes)


def append(run: Path, *predictions: Prediction) -> None:
    with (run / "predictions.jsonl").open("a") as file:
        file.writelines(f"{prediction.model_dump_json()}\n" for prediction in predictions)


def public_line(task: str, source: str, episode: int, camera: str, answer: str, said: str, /, **changes: Any) -> str:
    """One line of a file of the public original; ``is_correct`` is found by looking for the answer in the text."""
    line = {
        "file_name": f"someone/{source}/videos/episode_{episode}_cam_{camera}.mp4",
        "question": TASKS[task].question,
        "answer": answer,
        "prediction": said,
        "is_correct": answer.strip(".").lower() in said.lower(),
    }
    return json.dumps(line | changes) + "\n"


def make_internvl(folder: Path) -> list[Path]:
    """Files with the published counts of InternVL: 112/112 and 3/105 in push, 102/105 and 4/70 in drop."""
    cameras = [f"camera_{number}" for number in range(7)]
    parts = {
        "internvl_push_cubes_l_results.jsonl": [("push", "cubes_l_test", "Left.", 16, 0)],
        "internvl_push_cubes_r_results.jsonl": [("push", "cubes_r_test", "Right.", 15, 3)],
        "internvl_drop_spheres_results.jsonl": [
            ("drop", "spheres_test", "Left.", 15, 3),
            ("drop", "spheres_test", "Right.", 10, 4),
        ],
    }
    paths = []
    for name, groups in parts.items():
        lines = []
        first = 0
        for task, source, answer, episodes, said_right in groups:
            clips = [(first + episode, camera) for camera in cameras for episode in range(episodes)]
            for number, (episode, camera) in enumerate(clips):
                said = "right" if number < said_right else "left"
                lines.append(public_line(task, source, episode, camera, answer, said))
            first += episodes
        path = folder / name
        path.write_text("".join(lines))
        paths.append(path)
    return paths
