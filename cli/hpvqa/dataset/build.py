"""From a data folder to a data set: which episodes, which split, which rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hpvqa.dataset.facts import OWN_LICENCE
from hpvqa.dataset.layout import Part, Source, published, rows_by_split, write_dataset
from hpvqa.dataset.manifest import read_manifest
from hpvqa.dataset.rows import AnyRow, Row, episode_rows
from hpvqa.dataset.splits import SPLITS, Split, only_eval, split_specs, uneven
from hpvqa.errors import RunError, UsageError
from hpvqa.files import inside
from hpvqa.places import kind_of, not_a
from hpvqa.progress.reporter import Reporter
from hpvqa.recipe import Recipe
from hpvqa.record.episode import RECORD_FILE, EpisodeRecord, episode_dir, find_episodes, read_episode
from hpvqa.tasks import get_task
from hpvqa.tasks.base import Form

_LEAST = 4
"""With as many episodes of a task, both splits hold both answers."""


@dataclass(frozen=True)
class Questions:
    """What is asked of each clip.

    Attributes:
        forms: Which of two has more, how much of it each thing has, or both.
        paraphrased: Whether each question is also asked in other words.
    """

    forms: tuple[Form, ...] = ("compare",)
    paraphrased: bool = False


ASKED = Questions()
"""What is asked where nothing else is said."""


@dataclass(frozen=True)
class Built:
    """A data set that was made.

    Attributes:
        out: Where it is.
        fingerprint: SHA-256 of its manifest.
        rows: Its rows, by split.
        notes: What its user should know, in sentences.
    """

    out: Path
    fingerprint: str
    rows: Mapping[Split, Sequence[AnyRow]]
    notes: tuple[str, ...]


def build(
    data: Path | Sequence[Path],
    out: Path,
    reporter: Reporter,
    *,
    recipe: Recipe,
    questions: Questions = ASKED,
    seed: int | None = None,
    force: bool = False,
    licence: str = OWN_LICENCE,
) -> Built:
    """Make a data set of all episodes of some data folders that went as their label says.

    Args:
        data: A data folder, or several.
        out: Where the data set should appear.
        reporter: Told of every file.
        recipe: How many episodes of each task are for evaluation, in each of the folders: so no episode changes its
            split when a folder is added.
        questions: What is asked of each clip.
        seed: Seed of the assignment to splits; by default that of the episodes.
        force: Replace a different data set at ``out``.
        licence: The Hub's name of its licence.

    Raises:
        UsageError: There are no episodes, too few of them, one is in two folders, or something else is at ``out``.
        RunError: An episode is damaged.
    """
    folders = [data] if isinstance(data, Path) else list(data)
    with published(out, force) as root:
        parts, split_seed, notes = _parts(folders, recipe, questions, seed)
        source = " and ".join(folder.resolve().name for folder in folders)
        write_dataset(root, parts, reporter, source=source, split_seed=split_seed, licence=licence)
    return built(out, parts, notes)


def built(out: Path, parts: Sequence[Part], notes: Sequence[str]) -> Built:
    """What to tell of a data set that was just made of these episodes."""
    _, fingerprint = read_manifest(out)
    return Built(out, fingerprint, rows_by_split(parts), (*notes, *_balance_notes(parts)))


def _parts(
    folders: Sequence[Path], recipe: Recipe, questions: Questions, seed: int | None
) -> tuple[list[Part], int, list[str]]:
    """The episodes that went well, the seed of their splits, and what is worth knowing about the others."""
    episodes = {folder: _read_all(folder) for folder in folders}
    shift = _shift(episodes)
    shared = _shared_tasks(episodes)
    split_seed = next(iter(episodes[folders[0]].values())).spec.seed if seed is None else seed
    parts: list[Part] = []
    notes: list[str] = []
    for folder, records in episodes.items():
        good = {place: record for place, record in records.items() if record.outcome.ok}
        specs = [record.spec for record in good.values()]
        splits = split_specs(specs, recipe, split_seed) if shift is None else only_eval(specs)
        parts += [
            _part(
                place,
                record,
                splits[record.spec.task, record.spec.index],
                folder.resolve().name,
                questions,
                apart=record.spec.task in shared,
            )
            for place, record in good.items()
        ]
        failed = Counter(record.spec.task for record in records.values() if not record.outcome.ok)
        notes += [
            f"{count} of the {task} episodes failed and {'is' if count == 1 else 'are'} left out"
            for task, count in failed.items()
        ]
    notes += _wording_notes(parts, questions)
    if shift is None:
        return parts, split_seed, [*notes, *_one_sided_notes(parts, recipe)]
    return parts, split_seed, [*notes, f"All episodes are for evaluation: the shift {shift} is for testing only"]


def _read_all(data: Path) -> dict[Path, EpisodeRecord]:
    if kind_of(data) != "data folder":
        raise UsageError(not_a("data folder", data))
    episodes = {folder: read_episode(folder) for folder in find_episodes(data)}
    for folder, record in episodes.items():
        if record.checksum != record.digest():
            raise RunError(f"{folder / RECORD_FILE} is damaged: its checksum differs; collect that episode again")
    if not any(record.outcome.ok for record in episodes.values()):
        what = f"All {len(episodes)} episodes in {data} failed" if episodes else f"{data} holds no episodes yet"
        raise UsageError(f"{what}; collect more with `hpvqa collect --out {data}`")
    return episodes


def _shift(episodes: Mapping[Path, Mapping[Path, EpisodeRecord]]) -> str | None:
    """The shift that all episodes are of; None if they are of none.

    Raises:
        UsageError: They differ in that.
    """
    found = {record.spec.shift: folder for folder, records in episodes.items() for record in records.values()}
    if len(found) > 1:
        (one, a), (other, b) = list(found.items())[:2]
        words = ["the usual episodes" if shift is None else f"the shift {shift}" for shift in (one, other)]
        raise UsageError(f"{a} holds {words[0]}, and {b} {words[1]}; build each into a data set of its own")
    return next(iter(found))


def _shared_tasks(episodes: Mapping[Path, Mapping[Path, EpisodeRecord]]) -> frozenset[str]:
    """Tasks of which several folders hold episodes.

    Raises:
        UsageError: Two of these folders have the same name, or hold the same episode, which may be in both splits then.
    """
    holders: dict[str, dict[str, Path]] = {}
    plans: dict[tuple[str, int, int], Path] = {}
    for folder, records in episodes.items():
        for spec in (record.spec for record in records.values()):
            other = plans.setdefault((spec.task, spec.seed, spec.index), folder)
            if other != folder:
                raise UsageError(
                    f"{other} and {folder} hold the same episode, {spec.task} {spec.index} of seed {spec.seed}; "
                    "collect one of them with another --seed"
                )
            holder = holders.setdefault(spec.task, {}).setdefault(folder.resolve().name, folder)
            if holder != folder:
                raise UsageError(f"{holder} and {folder} both hold episodes of {spec.task}; give them different names")
    return frozenset(task for task, folders in holders.items() if len(folders) > 1)


def _part(folder: Path, record: EpisodeRecord, split: Split, source: str, questions: Questions, *, apart: bool) -> Part:
    # Numbers repeat between folders.
    root = Path(source) if apart else Path()
    place = episode_dir(root, record.spec.task, record.spec.index).as_posix()
    try:
        files = {name: Source(inside(folder, name), known) for name, known in record.files.items()}
    except ValueError as error:
        raise RunError(f"{folder / RECORD_FILE} is damaged: {error}; collect that episode again") from None
    files[RECORD_FILE] = Source(folder / RECORD_FILE)
    rows = episode_rows(record, place, source, forms=questions.forms, paraphrased=questions.paraphrased)
    return Part(split, place, rows, files)


def _one_sided_notes(parts: Sequence[Part], recipe: Recipe) -> list[str]:
    """Notes about tasks that have too few episodes to be in both splits, where no recipe wants it so."""
    notes = []
    for task, count in Counter(part.rows[0].task for part in parts).items():
        wanted = recipe.task(task)
        if wanted is not None and wanted.eval_episodes is not None:
            continue
        held = {part.split for part in parts if part.rows[0].task == task}
        for split, use in (("train", "training"), ("eval", "evaluation")):
            if split not in held:
                few = "1 episode" if count == 1 else f"{count} episodes"
                notes.append(f"{task} has no episode for {use}: {few} cannot be split; collect at least {_LEAST}")
    return notes


def _wording_notes(parts: Sequence[Part], questions: Questions) -> list[str]:
    """Notes about tasks whose questions have no other words, where these are asked for."""
    tasks = dict.fromkeys(part.rows[0].task for part in parts) if questions.paraphrased else ()
    return [
        f"The {form} question of {task} has no paraphrases"
        for task in tasks
        for form in questions.forms
        if not get_task(task).paraphrases(form)
    ]


def _balance_notes(parts: Sequence[Part]) -> list[str]:
    notes = []
    for task in dict.fromkeys(part.rows[0].task for part in parts):
        for split in SPLITS:
            firsts = [part.rows[0] for part in parts if part.split == split]
            words = uneven([row.answer for row in firsts if isinstance(row, Row) and row.task == task])
            if words:
                notes.append(f"The {split} split of {task} is as even as it can be, but not even: {words} episodes")
    return notes
