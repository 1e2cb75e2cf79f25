"""What is run for docs/results.md: commands of ours, each of which goes on where it stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hpvqa.vlm.tiny.save import save_checkpoint
from research.pretrain.model import build
from research.pretrain.settings import PretrainSettings

HERE = Path(__file__).parent
BASE, RANDOM = "embedded-base", "random"
SEEDS = (42, 43, 44)
LOOKS = {
    "paper": ("uniform", 2, 16),
    "uniform": ("uniform", 2.2222, 18),
    "dense": ("dense", 8, 18),
    "motion": ("motion", 2.2222, 18),
}
"""Ways to look at a drop: sampler, frames a second, and number of frames.

The plan lets the second sphere go 3.15 s after the first one. That is seven times 0.45 s, so that frames 0.45 s apart
show both at the same moments after their release; those of the paper, 0.5 s apart, do not.
"""
CONDITIONS = "plain,swap,blank"
TIME_CONDITIONS = f"{CONDITIONS},single,shuffle"
"""Also the last frame alone, and all frames out of order."""
COLLECTIONS = {
    "push-train": ("push", 360, 1000),
    "push-few": ("push", 120, 1000),
    "drop-train": ("drop", 600, 1000),
    "drop-more": ("drop", 900, 5000),
    "push-fresh": ("push", 100, 9000),
    "drop-fresh": ("drop", 100, 9000),
}
"""Collected episodes: task, number, and seed."""
DATASETS = {
    "push-train": ["push-train"],
    "drop-train": ["drop-train"],
    "drop-large": ["drop-train", "drop-more"],
    "both": ["push-few", "drop-train", "drop-more"],
    "push-fresh": ["push-fresh"],
    "drop-fresh": ["drop-fresh"],
}
"""Data sets, and the collections in them."""
COMPARED = ("training.mirror=false", "training.epochs=12")
"""How looks are compared: without the flipped rows, and as long as that then takes."""
Chain = Sequence[Callable[[], None]]
"""What is done one after the other."""


@dataclass(frozen=True)
class Trial:
    """One training of an adapter.

    Attributes:
        name: Its folder.
        data: The data set, one of :data:`DATASETS`.
        tasks: The tasks in it.
        base: Name or folder of the model it is trained on.
        seed: Seed of the training.
        look: Which frames it sees, one of :data:`LOOKS`; None: those of the recipe.
        settings: Values of the recipe that differ.
        shuffled: Whether every episode is given the answer of another one.
    """

    name: str
    data: str
    tasks: tuple[str, ...]
    base: str
    seed: int
    look: str | None = None
    settings: tuple[str, ...] = ()
    shuffled: bool = False

    @property
    def runs(self) -> dict[str, str]:
        """Names of its answers to fresh episodes, and the task of each."""
        if len(self.tasks) == 1:
            return {self.name: self.tasks[0]}
        return {f"{self.name}-{task}": task for task in self.tasks}

    @property
    def conditions(self) -> str:
        """The conditions under which it answers."""
        return CONDITIONS if len(self.tasks) == 1 else TIME_CONDITIONS


def trials() -> list[Trial]:
    """All trainings: three seeds each, one of every control, and the adapter that comes with the package."""
    push, drop = ("push",), ("drop",)
    found = [Trial("both", "both", (*push, *drop), BASE, SEEDS[0])]
    found += [Trial(f"drop-large-{seed}", "drop-large", drop, BASE, seed) for seed in SEEDS]
    found += [Trial(f"push-{seed}", "push-train", push, BASE, seed) for seed in SEEDS]
    found += [
        Trial(f"drop-{look}-{seed}", "drop-train", drop, BASE, seed, look, COMPARED) for look in LOOKS for seed in SEEDS
    ]
    for task, settings in ((push, ()), (drop, COMPARED)):
        name, data, seed = task[0], f"{task[0]}-train", SEEDS[0]
        found.append(Trial(f"{name}-random-base", data, task, RANDOM, seed, settings=settings))
        found.append(Trial(f"{name}-shuffled", data, task, BASE, seed, settings=settings, shuffled=True))
    return found


@dataclass(frozen=True)
class Lab:
    """The folder of everything that is made."""

    root: Path

    def run(self, *words: object) -> None:
        """Run one of our commands; what it says goes to a log.

        Raises:
            SystemExit: It failed.
        """
        self._run(sys.executable, "-m", "hpvqa", *words)

    def _run(self, *words: object) -> None:
        command, begin = [str(word) for word in words], time.time()
        with (self.root / "log.txt").open("a", encoding="utf-8") as log:
            done = subprocess.run(command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})
        print(f"{time.time() - begin:6.0f} s  {' '.join(command[2:])}", flush=True)
        if done.returncode:
            raise SystemExit(f"This failed: {' '.join(command)}\n{self.root / 'log.txt'} says why")

    def collect(self, name: str) -> None:
        """Episodes; of pushes two frames a second, which is more than is looked at."""
        task, episodes, seed = COLLECTIONS[name]
        how = {
            "push": ("--fps", 2, "--resolution", "224x224"),
            "drop": ("--fps", 15, "--resolution", "160x160", "--rig", HERE / "front-wide.yaml"),
        }[task]
        words = ("collect", task, "--episodes", episodes, "--seed", seed, *how, "--workers", 1)
        self.run(*words, "--out", self.root / "data" / name)

    def build(self, name: str) -> None:
        """A data set, all of it for training; what is evaluated has folders of its own."""
        words = ("build", *(self.root / "data" / part for part in DATASETS[name]), "--recipe", HERE / "train.yaml")
        self.run(*words, "--out", self.root / "dataset" / name)

    def random_base(self) -> None:
        """A base like the shipped one that has learnt nothing."""
        if not (self.root / RANDOM).exists():
            save_checkpoint(*build(PretrainSettings().model, seed=0), self.root / RANDOM)

    def base(self, trial: Trial) -> Path | str:
        """The model that an adapter is trained on."""
        return self.root / RANDOM if trial.base == RANDOM else trial.base

    def train(self, trial: Trial) -> None:
        """An adapter."""
        out = self.root / "adapters" / trial.name
        if (out / "README.md").is_file():
            return
        recipe = "embedded-drop-lora" if "drop" in trial.tasks else "embedded-lora"
        words: list[object] = ["finetune", "--model", self.base(trial), "--recipe", recipe, "--seed", trial.seed]
        words += ["--dataset", self.root / "dataset" / trial.data, *(["--resume"] if out.exists() else [])]
        words += ["--task", trial.tasks[0]] if len(trial.tasks) == 1 else []
        words += ["--out", out, "--workers", 1, "--no-eval", *([] if trial.look is None else look_options(trial.look))]
        for setting in trial.settings:
            words += ["--set", setting]
        module = "benchmarks.results.shuffled" if trial.shuffled else "hpvqa"
        self._run(sys.executable, "-m", module, *words)

    def evaluate(self, out: str, task: str, *model: object) -> None:
        """Answers to the fresh episodes of a task."""
        words = ("eval", "--dataset", self.root / "dataset" / f"{task}-fresh", "--split", "all", *model)
        self.run(*words, "--out", self.root / "runs" / out)

    def evaluate_trial(self, trial: Trial) -> None:
        """Answers of an adapter."""
        adapter = self.root / "adapters" / trial.name
        model = ("--backend", "transformers", "--model", self.base(trial), "--adapter", adapter)
        for name, task in trial.runs.items():
            self.evaluate(name, task, *model, "--condition", trial.conditions)

    def evaluate_base(self) -> None:
        """Answers of the base, and of who knows where everything is in the frames that each sampler chooses."""
        base = ("--backend", "transformers", "--model", BASE, "--condition", CONDITIONS)
        self.evaluate("push-base", "push", *base)
        self.evaluate("drop-base", "drop", *base, *look_options("uniform"), "--allow-mismatch")
        for look in LOOKS:
            oracle = ("--backend", "baseline", "--model", "frame-oracle")
            self.evaluate(f"oracle-{look}", "drop", *oracle, *look_options(look))


def look_options(look: str) -> list[object]:
    """A way to look as options of our commands."""
    sampler, fps, frames = LOOKS[look]
    # How many frames a uniform choice has follows from their rate; given, they would be spread to the clip's end.
    return ["--sampler", sampler, "--fps", fps, *([] if sampler == "uniform" else ["--frames", frames])]


def side_by_side(chains: Sequence[Chain], cores: int) -> None:
    """Work on chains, so many at the same time."""

    def follow(chain: Chain) -> None:
        for part in chain:
            part()

    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(follow, chains))
