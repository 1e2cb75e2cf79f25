"""A run: all rows that are not answered yet are answered, and each answer is written down at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import hpvqa
from hpvqa.dataset.load import Dataset
from hpvqa.dataset.splits import Selection
from hpvqa.evaluate.folder import RunSettings, open_run
from hpvqa.evaluate.pool import answer_batches
from hpvqa.evaluate.prediction import Prediction, predict
from hpvqa.evaluate.select import Item
from hpvqa.progress.reporter import Reporter
from hpvqa.vlm.prompt import CHOICES, SYSTEM_PROMPT
from hpvqa.vlm.protocol import Answerer


def run_settings(
    dataset: Dataset,
    *,
    backend: str,
    model: str,
    split: Selection,
    task: str | None = None,
    camera: str | None = None,
    seed: int,
) -> RunSettings:
    """Everything that the answers of a run depend on."""
    return RunSettings(
        backend=backend,
        model=model,
        dataset=str(dataset.root),
        fingerprint=dataset.fingerprint,
        split=split,
        task=task,
        camera=camera,
        seed=seed,
        system_prompt=SYSTEM_PROMPT,
        choices=CHOICES,
        versions={"hpvqa": hpvqa.__version__, "av": version("av"), "numpy": version("numpy")},
    )


def default_out(settings: RunSettings) -> Path:
    """The folder of a run if none is given: one for each model, data set and choice of rows."""
    chosen = (None if settings.split == "eval" else settings.split, settings.task, settings.camera)
    dataset = f"{Path(settings.dataset).resolve().name}-{settings.fingerprint[:8]}"
    return Path("runs") / "-".join([settings.model, dataset, *(name for name in chosen if name)])


def evaluate(
    items: Sequence[Item],
    answerer: Answerer,
    out: Path,
    settings: RunSettings,
    reporter: Reporter,
    *,
    workers: int = 1,
) -> list[Prediction]:
    """Answer rows into a run's folder; those that it holds are not asked again, except where they failed.

    Args:
        items: The rows.
        answerer: Who answers.
        out: The run's folder, a new one or one to go on with.
        settings: What ``run.json`` says; it must agree with what is there.
        reporter: Told of every row.
        workers: How many processes answer.

    Returns:
        The predictions of all these rows, in their order.

    Raises:
        UsageError: The folder holds something else.
        RunError: Another process writes to the folder, a worker died, or the disk is full; what was answered stays.
    """
    with open_run(out, settings) as log:
        known = log.by_name
        missing = [item for item in items if item.row.file_name not in known or known[item.row.file_name].error]
        reporter.start("eval", "rows", len(items), len(items) - len(missing))
        size = answerer.batch_size
        batches = [missing[start : start + size] for start in range(0, len(missing), size)]
        queries = [[item.query for item in batch] for batch in batches]
        with closing(answer_batches(answerer, queries, min(workers, len(batches) or 1))) as answered:
            for batch, answers in zip(batches, answered, strict=True):
                for item, answer in zip(batch, answers, strict=True):
                    log.append(predict(item.split, item.row, settings.choices, answer))
                    reporter.item(item.row.file_name, ok=answer.error is None, message=answer.error)
        reporter.done()
        return [known[item.row.file_name] for item in items]
