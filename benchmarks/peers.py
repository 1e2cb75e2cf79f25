"""What others take for the same, side by side: the command that evaluates 28 rows, decoding, and writing for LeRobot.

Each of the others is in an environment of its own, whose requirements exclude ours: `scripts/exports.sh lmms-eval
inspect lerobot decoders` makes them below .venvs/exports (HPVQA_READERS names another place). One that is missing is
left out. TorchCodec loads the FFmpeg libraries of the system. Figures are CPU seconds, of all processes, so that other
work on the machine changes them little; the load is printed with them. Six episodes are recorded first (or name a data
folder with four for evaluation under the recipe demo). Prints all figures as one line of JSON last.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.recorded import run

from hpvqa.dataset.load import open_dataset
from hpvqa.vlm.frames.sampling import FrameSampling

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = Path(os.environ.get("HPVQA_READERS", ROOT / ".venvs" / "exports"))
ROUNDS = 3
CAMERAS = 2
"""So many cameras are written for LeRobot: its own writer takes long."""
HPVQA = (sys.executable, "-m", "hpvqa")
_ASK = """
import json, sys
from importlib.metadata import version
print(json.dumps(version(sys.argv[1])))
"""
_INSPECT = """
import sys
from inspect_ai import eval as evaluate
from inspect_ai.model import ModelOutput, ModelUsage, get_model
def left():
    while True:
        output = ModelOutput.from_content("mockllm", "left")
        output.usage = ModelUsage()
        yield output
model = get_model("mockllm/model", custom_outputs=left())
(log,) = evaluate(sys.argv[1], model=model, display="none", log_dir=sys.argv[2])
assert log.status == "success", log.error
"""


def python_of(name: str) -> str | None:
    """The Python of an environment, if there is one."""
    path = ENVIRONMENTS / name / "bin" / "python"
    return str(path) if path.is_file() else None


def spent(words: Sequence[object], folder: Path) -> tuple[float, str]:
    """CPU seconds of a command with all its processes, and what it printed."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    # Ours is first on the path of Python; others' environments must not see it.
    if words[0] != sys.executable:
        environment.pop("PYTHONPATH", None)
    before = os.times()
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    after = os.times()
    if done.returncode:
        raise SystemExit(f"{words}: {done.stderr[-2000:]}")
    return after.children_user + after.children_system - before.children_user - before.children_system, done.stdout


def shortest(commands: Mapping[str, Sequence[object]], folder: Path) -> dict[str, float]:
    """The fewest CPU seconds of each command, in turn, so that all meet the same load."""
    found: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, words in commands.items():
            # A command that goes on where it stopped has nothing left to do.
            fresh = [str(word).replace("{time}", str(time.time_ns())) for word in words]
            found[name] = min(found.get(name, 1e9), spent(fresh, folder)[0])
    return found


def evaluating(dataset: Path, folder: Path) -> dict[str, float]:
    """The whole command on 28 rows, with whoever says left to everything."""
    commands: dict[str, Sequence[object]] = {
        "hpvqa": [*HPVQA, "eval", "--dataset", dataset, "--task", "push", "--model", "left", "--out", "runs/{time}"]
    }
    for name in ("lmms-eval", "inspect"):
        spent([*HPVQA, "export", name, dataset, "--task", "push", "--out", folder / name], folder)
    if (python := python_of("lmms-eval")) is not None:
        words = ("--include_path", folder / "lmms-eval", "--tasks", "hpvqa_push_compare", "--model", "dummy")
        more = ("--gen_kwargs", "max_new_tokens=64", "--batch_size", "1")
        commands["lmms-eval"] = [python, "-m", "lmms_eval", *words, *more]
    if (python := python_of("inspect")) is not None:
        task = folder / "inspect" / "hpvqa_tasks.py@hpvqa_push_compare"
        commands["inspect"] = [python, "-c", _INSPECT, task, folder / "logs"]
    return shortest(commands, folder)


def decoding(dataset: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """Frames of the 28 clips, two a second, at their own size."""
    root, sampling = open_dataset(dataset), FrameSampling()
    step = round(root.rows("eval")[0].fps / sampling.fps)
    clips = [
        (str(root.clip("eval", row)), list(range(0, row.frames, step)))
        for row in root.comparisons("eval")
        if row.task == "push"
    ]
    path = folder / "clips.json"
    path.write_text(json.dumps(clips))
    readers = {"hpvqa": sys.executable, "pyav": sys.executable}
    if (python := python_of("decoders")) is not None:
        readers |= dict.fromkeys(("torchcodec", "decord2", "opencv"), python)
    found: dict[str, dict[str, Any]] = {}
    for name, python in readers.items():
        try:
            _, said = spent([python, ROOT / "benchmarks/peer/decoding.py", name, path], folder)
        except SystemExit as error:
            print(f"{name} cannot be measured: {str(error).strip().splitlines()[-1]}")
            continue
        found[name] = json.loads(said.splitlines()[-1])
    return found


def writing(dataset: Path, folder: Path) -> dict[str, Any]:
    """Two cameras of all episodes, for LeRobot."""
    cameras = ",".join(dict.fromkeys(row.camera for row in open_dataset(dataset).rows("eval")[:CAMERAS]))
    out = folder / "lerobot"
    words = (*HPVQA, "export", "lerobot", dataset, "--task", "push", "--camera", cameras, "--out", out)
    found: dict[str, Any] = {"hpvqa": {"cpu_s": spent(words, folder)[0]}}
    if (python := python_of("lerobot")) is not None:
        _, said = spent([python, ROOT / "benchmarks/peer/writing.py", out, folder / "theirs"], folder)
        found["lerobot"] = json.loads(said.splitlines()[-1])
    return found


def measure(data: Path, folder: Path) -> dict[str, float | str]:
    dataset = folder / "dataset"
    spent([*HPVQA, "build", data.resolve(), "--recipe", "demo", "--out", dataset], folder)
    found: dict[str, float | str] = {"load_before": os.getloadavg()[0]}
    found["rows"] = sum(row.task == "push" for row in open_dataset(dataset).rows("eval"))
    for name, of in {"lmms-eval": "lmms-eval", "inspect": "inspect-ai"}.items():
        if (python := python_of(name)) is not None:
            found[f"version_{name}"] = json.loads(spent([python, "-c", _ASK, of], folder)[1])
    found |= {f"eval_{name}_cpu_s": value for name, value in evaluating(dataset, folder).items()}
    for part, told in {"decode": decoding(dataset, folder), "write": writing(dataset, folder)}.items():
        found |= {f"{part}_{name}_{what}": value for name, one in told.items() for what, value in one.items()}
    return {**found, "load_after": os.getloadavg()[0]}


if __name__ == "__main__":
    run(__doc__, ["push", "--episodes", "6", "--resolution", "224x224"], measure)
