"""From what a user chooses to a run: every command that has questions answered goes through here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean

from hpvqa.dataset.load import Dataset
from hpvqa.dataset.rows import AnyRow, ValueRow
from hpvqa.errors import UsageError
from hpvqa.evaluate.command import command_of
from hpvqa.evaluate.conditions import PLAIN, Condition
from hpvqa.evaluate.folder import RunSettings, check_run_folder
from hpvqa.evaluate.parts import parts_of, untrained_note
from hpvqa.evaluate.prediction import Estimate, Prediction, Reply
from hpvqa.evaluate.ray import ClusterChoice
from hpvqa.evaluate.run import default_out, evaluate, run_settings
from hpvqa.evaluate.score import Cell, score
from hpvqa.evaluate.select import Rows, select
from hpvqa.evaluate.trials import most_views
from hpvqa.evaluate.values import ValueCell, score_values
from hpvqa.progress.reporter import Reporter
from hpvqa.vlm.choice import ModelChoice, choose_look, open_answerer
from hpvqa.vlm.options import BaselineOptions, EngineOptions, ServerOptions, TransformersOptions
from hpvqa.vlm.seen import Shot
from hpvqa.vlm.training_record import strange_views


@dataclass(frozen=True)
class Evaluated:
    """A run whose rows are answered.

    Attributes:
        out: Its folder.
        settings: What was run.
        replies: The answers to the rows that were asked for, in the order of asking.
    """

    out: Path
    settings: RunSettings
    replies: Sequence[Reply]

    @cached_property
    def parts(self) -> dict[str, list[Prediction]]:
        """The answers by what is scored separately; the run is judged by the first part."""
        return parts_of([row for row in self.replies if isinstance(row, Prediction)], self.settings.views)

    @cached_property
    def scores(self) -> dict[str, list[Cell]]:
        """The score of each part."""
        return {name: score(rows) for name, rows in self.parts.items()}

    @cached_property
    def values(self) -> dict[str, list[ValueCell]]:
        """The score of each part of the values."""
        estimates = [row for row in self.replies if isinstance(row, Estimate)]
        return {name: score_values(rows) for name, rows in parts_of(estimates, self.settings.views).items()}

    @property
    def main(self) -> list[Prediction]:
        """The answers that the run is judged by."""
        return next(iter(self.parts.values()), [])

    @property
    def note(self) -> str | None:
        """Which views do not count, in a sentence; None if all do."""
        return untrained_note(self.replies, self.settings.views)


def run_model(
    dataset: Dataset,
    choice: ModelChoice,
    out: Path | None,
    reporter: Reporter,
    *,
    rows: Rows,
    seed: int,
    environ: Mapping[str, str] | None = None,
    conditions: Sequence[Condition] = (PLAIN,),
    workers: int | None = None,
    cluster: ClusterChoice | None = None,
    restart: bool = False,
) -> Evaluated:
    """Have a model or baseline answer rows of a data set, in its own way of looking, into a run's folder.

    Args:
        dataset: The data set.
        choice: The model, and what the user says about it.
        out: Folder of the run, a new one or one to go on with; None: one that is named after what is run.
        reporter: Told about progress.
        rows: Which rows.
        seed: Random seed.
        environ: The environment, for a server's key.
        conditions: How rows are asked.
        workers: Threads that decode clips for a model, or processes of a baseline; None: 2 or 1.
        cluster: A cluster that answers.
        restart: Whether to drop the answers that are there, and begin anew.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    if cluster is not None and not isinstance(choice.options, BaselineOptions | TransformersOptions):
        raise UsageError(
            f"--executor ray is for baselines and --backend transformers, not for {choice.backend}, which is a server "
            "or starts processes of its own"
        )
    if cluster is not None and isinstance(choice.options, EngineOptions) and choice.options.data_parallel_size > 1:
        raise UsageError(
            "--executor ray runs a copy of the model on every GPU of the cluster as it is; leave out "
            "--data-parallel-size"
        )
    if out is not None:
        check_run_folder(out)
    look = choose_look(choice)
    items = select(dataset, prompt=look.prompt, **rows.model_dump())
    videos = most_views(items) if any(condition.joins_views for condition in conditions) else 1
    with closing(open_answerer(choice, dataset, seed=seed, environ=environ or {}, max_videos=videos)) as answerer:
        suited = [item for item in items if item.row.form in answerer.forms]
        if len(suited) < len(items):
            reporter.warning(f"{answerer.name} answers no value questions, so it is asked to compare alone")
            items, rows = suited, rows.model_copy(update={"questions": tuple(answerer.forms)})
        for warning in look.warnings:
            reporter.warning(warning)
        # Said before the work, too, for whoever meant to ask about other views.
        strange = strange_views(look.views, ((item.row.task, item.row.camera) for item in items))
        if strange:
            reporter.warning(f"The model was not trained on {'; '.join(strange)}")
        for sentence in look.unlike(_shot(item.row) for item in items):
            reporter.warning(sentence)
        if isinstance(choice.options, ServerOptions):
            # What it serves, and whether it drops frames, is part of the settings.
            answerer.load(reporter.warning)
        asks_values = any(isinstance(item.row, ValueRow) for item in items)
        spoken = (
            choice.options.max_new_tokens if asks_values and not isinstance(choice.options, BaselineOptions) else None
        )
        settings = run_settings(
            dataset,
            answerer,
            rows,
            look,
            longest=spoken,
            backend=choice.backend,
            model=choice.name or answerer.name,
            seed=seed,
            command=command_of(dataset, choice, rows, seed, conditions),
        )
        out = out or default_out(settings)
        replies = evaluate(
            items,
            answerer,
            out,
            settings,
            reporter,
            conditions=conditions,
            training_mean={task: fmean(values) for task, values in dataset.true_values("train").items()},
            workers=workers or (2 if answerer.given_frames else 1),
            cluster=cluster,
            restart=restart,
        )
    return Evaluated(out, settings, replies)


def _shot(row: AnyRow) -> Shot:
    return Shot.of(row.task, (row.width, row.height), row.calibration)
