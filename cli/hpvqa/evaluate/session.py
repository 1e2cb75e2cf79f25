"""From what a user chooses to a run: every command that has questions answered goes through here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hpvqa.dataset.load import Dataset
from hpvqa.dataset.rows import Row
from hpvqa.evaluate.command import command_of
from hpvqa.evaluate.conditions import PLAIN, Condition
from hpvqa.evaluate.folder import RunSettings, check_run_folder
from hpvqa.evaluate.parts import parts_of, untrained_note
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.run import default_out, evaluate, run_settings
from hpvqa.evaluate.score import Cell, score
from hpvqa.evaluate.select import Rows, select
from hpvqa.evaluate.trials import most_views
from hpvqa.progress.reporter import Reporter
from hpvqa.vlm.choice import ModelChoice, choose_look, open_answerer
from hpvqa.vlm.options import ServerOptions
from hpvqa.vlm.seen import Shot
from hpvqa.vlm.training_record import strange_views


@dataclass(frozen=True)
class Evaluated:
    """A run whose rows are answered.

    Attributes:
        out: Its folder.
        settings: What was run.
        predictions: The answers to the rows that were asked for, in the order of asking.
    """

    out: Path
    settings: RunSettings
    predictions: Sequence[Prediction]

    @cached_property
    def parts(self) -> dict[str, list[Prediction]]:
        """The answers by what is scored separately; the run is judged by the first part."""
        return parts_of(self.predictions, self.settings.views)

    @cached_property
    def scores(self) -> dict[str, list[Cell]]:
        """The score of each part."""
        return {name: score(rows) for name, rows in self.parts.items()}

    @property
    def main(self) -> list[Prediction]:
        """The answers that the run is judged by."""
        return next(iter(self.parts.values()), [])

    @property
    def note(self) -> str | None:
        """Which views do not count, in a sentence; None if all do."""
        return untrained_note(self.predictions, self.settings.views)


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
        restart: Whether to drop the answers that are there, and begin anew.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    if out is not None:
        check_run_folder(out)
    look = choose_look(choice)
    items = select(dataset, prompt=look.prompt, **rows.model_dump())
    videos = most_views(items) if any(condition.joins_views for condition in conditions) else 1
    with closing(open_answerer(choice, dataset, seed=seed, environ=environ or {}, max_videos=videos)) as answerer:
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
        settings = run_settings(
            dataset,
            answerer,
            rows,
            look,
            backend=choice.backend,
            model=choice.name or answerer.name,
            seed=seed,
            command=command_of(dataset, choice, rows, seed, conditions),
        )
        out = out or default_out(settings)
        predictions = evaluate(
            items,
            answerer,
            out,
            settings,
            reporter,
            conditions=conditions,
            workers=workers or (2 if answerer.given_frames else 1),
            restart=restart,
        )
    return Evaluated(out, settings, predictions)


def _shot(row: Row) -> Shot:
    return Shot.of(row.task, (row.width, row.height), row.calibration)
