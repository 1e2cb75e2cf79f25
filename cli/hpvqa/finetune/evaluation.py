"""The one look at the evaluation split, after the training."""

from __future__ import annotations

from collections.abc import Sequence

from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.select import Rows
from hpvqa.evaluate.session import run_model
from hpvqa.explore.samples.load import SampleFolder
from hpvqa.finetune.run import TrainingJob
from hpvqa.progress.reporter import Reporter
from hpvqa.vlm.choice import ModelChoice


def evaluate_adapter(job: TrainingJob, reporter: Reporter) -> Sequence[Prediction] | None:
    """Answer the evaluation split with a trained adapter, as ``hpvqa eval`` would, into ``eval`` in its folder.

    Views that it was not trained on are asked about, too: the run holds how it does there.

    Returns:
        The predictions that it is judged by; None if there is no evaluation split, as samples of scenes have none.

    Raises:
        HpvqaError: The message says what is wrong; the adapter stays.
    """
    if isinstance(job.dataset, SampleFolder):
        return None
    if not any(job.task in (None, row.task) for row in job.dataset.rows("eval")):
        reporter.note(f"{job.dataset.root} has no evaluation split, so none is answered")
        return None
    return run_model(
        job.dataset,
        ModelChoice(backend="transformers", model=job.model, adapter=job.out, device=job.device),
        job.out / "eval",
        reporter,
        rows=Rows(split="eval", task=job.task),
        seed=job.recipe.training.seed,
        workers=max(job.workers, 1),
    ).main
