"""The one look at the evaluation split, after the training."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.run import evaluate, run_settings
from hpvqa.evaluate.select import select
from hpvqa.finetune.run import Job
from hpvqa.progress.reporter import Reporter
from hpvqa.vlm.choice import ModelChoice, choose_look, open_answerer

BACKEND = "transformers"


def evaluate_adapter(job: Job, reporter: Reporter) -> Sequence[Prediction] | None:
    """Answer the evaluation split with a trained adapter, as ``hpvqa eval`` would, into ``eval`` in its folder.

    Views that it was not trained on are asked about, too: how it does there is of interest.

    Returns:
        The predictions; None if the data set has no evaluation split.

    Raises:
        HpvqaError: The message says what is wrong; the adapter stays.
    """
    if not any(job.task in (None, row.task) for row in job.dataset.rows("eval")):
        reporter.note(f"{job.dataset.root} has no evaluation split, so none is answered")
        return None
    choice = ModelChoice(backend=BACKEND, model=job.model, adapter=job.out, device=job.device)
    look = choose_look(choice)
    seed = job.recipe.training.seed
    with closing(open_answerer(choice, job.dataset, seed=seed, environ={})) as answerer:
        settings = run_settings(
            job.dataset,
            answerer,
            backend=BACKEND,
            model=job.model,
            prompt=look.prompt,
            frames=look.frames,
            split="eval",
            task=job.task,
            seed=seed,
        )
        items = select(job.dataset, "eval", look.prompt, task=job.task)
        return evaluate(items, answerer, job.out / "eval", settings, reporter, workers=max(job.workers, 1))
