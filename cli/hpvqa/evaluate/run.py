"""A run: everything that is not answered yet is answered, and each answer is written down at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hpvqa.dataset.load import Dataset
from hpvqa.errors import printable
from hpvqa.evaluate.conditions import PLAIN, Condition
from hpvqa.evaluate.folder import RunSettings, open_run
from hpvqa.evaluate.pool import answer_trials
from hpvqa.evaluate.prediction import Reply
from hpvqa.evaluate.ray import ClusterChoice, answer_on
from hpvqa.evaluate.select import Item, Rows
from hpvqa.evaluate.trials import TrainingMeans, check_conditions, plan
from hpvqa.progress.reporter import Reporter
from hpvqa.versions import versions_of
from hpvqa.vlm.choice import Look
from hpvqa.vlm.prompt import CHOICES, PromptRecord
from hpvqa.vlm.protocol import Answerer


def run_settings(
    dataset: Dataset,
    answerer: Answerer,
    rows: Rows,
    look: Look,
    *,
    backend: str,
    model: str,
    seed: int,
    longest: int | None = None,
    command: Sequence[str] = (),
) -> RunSettings:
    """Everything that the answers of a run depend on.

    Args:
        dataset: The data set.
        answerer: What answers; a server has been loaded.
        rows: Which rows are asked about.
        look: What the answerer is told and shown.
        backend: What runs the model.
        model: Its name.
        seed: Random seed.
        longest: The longest number that may be said [tokens]; None if none is asked for, or it does not matter.
        command: The command that makes the run.
    """
    # Of all rows: a run may go on with more of them.
    sizes = {(row.width, row.height) for _, row in rows.model_copy(update={"limit": None}).of(dataset)}
    return RunSettings(
        **rows.model_dump(),
        backend=backend,
        model=model,
        details={**answerer.details, **({} if longest is None else {"max_new_tokens": longest})},
        dataset=printable(str(dataset.root)),
        fingerprint=dataset.fingerprint,
        sizes=tuple(sorted(sizes)),
        seed=seed,
        prompt=PromptRecord.of(look.prompt),
        choices=CHOICES,
        frames=look.frames if answerer.given_frames else None,
        privileged=answerer.privileged or (answerer.given_frames and look.frames.privileged),
        resampling=answerer.resampling,
        views=dict(look.views),
        versions=versions_of(answerer.distributions),
        command=tuple(map(printable, command)),
    )


def default_out(settings: RunSettings) -> Path:
    """The folder of a run if none is given: one for each model, data set, choice of rows and way of looking."""
    adapter = settings.details.get("adapter")
    alone = not adapter or adapter == settings.model
    who = Path(settings.model).name if alone else f"{Path(settings.model).name}+{Path(str(adapter)).name}"
    dataset = f"{Path(settings.dataset).resolve().name}-{settings.fingerprint[:8]}"
    frames = settings.frames
    look = None
    if frames is not None:
        shape = "native" if frames.resolution is None else f"{frames.resolution[0]}x{frames.resolution[1]}"
        count = "" if frames.count is None else f"{frames.count}of"
        look = f"{frames.sampler}{count}{frames.fps:g}fps{shape}"
    chosen = (
        None if settings.backend == "baseline" else settings.backend,
        None if settings.split == "eval" else settings.split,
        settings.task,
        "+".join(settings.camera or ()),
        None if settings.episodes is None else f"e{'+'.join(map(str, settings.episodes[:8]))}",
        look,
    )
    return Path("runs") / "-".join([who, dataset, *(name for name in chosen if name)])


def evaluate(
    items: Sequence[Item],
    answerer: Answerer,
    out: Path,
    settings: RunSettings,
    reporter: Reporter,
    *,
    conditions: Sequence[Condition] = (PLAIN,),
    training_mean: TrainingMeans | None = None,
    workers: int = 1,
    cluster: ClusterChoice | None = None,
    restart: bool = False,
) -> list[Reply]:
    """Answer rows into a run's folder; what it holds is not asked again, except where it failed.

    Args:
        items: The rows.
        answerer: What answers the queries.
        out: The run's folder, a new one or one to go on with.
        settings: What ``run.json`` says; it must agree with what is there.
        reporter: Told of every answer.
        conditions: How rows are asked; all conditions share the decoded frames of a clip.
        training_mean: What stands beside values, by task.
        workers: Processes that answer, or threads that decode for an answerer that is given frames.
        cluster: A cluster that answers in their place.
        restart: Whether to drop the answers that are there, and begin anew.

    Returns:
        The predictions to all these rows, in the order in which they are asked.

    Raises:
        UsageError: The folder holds something else, or a condition does not suit the answerer.
        RunError: Another process writes to the folder, a worker, server or cluster is gone, or the disk is full; what
            was answered stays.
    """
    check_conditions(answerer, conditions)
    trials = plan(items, conditions)
    with open_run(out, settings, restart=restart) as log:
        missing = [trial for trial in trials if trial.key not in log.by_key or log.by_key[trial.key].error]
        if missing and answerer.given_frames and cluster is None:
            # Before the start, so that no estimate of the time left counts it.
            reporter.note(f"Loading {answerer.name}")
            answerer.load(reporter.warning)
        reporter.start("eval", "rows", len(trials), len(trials) - len(missing))
        if missing:
            given = missing, answerer, settings.frames, settings.seed
            answering = (
                answer_trials(*given, workers=workers)
                if cluster is None
                else answer_on(cluster, *given, tell=reporter.note)
            )
            with closing(answering) as answered:
                for trial, answer in answered:
                    prediction = trial.answered(answer, training_mean or {})
                    log.append(prediction)
                    reporter.item(prediction.file_name, ok=answer.error is None, message=answer.error)
        reporter.done()
        return [log.by_key[trial.key] for trial in trials]
