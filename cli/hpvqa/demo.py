"""The whole loop in small: robot episodes, a data set, and first answers to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hpvqa.collect.folder import check_ours
from hpvqa.collect.mujoco import mujoco_pool
from hpvqa.collect.pool import ChildPool
from hpvqa.collect.run import Request, collect
from hpvqa.collect.settings import COLLECTION_FILE, Collection, differences, installed_versions, read_collection
from hpvqa.dataset.build import build
from hpvqa.dataset.layout import DifferentError
from hpvqa.dataset.load import open_dataset
from hpvqa.dataset.manifest import is_dataset
from hpvqa.errors import UsageError
from hpvqa.evaluate.folder import check_run_folder
from hpvqa.evaluate.select import Rows
from hpvqa.evaluate.session import Evaluated, run_model
from hpvqa.files import check_target
from hpvqa.install import pip_install
from hpvqa.progress.reporter import Reporter
from hpvqa.recipe import Recipe, load_recipe
from hpvqa.record.episode import EpisodeRecord, find_episodes, read_episode
from hpvqa.record.sheet import contact_sheet
from hpvqa.record.sight import Sight, clearest
from hpvqa.sim import prepare
from hpvqa.vlm.choice import ModelChoice
from hpvqa.vlm.embedded import ADAPTED, BASE
from hpvqa.vlm.registry import BASELINES

MODELS = (BASE, ADAPTED)
"""The model that comes with the package, before and after fine-tuning."""


@dataclass(frozen=True)
class Demo:
    """What the demo made.

    Attributes:
        data: The episodes.
        dataset: The data set.
        runs: A folder of answers for every baseline and model.
        answers: The run of each of them.
        sheets: A contact sheet for every task, of the episode that shows the answer best.
        clips: The clip of that episode in which a person sees the answer best, for every task.
    """

    data: Path
    dataset: Path
    runs: Path
    answers: Mapping[str, Evaluated]
    sheets: Mapping[str, Path]
    clips: Mapping[str, Path]


def run_demo(out: Path, workers: int, reporter: Reporter, clock: Callable[[], float], *, restart: bool = False) -> Demo:
    """Do everything that was not done before.

    Args:
        out: Folder for all of it; the same one again goes on where it stopped.
        workers: Processes at work.
        reporter: Told about progress.
        clock: The time [s].
        restart: Whether to make data set and answers anew; episodes stay.

    Raises:
        HpvqaError: A part is missing, or the folder holds something else.
        KeyboardInterrupt: It was interrupted; what was finished stays.
    """
    recipe = load_recipe("demo")
    data, dataset, runs = out / "data", out / "dataset", out / "runs"
    _check_folder(out, recipe)
    _collect(recipe, data, workers, reporter, clock)
    reporter.note(f"Step 2 of 5: a question and its answer for every clip, split by episode, in {dataset}")
    try:
        build(data, dataset, reporter, recipe=recipe, force=restart)
    except DifferentError:
        raise UsageError(
            f"{dataset} differs from the data set that the demo makes of its episodes, perhaps since an older version "
            "made it; have it and all answers made anew with --restart, or choose another --out"
        ) from None
    opened = open_dataset(dataset)

    def answer(choice: ModelChoice, processes: int) -> Evaluated:
        assert choice.name is not None  # noqa: S101 - only a server may have no name
        return run_model(
            opened,
            choice,
            runs / choice.name,
            reporter,
            rows=Rows(split="eval"),
            seed=recipe.seed,
            workers=processes,
            restart=restart,
        )

    reporter.note(f"Step 3 of 5: answers of {len(BASELINES)} baselines, in {runs}")
    # Only the baseline that looks at clips is slow enough for a second process to pay.
    answers = {name: answer(ModelChoice(model=name), workers if name == "pixels" else 1) for name in BASELINES}
    if can_run_models():
        reporter.note(f"Step 4 of 5: answers of a small model, before and after fine-tuning, in {runs}")
        for name in MODELS:
            answers[name] = answer(ModelChoice(backend="transformers", model=name, device="cpu"), workers)
    else:
        reporter.note(f"Step 4 of 5 is left out: the model that comes with the package needs {pip_install('vlm')}")
    reporter.note(f"Step 5 of 5: pictures, in {out}")
    sheets, clips = {}, {}
    for task in recipe.named_tasks():
        folder, record, sight = _plainest(data, task)
        sheets[task] = out / f"{task}.png"
        contact_sheet(folder, record).save(sheets[task])
        clips[task] = folder / f"{sight.camera.name}.mp4"
    return Demo(data, dataset, runs, answers, sheets, clips)


def _plainest(data: Path, task: str) -> tuple[Path, EpisodeRecord, Sight]:
    """The episode of a task, and the camera, that show a person the answer best."""
    records = [(folder, read_episode(folder)) for folder in find_episodes(data, task)]
    return max(((folder, record, clearest(record)) for folder, record in records), key=lambda found: found[2].pixels)


def can_run_models() -> bool:
    """Whether models can run in this process."""
    return all(find_spec(package) is not None for package in ("torch", "transformers", "peft"))


def _check_folder(out: Path, recipe: Recipe) -> None:
    """Make sure, before any work, that nothing but an earlier demo is in the folder.

    Raises:
        UsageError: Something else is there.
    """
    check_target(out, folder=True)
    if not out.exists():
        return
    data, dataset, runs = out / "data", out / "dataset", out / "runs"
    if not (data / COLLECTION_FILE).is_file():
        made = {data.name, dataset.name, runs.name, *(f"{task}.png" for task in recipe.named_tasks())}
        foreign = sorted({path.name for path in out.iterdir()} - made)
        if foreign:
            raise UsageError(
                f"{out} holds {foreign[0]}, which the demo did not make; choose an empty or a new folder as --out"
            )
    check_ours(data)
    check_target(dataset, folder=True)
    if dataset.exists() and any(dataset.iterdir()) and not is_dataset(dataset):
        raise UsageError(f"{dataset} exists and is not a data set; choose an empty or a new folder as --out")
    check_target(runs, folder=True)
    for name in (*BASELINES, *MODELS):
        check_run_folder(runs / name)


def _collect(recipe: Recipe, data: Path, workers: int, reporter: Reporter, clock: Callable[[], float]) -> None:
    counts = {name: task.episodes for name, task in recipe.named_tasks().items()}
    reporter.note(f"Step 1 of 5: {sum(counts.values())} robot episodes in simulation, in {data}")
    wanted = Collection.of(recipe, list(counts), installed_versions(recipe.backend, list(counts)))
    found = read_collection(data)
    if found is not None and differences(found, wanted) and next(find_episodes(data), None) is not None:
        raise UsageError(
            f"The episodes in {data} are not those of the demo, perhaps since an older version made them "
            f"({'; '.join(differences(found, wanted))}); delete {data.parent}, or choose another --out"
        )

    def open_pool(missing: int) -> ChildPool:
        prepare(recipe.backend, draws=recipe.video, tell=reporter.note)
        return mujoco_pool(min(workers, missing))

    report = collect(Request(data, wanted, counts), open_pool, reporter, clock)
    if report.status == "interrupted":
        raise KeyboardInterrupt
