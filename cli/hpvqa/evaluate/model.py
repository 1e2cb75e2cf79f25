"""A model's answers to a data set, in its own way of looking: what commands other than ``hpvqa eval`` ask for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hpvqa.dataset.load import Dataset
from hpvqa.dataset.splits import Selection
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.run import evaluate, run_settings
from hpvqa.evaluate.select import select
from hpvqa.progress.reporter import Reporter
from hpvqa.vlm.choice import ModelChoice, choose_look, open_answerer


def evaluate_model(
    dataset: Dataset,
    choice: ModelChoice,
    out: Path,
    reporter: Reporter,
    *,
    split: Selection,
    task: str | None = None,
    seed: int,
    workers: int,
) -> Sequence[Prediction]:
    """Answer a split with a model, as ``hpvqa eval`` would.

    Args:
        dataset: The data set.
        choice: The model.
        out: Folder of the run.
        reporter: Told about progress.
        split: Which rows.
        task: Only the rows of this task; None: all.
        seed: Seed of whatever draws lots.
        workers: Threads that decode clips.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    assert choice.name is not None  # noqa: S101 - only a server may have no name
    look = choose_look(choice)
    with closing(open_answerer(choice, dataset, seed=seed, environ={})) as answerer:
        settings = run_settings(
            dataset,
            answerer,
            backend=choice.backend,
            model=choice.name,
            prompt=look.prompt,
            frames=look.frames,
            split=split,
            task=task,
            seed=seed,
        )
        items = select(dataset, split, look.prompt, task=task)
        return evaluate(items, answerer, out, settings, reporter, workers=workers)
