"""The whole loop in small: robot episodes, a data set, and first answers to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hpvqa.collect.pool import ProcessPool
from hpvqa.collect.run import Request, collect
from hpvqa.collect.settings import Collection, installed_versions
from hpvqa.collect.worker import open_simulator_record
from hpvqa.dataset.build import build
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.evaluate.model import evaluate_model
from hpvqa.evaluate.run import evaluate, run_settings
from hpvqa.evaluate.score import Cell, score
from hpvqa.evaluate.select import select
from hpvqa.install import pip_install
from hpvqa.progress.reporter import Reporter
from hpvqa.recipe import Recipe, load_recipe
from hpvqa.record.episode import episode_dir, read_episode
from hpvqa.record.sheet import contact_sheet
from hpvqa.vlm.choice import ModelChoice, choose_look
from hpvqa.vlm.embedded import ADAPTED, BASE
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.registry import BASELINES, open_baseline
from hpvqa.vlm.training_record import strange_views

MODELS = (BASE, ADAPTED)
"""The model that comes with the package, before and after fine-tuning."""


@dataclass(frozen=True)
class Demo:
    """What the demo made.

    Attributes:
        data: The episodes.
        dataset: The data set.
        runs: A folder of answers for every baseline and model.
        scores: The score of each of them; of models, in the views that they were trained on.
        sheets: A contact sheet for every task.
        clips: One clip of every task.
    """

    data: Path
    dataset: Path
    runs: Path
    scores: Mapping[str, Sequence[Cell]]
    sheets: Mapping[str, Path]
    clips: Mapping[str, Path]


def run_demo(out: Path, workers: int, reporter: Reporter, clock: Callable[[], float]) -> Demo:
    """Do everything that was not done before.

    Args:
        out: Folder for all of it; the same one again goes on where it stopped.
        workers: Processes at work.
        reporter: Told about progress.
        clock: The time [s].

    Raises:
        HpvqaError: A part is missing, or the folder holds something else.
        KeyboardInterrupt: It was interrupted; what was finished stays.
    """
    recipe = load_recipe("demo")
    data, dataset, runs = out / "data", out / "dataset", out / "runs"
    _collect(recipe, data, workers, reporter, clock)
    reporter.note(f"Step 2 of 5: a question and its answer for every clip, split by episode, in {dataset}")
    build(data, dataset, reporter, recipe=recipe)
    reporter.note(f"Step 3 of 5: answers of {len(BASELINES)} baselines, in {runs}")
    opened = open_dataset(dataset)
    scores = {model: _answer(opened, model, runs / model, recipe.seed, workers, reporter) for model in BASELINES}
    if can_run_models():
        reporter.note(f"Step 4 of 5: answers of a small model, before and after fine-tuning, in {runs}")
        scores |= {model: _ask(opened, model, runs / model, recipe.seed, workers, reporter) for model in MODELS}
    else:
        reporter.note(f"Step 4 of 5 is left out: the model that comes with the package needs {pip_install('vlm')}")
    reporter.note(f"Step 5 of 5: pictures, in {out}")
    sheets, clips = {}, {}
    for task in recipe.named_tasks():
        folder = episode_dir(data, task, 0)
        record = read_episode(folder)
        sheets[task] = out / f"{task}.png"
        contact_sheet(folder, record).save(sheets[task])
        closest = min((recorded.camera for recorded in record.cameras), key=lambda camera: camera.focal_length)
        clips[task] = folder / f"{closest.name}.mp4"
    return Demo(data, dataset, runs, scores, sheets, clips)


def can_run_models() -> bool:
    """Whether models can run in this process."""
    return all(find_spec(package) is not None for package in ("torch", "transformers", "peft"))


def _collect(recipe: Recipe, data: Path, workers: int, reporter: Reporter, clock: Callable[[], float]) -> None:
    counts = {name: task.episodes for name, task in recipe.named_tasks().items()}
    reporter.note(f"Step 1 of 5: {sum(counts.values())} robot episodes in simulation, in {data}")
    report = collect(
        Request(data, Collection.of(recipe, list(counts), installed_versions()), counts),
        lambda missing: ProcessPool(min(workers, missing), open_simulator_record),
        reporter,
        clock,
    )
    if report.status == "interrupted":
        raise KeyboardInterrupt


def _answer(dataset: Dataset, model: str, out: Path, seed: int, workers: int, reporter: Reporter) -> list[Cell]:
    answerer, prompt = open_baseline(model, dataset, seed), load_prompt("paper")
    settings = run_settings(
        dataset,
        answerer,
        backend="baseline",
        model=model,
        prompt=prompt,
        frames=FrameSampling(),
        split="eval",
        seed=seed,
    )
    # Only the baseline that looks at clips is slow enough for a second process to pay.
    several = workers if model == "pixels" else 1
    return score(evaluate(select(dataset, "eval", prompt), answerer, out, settings, reporter, workers=several))


def _ask(dataset: Dataset, model: str, out: Path, seed: int, workers: int, reporter: Reporter) -> list[Cell]:
    choice = ModelChoice(backend="transformers", model=model, device="cpu")
    answers = evaluate_model(dataset, choice, out, reporter, split="eval", seed=seed, workers=workers)
    views = choose_look(choice).views
    return score([row for row in answers if not strange_views(views, [(row.task, row.camera)])])
