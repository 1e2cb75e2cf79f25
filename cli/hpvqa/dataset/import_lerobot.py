"""Making a data set of filmed robot episodes, which LeRobot recorded and whose hidden properties were measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from hpvqa.dataset.build import ASKED, Built, Questions, built
from hpvqa.dataset.facts import FOREIGN_LICENCE
from hpvqa.dataset.labels import Label, camera_name, read_labels
from hpvqa.dataset.layout import Part, Source, published, write_dataset
from hpvqa.dataset.lerobot_source import LeRobotSource, Stretch, read_source
from hpvqa.dataset.probe import ClipFormat, probe
from hpvqa.dataset.public import first_of
from hpvqa.dataset.rows import rows_about
from hpvqa.errors import RunError, UsageError, nearest
from hpvqa.plain import explain
from hpvqa.progress.reporter import Reporter
from hpvqa.recipe import Recipe
from hpvqa.record.cutting import cut
from hpvqa.record.episode import episode_dir
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.sampling import sample_episode
from hpvqa.scene.spec import EpisodeSpec, Thing
from hpvqa.tasks import TASKS

T = TypeVar("T")
_CAMERA = re.compile(r"[A-Za-z0-9_-]{1,64}")


def import_lerobot(
    folder: Path,
    labels: Path,
    out: Path,
    reporter: Reporter,
    *,
    questions: Questions = ASKED,
    seed: int,
    force: bool = False,
    licence: str = FOREIGN_LICENCE,
) -> Built:
    """Make a data set of the episodes of a LeRobotDataset that are labelled.

    All are for evaluation unless their label says otherwise.

    Args:
        folder: The LeRobotDataset, of version 2 or 3.
        labels: A CSV file with what was measured; see :func:`hpvqa.dataset.labels.read_labels`.
        out: Where the data set should appear.
        reporter: Told of every file.
        questions: What is asked of each clip.
        seed: Stands in the manifest; nothing is drawn.
        force: Replace a different data set at ``out``.
        licence: The Hub's name of its licence.

    Raises:
        UsageError: A label makes no sense, or the data set or a video is missing or damaged, or something else is at
            ``out``.
    """
    with published(out, force) as root:
        source, known = read_source(folder), read_labels(labels)
        specs = _checked(labels, known, lambda label: _spec(source, label))
        views = _checked(labels, known, lambda label: _views(source, label))
        reporter.start("read", "clips", sum(map(len, views)))
        name, encoded, parts = folder.resolve().name, 0, []
        for label, spec, found in zip(known, specs, views, strict=True):
            place = episode_dir(Path(name), label.task.name, label.episode).as_posix()
            clips = {}
            for camera, stretch in found.items():
                target = root / label.split / place / f"{camera}.mp4"
                clips[camera], copied = _clip(stretch, target, source.fps)
                encoded += not copied
                reporter.item(f"{camera} of episode {label.episode}")
            parts.append(_part(name, label, spec, place, clips, questions))
        reporter.done()
        write_dataset(root, parts, reporter, source=name, split_seed=seed, licence=licence)
    return built(out, parts, _notes(source, known, encoded))


def _checked(path: Path, labels: Sequence[Label], check: Callable[[Label], T]) -> list[T]:
    """What a check makes of each label.

    Raises:
        UsageError: It fails for some; the message names the first and counts all.
    """
    found: list[T] = []
    bad: list[str] = []
    for label in labels:
        try:
            found.append(check(label))
        except ValueError as error:
            bad.append(f"{path} line {label.line} {error}")
    if bad:
        raise UsageError(f"{first_of(bad)}; nothing was built")
    return found


def _spec(source: LeRobotSource, label: Label) -> EpisodeSpec:
    """What the episode would have been if it had been planned: of it, the task asks and knows the answer.

    Raises:
        ValueError: The label makes no sense; the message is the end of a sentence.
    """
    task = label.task
    if label.episode not in source.episodes:
        last = max(source.episodes, default=None)
        raise ValueError(f"is about episode {label.episode}, which {source.root} does not have; its last is {last}")
    plan = _plan(task.name)
    things = tuple(thing.with_hidden(task.hidden, label.values[thing.name]) for thing in plan.things)
    for thing in things:
        try:
            Thing.model_validate(thing.model_dump())
        except ValidationError as error:
            raise ValueError(f"has a value under {thing.name} that no thing has: {explain(error)}") from None
    spec = plan.model_copy(update={"things": things})
    if task.gap(spec) == 0:
        hidden = task.hidden.replace("_", " ")
        raise ValueError(f"has equal values of {hidden}, so that neither left nor right is the answer; leave it out")
    return spec


@cache
def _plan(name: str) -> EpisodeSpec:
    """Some episode of a task."""
    task, rig = TASKS[name], Recipe().camera_rig()
    return sample_episode(task, task.ranges(), Randomization(), rig.name, rig.cameras(name), seed=0, index=0)


def _views(source: LeRobotSource, label: Label) -> dict[str, Stretch]:
    """Where the clips of an episode are, by the names that its cameras get.

    Raises:
        ValueError: There are none such; the message is the end of a sentence.
    """
    found: dict[str, Stretch] = {}
    for key, name in (label.cameras or {key: camera_name(key) for key in source.cameras}).items():
        matching = [camera for camera in source.cameras if key in (camera, camera_name(camera))]
        if not matching:
            raise ValueError(f"names the camera {key!r}; {nearest(key, map(camera_name, source.cameras))}")
        if len(matching) > 1:
            raise ValueError(f"names the camera {key}, which may be {' or '.join(matching)}; write one of these")
        if name in found or not _CAMERA.fullmatch(name):
            why = "two cameras that are" if name in found else "a camera that is"
            raise ValueError(f"has {why} called {name!r}; rename it under cameras, such as {matching[0]}=front")
        found[name] = source.find(label.episode, matching[0])
    return found


@dataclass(frozen=True)
class _Clip:
    """A clip of the data set to be, and its format."""

    source: Source
    format: ClipFormat


def _clip(stretch: Stretch, target: Path, fps: int) -> tuple[_Clip, bool]:
    """A clip, and whether its pictures are those of the video, bit for bit.

    Raises:
        UsageError: The video is damaged.
    """
    try:
        copied, file = True, stretch.video
        if stretch.first is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            copied, file = cut(stretch.video, target, stretch.first, stretch.count, fps), target
        found = probe(file)
    except RunError as error:
        raise UsageError(f"{error}; nothing was built") from None
    if found.times is not None:
        raise UsageError(f"The frame rate of {file} varies, which LeRobot's videos must not do; nothing was built")
    if found.frames != stretch.count:
        raise UsageError(
            f"{stretch.video} has {found.frames} frames where the metadata say {stretch.count}; it was cut short, or "
            "replaced; nothing was built"
        )
    return _Clip(Source(file), found), copied


def _part(
    source: str, label: Label, spec: EpisodeSpec, place: str, clips: Mapping[str, _Clip], questions: Questions
) -> Part:
    views = [
        {
            "file_name": f"{place}/{camera}.mp4",
            "source": source,
            "episode": label.episode,
            "camera": camera,
            "fps": clip.format.fps,
            "frames": clip.format.frames,
            "width": clip.format.width,
            "height": clip.format.height,
        }
        for camera, clip in clips.items()
    ]
    rows = rows_about(label.task, spec, views, forms=questions.forms, paraphrased=questions.paraphrased)
    return Part(label.split, place, rows, {f"{camera}.mp4": clip.source for camera, clip in clips.items()})


def _notes(source: LeRobotSource, labels: Sequence[Label], encoded: int) -> list[str]:
    notes = []
    if left := len(source.episodes.keys() - {label.episode for label in labels}):
        notes.append(f"{left} of {len(source.episodes)} episodes have no label and are left out")
    if encoded:
        clips = "1 clip was" if encoded == 1 else f"{encoded} clips were"
        notes.append(f"{clips} decoded and encoded again, for no key frame begins there; the others are as they were")
    return notes
