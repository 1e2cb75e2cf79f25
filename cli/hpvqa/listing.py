"""The episodes of a data folder or a data set, in short."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hpvqa.dataset.load import open_dataset
from hpvqa.dataset.rows import Cluster, Row
from hpvqa.dataset.splits import SPLITS, Split
from hpvqa.errors import UsageError
from hpvqa.places import kind_of, not_a
from hpvqa.record.episode import find_episodes, read_episode
from hpvqa.scene.spec import Side
from hpvqa.tasks import TASKS, not_installed


@dataclass(frozen=True)
class Entry:
    """An episode.

    Attributes:
        task: Its task.
        episode: Its number within task and source.
        source: The data folder that it comes from.
        answer: The true answer to its task's question.
        hidden: What is hidden: mass [kg] or restitution.
        values: The hidden property of each thing, by its name; None if it is not known.
        outcome: ``ok``, or why no data set takes it.
        split: The split that it is in, in a data set.
        cameras: Whose clips there are.
    """

    task: str
    episode: int
    source: str
    answer: Side
    hidden: str
    values: dict[str, float] | None
    outcome: str
    split: str | None
    cameras: tuple[str, ...]


def list_episodes(folder: Path, task: str | None = None) -> list[Entry]:
    """The episodes of a data folder or a data set, by task and number.

    Args:
        folder: The folder.
        task: The only task to list; None: all.

    Raises:
        UsageError: It is neither, or an episode is damaged; the message names what was perhaps meant.
        RunError: The data set is damaged.
    """
    kind = kind_of(folder)
    if kind == "data folder":
        return list(_recorded(folder, task))
    if kind == "data set":
        return list(_built(folder, task))
    raise UsageError(not_a("data folder", folder, "data set"))


def _recorded(data: Path, task: str | None) -> Iterator[Entry]:
    for folder in find_episodes(data, task):
        record = read_episode(folder)
        spec, kind = record.spec, record.task
        yield Entry(
            task=spec.task,
            episode=spec.index,
            source=data.resolve().name,
            answer=kind.answer(spec),
            hidden=kind.hidden,
            values=kind.values(spec),
            outcome="ok" if record.outcome.ok else f"failed: {record.outcome.reason}",
            split=None,
            cameras=tuple(camera.camera.name for camera in record.cameras),
        )


def _built(root: Path, task: str | None) -> Iterator[Entry]:
    dataset = open_dataset(root)
    found: dict[Cluster, list[Row]] = {}
    splits: dict[Cluster, Split] = {}
    for split in SPLITS:
        for row in dataset.comparisons(split):
            if task in (None, row.task):
                found.setdefault(row.cluster, []).append(row)
                splits[row.cluster] = split
    for name in dict.fromkeys(cluster[0] for cluster in found):
        if name not in TASKS:
            raise UsageError(f"{root} cannot be understood. {not_installed(name)}")
    order = list(TASKS)
    for cluster in sorted(found, key=lambda cluster: (order.index(cluster[0]), cluster)):
        name, source, number = cluster
        first = found[cluster][0]
        yield Entry(
            task=name,
            episode=number,
            source=source,
            answer=first.answer,
            hidden=TASKS[name].hidden,
            values=first.values,
            outcome="ok",
            split=splits[cluster],
            cameras=tuple(row.camera for row in found[cluster]),
        )
