"""A folder of samples: made scene by scene, gone on with after an interrupt, and written in formats at the end."""

from __future__ import annotations

import gzip
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from hpvqa.dataset.card import CARD_FILE
from hpvqa.errors import RunError, UsageError
from hpvqa.evaluate.folder import differences
from hpvqa.explore.agents.words import HASH
from hpvqa.explore.evaluation import EVALUATION
from hpvqa.explore.folder import read_worlds, simulated
from hpvqa.explore.samples.courses import WAYS, Way
from hpvqa.explore.samples.formats import FORMATS, card, find_format
from hpvqa.explore.samples.make import make
from hpvqa.explore.samples.record import SPLITS, SUBSETS, Sample, Split, Subset, picture_file, split_of
from hpvqa.explore.samples.thought import parse
from hpvqa.explore.scene import SCENE_VERSION, Family, Scene, find_scenes, read_scene
from hpvqa.files import holds_other, locked, read_bytes, read_gzip, replacing, write_json, write_text
from hpvqa.plain import Model, explain
from hpvqa.processes import ONE_THREAD, Workers, exit_with_parent
from hpvqa.progress.reporter import Reporter

SAMPLES_FILE = "samples.json"
LOCK_FILE = ".lock"
PARTS = "parts"
Shown = Literal["pictures", "facts"]


class Samples(Model):
    """``samples.json``: what a folder of samples was made of, and what it holds."""

    schema_version: Literal[1] = 1
    kind: Literal["explore samples"] = "explore samples"
    worlds_seed: int = Field(description="Seed that the scenes were drawn with.")
    world_version: int = Field(default=SCENE_VERSION, description="Version of the scenes.")
    shown: Shown = Field(description="facts: what is to be seen is told in words.")
    ways: tuple[Way, ...] = Field(default=WAYS, description="How steps are chosen.")
    words: str = Field(default=HASH, description="SHA-256 of the words that always ask.")
    formats: tuple[str, ...] = Field(default=(), description="In which formats they are written.")
    counts: dict[Split, dict[Subset, int]] = Field(default={}, description="Samples of each split and subset.")
    left_out: tuple[str, ...] = Field(default=(), description="What was left out, and why.")


_RESULTS = {"formats", "counts", "left_out"}
"""What may differ when a folder is gone on with."""


class Part(Model):
    """The first line of what was made of one scene."""

    scene: str = Field(description="Checksum of the scene.")
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """What is to be made.

    Attributes:
        worlds: Folder of the scenes.
        out: Folder of the samples.
        formats: Names of the formats.
        shown: pictures; or facts, where what is to be seen is told in words.
        families: Which scenes.
        limit: Most scenes; None: all.
        workers: How many processes.
    """

    worlds: Path
    out: Path
    formats: Sequence[str]
    shown: Shown
    families: Sequence[Family]
    limit: int | None = None
    workers: int = 1


def build(wanted: Wanted, reporter: Reporter) -> Samples:
    """Make all samples that a folder lacks, and write them in the formats.

    Raises:
        UsageError: There are no such scenes, they are those that agents are compared on, or the folder holds something
            else.
        RunError: Another process works there, a worker died, or the disk does not take it.
    """
    drawn = read_worlds(wanted.worlds)
    if drawn.seed == EVALUATION.seed:
        raise UsageError(
            f"{wanted.worlds} was drawn with seed {drawn.seed}, that of the scenes which agents are compared on; draw "
            "others with another --seed"
        )
    begun(wanted.out)
    scenes, unread = _scenes(wanted)
    wanted.out.mkdir(parents=True, exist_ok=True)
    settings = Samples(worlds_seed=drawn.seed, shown=wanted.shown)
    with locked(wanted.out / LOCK_FILE):
        before = _agree(wanted.out, settings)
        names = tuple(name for name in FORMATS if name in (*before, *wanted.formats))
        settings = settings.model_copy(update={"formats": names})
        # Until all is written, nobody takes it for whole.
        (wanted.out / CARD_FILE).unlink(missing_ok=True)
        write_json(wanted.out / SAMPLES_FILE, settings.model_dump(mode="json"))
        _make(wanted, scenes, reporter)
        samples, left_out = read_samples(wanted.out, list(scenes.values()))
        if not samples:
            raise RunError(f"No sample of {wanted.worlds} could be kept: {next(iter(left_out), 'nothing was played')}")
        written = [find_format(name)(wanted.out, samples, wanted.shown == "pictures") for name in names]
        done = settings.model_copy(update={"counts": _counts(samples), "left_out": (*unread, *left_out)})
        write_json(wanted.out / SAMPLES_FILE, done.model_dump(mode="json"))
        write_text(wanted.out / CARD_FILE, card(done.counts, wanted.shown == "pictures", written))
    return done


def begun(out: Path) -> Samples | None:
    """What a folder that samples are to be written into holds of them; None if nothing yet.

    Raises:
        UsageError: It holds something else, or cannot be a folder; or its file is damaged.
    """
    if holds_other(out, SAMPLES_FILE, LOCK_FILE):
        raise UsageError(f"{out} exists and holds no samples; choose another --out")
    return read_settings(out) if os.path.lexists(out / SAMPLES_FILE) else None


def read_settings(out: Path) -> Samples:
    """What a folder of samples says of itself.

    Raises:
        UsageError: It is none, or of another version.
    """
    try:
        return Samples.model_validate_json(read_bytes(out / SAMPLES_FILE))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{out} holds no samples; make some with `hpvqa explore build`") from None
    except ValidationError as error:
        raise UsageError(f"{out / SAMPLES_FILE} is damaged or of another version ({explain(error)})") from None


def _agree(out: Path, settings: Samples) -> tuple[str, ...]:
    """Raise unless a folder was made with the same settings; the formats that it has."""
    there = begun(out)
    if there is None:
        return ()
    a, b = (one.model_dump(mode="json", exclude=_RESULTS) for one in (there, settings))
    different = differences(a, b)
    if different:
        raise UsageError(f"{out} holds samples made otherwise: {'; '.join(different)}; choose another --out")
    return there.formats


def _scenes(wanted: Wanted) -> tuple[dict[Path, Scene], list[str]]:
    """Scenes by their files, group by group, and those that cannot be read, with the reason."""
    scenes, unread = {}, []
    for path in find_scenes(wanted.worlds):
        if path.parent.parent.name not in wanted.families:
            continue
        try:
            scene = read_scene(path)
        except UsageError as error:
            unread.append(str(error))
            continue
        if scene.places:
            scenes[path] = scene
        else:
            unread.append(f"{path}: nothing is hidden in it, so that there is nothing to reason about")
    if not scenes:
        raise UsageError(unread[0] if unread else f"{wanted.worlds} holds no such scenes; draw some")
    ordered = sorted(scenes, key=lambda path: (scenes[path].group, scenes[path].number, scenes[path].index))
    return {path: scenes[path] for path in ordered[: wanted.limit]}, unread


def part_file(out: Path, scene: Scene) -> Path:
    """Where the samples of a scene lie, whatever the formats."""
    return out / PARTS / f"{scene.key}.jsonl.gz"


def _make(wanted: Wanted, scenes: dict[Path, Scene], reporter: Reporter) -> None:
    missing = [path for path, scene in scenes.items() if not _is_there(wanted.out, scene)]
    reporter.start("build", "scenes", len(scenes), len(scenes) - len(missing))
    if not missing:
        reporter.done()
        return
    for folder in (wanted.out / PARTS, *(wanted.out / split / "pictures" for split in SPLITS)):
        if folder.name == PARTS or wanted.shown == "pictures":
            folder.mkdir(parents=True, exist_ok=True)
    processes = Workers(min(wanted.workers, len(missing)), exit_with_parent, (), ONE_THREAD)
    try:
        running: dict[Future[tuple[str, ...]], Path] = {}
        while missing or running:
            while missing and len(running) < wanted.workers:
                path = missing.pop(0)
                running[processes.submit(make_into, wanted.out, path, wanted.shown)] = path
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                left_out = future.result()
                reporter.item(scenes[running.pop(future)].key, ok=not left_out, message="; ".join(left_out) or None)
        processes.close()
        reporter.done()
    except BrokenExecutor:
        raise RunError("A worker ended unexpectedly; run the same command again, finished scenes are kept") from None
    finally:
        processes.kill()


def _is_there(out: Path, scene: Scene) -> bool:
    path = part_file(out, scene)
    if not path.exists():
        return False
    head, _ = read_part(path)
    if head.scene != scene.checksum:
        raise UsageError(f"{out} was made of other scenes than these; choose another --out")
    return True


def make_into(out: Path, path: Path, shown: Shown) -> tuple[str, ...]:
    """Make the samples of one scene into a folder.

    Returns:
        What was left out, and why.

    Raises:
        HpvqaError: The scene cannot be read, or the disk does not take it.
    """
    scene = read_scene(path)

    def store(name: str, data: bytes) -> None:
        target = out / picture_file(split_of(scene), name)
        if not target.exists():
            with replacing(target) as draft:
                draft.write_bytes(data)

    made = make(scene, simulated() if shown == "pictures" else None, store)
    head = Part(scene=scene.checksum, left_out=tuple(made.left_out))
    lines = "".join(f"{line.model_dump_json()}\n" for line in (head, *made.samples))
    with replacing(part_file(out, scene)) as draft:
        draft.write_bytes(gzip.compress(lines.encode(), mtime=0))
    return head.left_out


def read_part(path: Path) -> tuple[Part, list[bytes]]:
    """What was made of one scene, a line a sample.

    Raises:
        UsageError: The file is damaged.
    """
    try:
        head, *lines = read_gzip(path).splitlines()
        return Part.model_validate_json(head), lines
    except (OSError, ValueError):
        raise UsageError(f"{path} is damaged; delete it, and build the samples again") from None


def read_samples(out: Path, scenes: Sequence[Scene]) -> tuple[list[Sample], list[str]]:
    """The samples of some scenes in a folder that can be used, and what was left out, and why.

    Raises:
        UsageError: A file is damaged.
    """
    samples, left_out = list[Sample](), list[str]()
    for scene in scenes:
        path = part_file(out, scene)
        head, lines = read_part(path)
        left_out += head.left_out
        for number, line in enumerate(lines, 1):
            sample = usable(line, out, f"sample {number} of {path.name}")
            if isinstance(sample, Sample):
                samples.append(sample)
            else:
                left_out.append(sample)
    return samples, left_out


def _counts(samples: Sequence[Sample]) -> dict[Split, dict[Subset, int]]:
    found = Counter((sample.split, sample.subset) for sample in samples)
    splits = [split for split in SPLITS if any(split == one for one, _ in found)]
    return {split: {subset: found[split, subset] for subset in SUBSETS if found[split, subset]} for split in splits}


def usable(line: bytes, out: Path, name: str) -> Sample | str:
    """A sample; or why it cannot be used, in words.

    Args:
        line: The sample as JSON.
        out: Folder of the samples.
        name: What to call it, should it not say so itself.
    """
    try:
        sample = Sample.model_validate_json(line)
    except ValidationError as error:
        return f"{name}: damaged or of another version ({explain(error)})"
    if sample.world_version != SCENE_VERSION:
        return f"{sample.id}: made of scenes of version {sample.world_version}, not {SCENE_VERSION}"
    missing = [name for name in sample.pictures if not (out / picture_file(sample.split, name)).is_file()]
    if missing:
        return f"{sample.id}: its picture {picture_file(sample.split, missing[0])} is missing"
    if sample.subset == "steps":
        try:
            parse(sample.thought)
        except ValueError as error:
            return f"{sample.id}: its thought cannot be read: {error}"
    return sample
