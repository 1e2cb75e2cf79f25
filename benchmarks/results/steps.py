"""What is run for docs/results.md: commands of ours, each of which goes on where it stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SEEDS = (42, 43, 44)
RATES = {"uniform": 2, "dense": 8, "motion": 2}
"""Samplers, each with 16 frames of a drop, and their frames a second [1/s]: motion has that many on average."""
SAMPLERS = tuple(RATES)
CONDITIONS = "plain,swap,blank"
Chain = Sequence[Callable[[], None]]
"""What is done one after the other."""


@dataclass(frozen=True)
class Trial:
    """One training of an adapter.

    Attributes:
        name: Its folder.
        task: The task.
        base: Folder of the model it is trained on.
        seed: Seed of the training.
        sampler: Which frames it sees.
        shuffled: Whether every episode is given the answer of another one.
    """

    name: str
    task: str
    base: str
    seed: int
    sampler: str = "uniform"
    shuffled: bool = False


def trials() -> list[Trial]:
    """All trainings: three seeds each, and one of every control."""
    found = [Trial(f"push-{seed}", "push", "base", seed) for seed in SEEDS]
    found += [Trial(f"drop-{sampler}-{seed}", "drop", "base", seed, sampler) for seed in SEEDS for sampler in SAMPLERS]
    for task in ("push", "drop"):
        found.append(Trial(f"{task}-random-base", task, "random", SEEDS[0]))
        found.append(Trial(f"{task}-shuffled", task, "base", SEEDS[0], shuffled=True))
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

    def collect(self, name: str, task: str, episodes: int, seed: int) -> None:
        """Episodes; of pushes two frames a second, which is all that is looked at."""
        how = {
            "push": ("--fps", 2, "--resolution", "224x224"),
            "drop": ("--fps", 15, "--resolution", "160x160", "--rig", HERE / "front-wide.yaml"),
        }[task]
        words = ("collect", task, "--episodes", episodes, "--seed", seed, *how, "--workers", 1)
        self.run(*words, "--out", self.root / "data" / name)

    def collect_more(self) -> None:
        """The drops that the base was made from, and as many again."""
        few, many = self.root / "data" / "drop-pretrain", self.root / "data" / "drop-train"
        if not many.exists():
            shutil.copytree(few, many, copy_function=os.link)
        self.collect("drop-train", "drop", 600, 1000)

    def build(self, name: str) -> None:
        """A data set, all of it for training; what is evaluated has folders of its own."""
        words = ("build", self.root / "data" / name, "--recipe", HERE / "train.yaml")
        self.run(*words, "--out", self.root / "dataset" / name)

    def pretrain(self, name: str, *more: object) -> None:
        """A base model."""
        out = self.root / name
        if not out.exists():
            data = self.root / "data"
            words = ("--push", data / "push-train", "--drop", data / "drop-pretrain", "--out", out, *more)
            self._run(sys.executable, "-m", "hpvqa.pretrain", *words)

    def train(self, trial: Trial) -> None:
        """An adapter."""
        out = self.root / "adapters" / trial.name
        if (out / "README.md").is_file():
            return
        recipe = "embedded-lora" if trial.task == "push" else "embedded-drop-lora"
        words = ["finetune", "--model", self.root / trial.base, "--recipe", recipe, "--task", trial.task]
        words += ["--dataset", self.root / "dataset" / f"{trial.task}-train", "--seed", trial.seed]
        words += ["--out", out, "--workers", 1, "--no-eval", *(["--resume"] if out.exists() else [])]
        if trial.task == "drop":
            words += ["--sampler", trial.sampler, "--frames", 16, "--fps", RATES[trial.sampler]]
        module = "benchmarks.results.shuffled" if trial.shuffled else "hpvqa"
        self._run(sys.executable, "-m", module, *words)

    def evaluate(self, out: str, task: str, *model: object) -> None:
        """Answers to the fresh episodes of a task."""
        words = ("eval", "--dataset", self.root / "dataset" / f"{task}-fresh", "--split", "all", *model)
        self.run(*words, "--out", self.root / "runs" / out)

    def evaluate_trial(self, trial: Trial) -> None:
        """Answers of an adapter."""
        adapter = self.root / "adapters" / trial.name
        model = ("--backend", "transformers", "--model", self.root / trial.base, "--adapter", adapter)
        self.evaluate(trial.name, trial.task, *model, "--condition", CONDITIONS)

    def evaluate_base(self) -> None:
        """Answers of the base, and of who knows where everything is in the frames that each sampler chooses."""
        base = ("--backend", "transformers", "--model", self.root / "base", "--condition", CONDITIONS)
        self.evaluate("push-base", "push", *base)
        sixteen = ("--fps", 2, "--frames", 16, "--allow-mismatch")
        self.evaluate("drop-base", "drop", *base, *sixteen)
        for sampler in SAMPLERS:
            oracle = ("--backend", "baseline", "--model", "frame-oracle", "--sampler", sampler, "--frames", 16)
            oracle += ("--fps", RATES[sampler])
            self.evaluate(f"oracle-{sampler}", "drop", *oracle)


def side_by_side(chains: Sequence[Chain], cores: int) -> None:
    """Work on chains, so many at the same time."""

    def follow(chain: Chain) -> None:
        for part in chain:
            part()

    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(follow, chains))
