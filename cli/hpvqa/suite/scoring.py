"""From runs to the sections of a score card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.dataset.rows import AnyRow
from hpvqa.evaluate.prediction import CLOSE, Estimate, Prediction, Reply, relative_error
from hpvqa.evaluate.score import score as cells
from hpvqa.explore.runs.folder import read_run
from hpvqa.explore.runs.record import Played
from hpvqa.report.folder import read_folder
from hpvqa.suite.card import NOT_ANSWERED, Answers, Entry, Score, Section, Who, means, score, share_of
from hpvqa.suite.data import SCENES
from hpvqa.tasks.base import FORMS, Form

Runs = Mapping[Who, Path]
"""Folders of the runs whose scores stand side by side."""


def sections(part: str, dataset: Path, runs: Runs, fingerprint: str) -> list[Section]:
    """The sections of one part: one for each form of question.

    Args:
        part: Its name.
        dataset: Its data set.
        runs: The runs on it.
        fingerprint: That of the data set.

    Raises:
        HpvqaError: A run is not there, or damaged.
    """
    opened = open_dataset(dataset)
    replies = {who: _replies(folder) for who, folder in runs.items()}
    return [_section(part, form, opened, replies, fingerprint) for form in FORMS]


def _replies(folder: Path) -> dict[str, Reply]:
    run = read_folder(folder)
    return {reply.file_name: reply for reply in (*run.predictions, *run.estimates)}


def _section(
    part: str, form: Form, dataset: Dataset, replies: Mapping[Who, Mapping[str, Reply]], fingerprint: str
) -> Section:
    rows = [row for row in dataset.rows("eval") if row.form == form]
    tasks = {}
    for task in dict.fromkeys(row.task for row in rows):
        of_task = [row for row in rows if row.task == task]
        found = {who: answers for who, one in replies.items() if (answers := _answers(of_task, one))}
        scores: dict[Who, Score] = {who: one for who, answers in found.items() if (one := score(answers)) is not None}
        if (blind := _majority(of_task, replies["ceiling"])) is not None:
            scores["majority"] = blind
        tasks[task] = Entry(scores=scores, answers=found.get("model", {}))
    asked = any(entry.answers for entry in tasks.values())
    why = None if asked else f"It answers no {form} questions."
    return Section(part=part, form=form, why=why, fingerprint=fingerprint, scores=means(tasks), tasks=tasks)


def _answers(rows: Sequence[AnyRow], replies: Mapping[str, Reply]) -> Answers:
    """A character a row, by episode; nothing if none of the rows was asked."""
    if not any(row.key in replies for row in rows):
        return {}
    found: Answers = {}
    for row in rows:
        reply = replies.get(row.key)
        mark = NOT_ANSWERED if reply is None or reply.error is not None else str(int(reply.agrees))
        found[str(row.episode)] = found.get(str(row.episode), "") + mark
    return found


def _majority(rows: Sequence[AnyRow], replies: Mapping[str, Reply]) -> Score | None:
    """What saying always the same would score; None where that is not known."""
    asked = [reply for row in rows if (reply := replies.get(row.key)) is not None and reply.error is None]
    comparisons = [reply for reply in asked if isinstance(reply, Prediction)]
    if comparisons:
        cell = cells(comparisons)[0]
        return Score(share=cell.majority / cell.n, rows=cell.n, episodes=cell.episodes)
    values = [reply for reply in asked if isinstance(reply, Estimate)]
    near = [
        relative_error(reply.training_mean, reply.answer) <= CLOSE
        for reply in values
        if reply.training_mean is not None
    ]
    return share_of(near, [str(reply.episode) for reply in values]) if values and len(near) == len(values) else None


def scene_section(runs: Runs, fingerprint: str, why: str | None) -> Section:
    """The section of active scenes.

    Args:
        runs: The runs on them.
        fingerprint: That of the scenes.
        why: Why the model played none; None if it did.

    Raises:
        HpvqaError: A run is not there, or damaged.
    """
    played = {who: read_run(folder)[1] for who, folder in runs.items()}
    families = dict.fromkeys(one.ending.family for one in played["ceiling"])
    tasks: dict[str, Entry] = {}
    for family in families:
        found = {who: _scenes([one for one in some if one.ending.family == family]) for who, some in played.items()}
        scores: dict[Who, Score] = {who: one for who, answers in found.items() if (one := score(answers)) is not None}
        tasks[family] = Entry(scores=scores, answers=found.get("model", {}))
    return Section(part=SCENES, form="scene", why=why, fingerprint=fingerprint, scores=means(tasks), tasks=tasks)


def _scenes(played: Sequence[Played]) -> Answers:
    """A character a scene, by group."""
    found: Answers = {}
    for one in sorted(played, key=lambda one: one.ending.index):
        group = str(one.ending.group)
        found[group] = found.get(group, "") + str(int(one.correct))
    return found
