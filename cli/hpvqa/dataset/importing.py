"""Making a data set of one in the public original's form; every row gets the question as it is asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hpvqa.dataset.build import Built, built
from hpvqa.dataset.facts import FOREIGN_LICENCE
from hpvqa.dataset.layout import Part, Source, published, write_dataset
from hpvqa.dataset.probe import ClipFormat, probe
from hpvqa.dataset.public import Original, first_of, read_originals
from hpvqa.dataset.rows import Cluster, Row
from hpvqa.dataset.splits import Split, Stratum, choose_eval, default_eval_count
from hpvqa.errors import RunError, UsageError
from hpvqa.progress.reporter import Reporter
from hpvqa.record.episode import episode_dir
from hpvqa.scene.spec import SIDES
from hpvqa.tasks import TASKS


def import_public(
    folder: Path, out: Path, reporter: Reporter, *, seed: int, force: bool = False, licence: str = FOREIGN_LICENCE
) -> Built:
    """Make a data set of one in the public original's form.

    Paths that name a split, such as ``..._train`` and ``..._test``, decide it; where no path does, episodes are
    assigned as in a data set of our own.

    Args:
        folder: Where the original is; every ``metadata.jsonl`` in it is read.
        out: Where the data set should appear.
        reporter: Told of every file.
        seed: Seed of the assignment to splits.
        force: Replace a different data set at ``out``.
        licence: The Hub's name of its licence.

    Raises:
        UsageError: There is no original, it has rows that cannot be understood or clips that are missing or damaged, or
            something else is at ``out``.
    """
    with published(out, force) as root:
        rows = read_originals(folder)
        parts, notes = _parts(rows, _probe_all(rows, reporter), seed)
        write_dataset(root, parts, reporter, source=folder.resolve().name, split_seed=seed, licence=licence)
    return built(out, parts, notes)


def _parts(rows: Sequence[Original], formats: Mapping[Path, ClipFormat], seed: int) -> tuple[list[Part], list[str]]:
    """The episodes, and what is worth knowing about them."""
    episodes: dict[Cluster, list[Original]] = {}
    for row in rows:
        episodes.setdefault(row.cluster, []).append(row)
    splits = _assign({cluster: views[0] for cluster, views in episodes.items()}, seed)
    # A column that only some rows have would give both splits different columns.
    columns = _Columns(
        values=all(row.values is not None for row in rows),
        times=any(clip.times is not None for clip in formats.values()),
    )
    parts = [_part(episodes[cluster], splits[cluster], formats, columns) for cluster in sorted(episodes)]
    return parts, _contradictions(episodes)


@dataclass(frozen=True)
class _Columns:
    """Which columns all rows get, beside those that they always have."""

    values: bool
    times: bool


def _probe_all(rows: Sequence[Original], reporter: Reporter) -> dict[Path, ClipFormat]:
    formats: dict[Path, ClipFormat] = {}
    bad: list[str] = []
    reporter.start("read", "clips", len(rows))
    # Decoding lets other threads run.
    pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)))
    try:
        for row, found in zip(rows, pool.map(_probe, (row.clip for row in rows)), strict=True):
            if isinstance(found, ClipFormat):
                formats[row.clip] = found
            else:
                bad.append(found)
            reporter.item(row.clip.name, ok=row.clip in formats)
    finally:
        pool.shutdown(cancel_futures=True)
    reporter.done()
    if bad:
        raise UsageError(f"{first_of(bad)}; nothing was built")
    return formats


def _probe(clip: Path) -> ClipFormat | str:
    """The format of a clip, or what is wrong with it."""
    try:
        return probe(clip)
    except RunError as error:
        return str(error)


def _assign(episodes: Mapping[Cluster, Original], seed: int) -> dict[Cluster, Split]:
    if any(row.declared for row in episodes.values()):
        return {cluster: row.declared or "train" for cluster, row in episodes.items()}
    splits: dict[Cluster, Split] = {}
    for name, task in TASKS.items():
        clusters = sorted(cluster for cluster, row in episodes.items() if row.task == name)
        # Which side went first is not known: let it be the same in all.
        strata = {number: Stratum(episodes[cluster].answer, "left") for number, cluster in enumerate(clusters)}
        chosen = choose_eval(strata, default_eval_count(len(strata)), seed, task.task_id)
        splits |= {cluster: "eval" if number in chosen else "train" for number, cluster in enumerate(clusters)}
    return splits


def _part(views: Sequence[Original], split: Split, formats: Mapping[Path, ClipFormat], columns: _Columns) -> Part:
    first = views[0]
    folder = episode_dir(Path(first.source), first.task, first.episode).as_posix()
    return Part(
        split=split,
        folder=folder,
        rows=tuple(_row(view, folder, formats[view.clip], columns) for view in views),
        files={f"{view.camera}.mp4": Source(view.clip) for view in views},
    )


def _row(view: Original, folder: str, clip: ClipFormat, columns: _Columns) -> Row:
    values = dict(zip(SIDES, view.values, strict=True)) if columns.values and view.values else None
    return Row(
        file_name=f"{folder}/{view.camera}.mp4",
        question=TASKS[view.task].question,
        answer=view.answer,
        task=view.task,
        source=view.source,
        episode=view.episode,
        camera=view.camera,
        values=values,
        gap=None if values is None else abs(values["left"] - values["right"]),
        fps=clip.fps,
        frames=clip.frames,
        width=clip.width,
        height=clip.height,
        times=(clip.times or ()) if columns.times else None,
        original_question=view.question,
    )


def _contradictions(episodes: Mapping[Cluster, Sequence[Original]]) -> list[str]:
    """A note about episodes whose stored values speak against their answer; one version of the original has them."""
    against = 0
    for views in episodes.values():
        if views[0].values is not None:
            left, right = views[0].values
            against += left != right and views[0].answer != ("left" if left > right else "right")
    if not against:
        return []
    return [f"In {against} episodes the stored values contradict the answer; the answers were kept as they are"]
