"""From a data set to what another program reads, with the words and frames that a model gets in evaluation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field

from hpvqa import __version__
from hpvqa.dataset.export.base import Example, Job, Media, Seen
from hpvqa.dataset.export.check import check_files
from hpvqa.dataset.export.registry import find_format
from hpvqa.dataset.load import Dataset
from hpvqa.dataset.splits import Split
from hpvqa.errors import HpvqaError, UsageError
from hpvqa.evaluate.prediction import relative_error
from hpvqa.evaluate.select import Item, select
from hpvqa.files import write_json
from hpvqa.plain import Model
from hpvqa.progress.reporter import Reporter
from hpvqa.tasks.base import Form
from hpvqa.vlm import strict, thoughts
from hpvqa.vlm.frames.prefetch import prefetch
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import Prompt, PromptRecord
from hpvqa.vlm.saving import check_new, new_folder

RECORD_FILE = "export.json"
_THREADS, _AHEAD = 2, 4
"""How many clips are decoded at once, and are waiting at most."""


@dataclass(frozen=True)
class Wanted:
    """What is to be exported.

    Attributes:
        format: Name of the format.
        prompt: The words around the question.
        sampling: Which frames a model is shown.
        media: What is exported of a clip.
        language: Whether questions are written where older readers of the format know none.
        task: The only task; None: all.
        cameras: The only cameras; none: all.
        questions: The only forms of question; None: all.
    """

    format: str
    prompt: Prompt
    sampling: FrameSampling
    media: Media = "frames"
    language: bool = True
    task: str | None = None
    cameras: Collection[str] = ()
    questions: Collection[Form] | None = None


class ExportRecord(Model):
    """``export.json``: what an export was made of, and how."""

    schema_version: Literal[1] = 1
    format: str
    version: str = Field(description="Version of hpvqa that made it.")
    dataset: str = Field(description="SHA-256 of the manifest of the data set.")
    rows: dict[Split, int] = Field(description="How many questions of each split it holds.")
    media: Media | None = Field(description="What it holds of a clip; null where the format leaves no choice.")
    frames: FrameSampling | None = Field(description="Which frames it holds; null where it holds whole clips.")
    prompt: PromptRecord


@dataclass(frozen=True)
class Exported:
    """An export that was made.

    Attributes:
        record: What it holds.
        notes: What its user should know, in sentences.
    """

    record: ExportRecord
    notes: tuple[str, ...]


def export(dataset: Dataset, out: Path, wanted: Wanted, reporter: Reporter) -> Exported:
    """Write a data set in another program's form, whole or not at all.

    Args:
        dataset: The data set.
        out: Where the export should appear; nothing may be there.
        wanted: What is to be exported.
        reporter: Told of every clip.

    Raises:
        UsageError: There is no such format, it cannot hold this data set, frames are chosen by what a camera does not
            see, or something is at ``out``.
        RunError: The data set is damaged, or the disk does not take the export.
    """
    form = find_format(wanted.format)
    if wanted.sampling.privileged:
        raise UsageError("Frames at recorded events are privileged, and not for training; choose another --sampler")
    check_new(out)
    if out.resolve().is_relative_to(dataset.root.resolve()):
        raise UsageError(f"{out} is inside of the data set, which would not be whole then; choose another --out")
    if form.splits != "all" and not dataset.rows(form.splits):
        raise UsageError(f"{wanted.format} is for evaluation, and {dataset.root} has no {form.splits} split")
    items = select(
        dataset,
        form.splits,
        wanted.prompt,
        task=wanted.task,
        camera=tuple(wanted.cameras) or None,
        questions=wanted.questions,
    )
    examples = [Example(item.split, item.row, item.query.clip, item.query.system, item.query.text) for item in items]
    check_files(dataset, list(dict.fromkeys(f"{one.split}/{one.row.file_name}" for one in examples)), reporter)
    clips = {item.query.clip: item for item in items}
    chosen = wanted.sampling.model_dump(mode="json")
    job = Job(
        dataset=dataset,
        examples=examples,
        media=wanted.media,
        language=wanted.language,
        look=partial(_look, clips, wanted.sampling),
        sampling=chosen,
        fps=wanted.sampling.fps,
        reading=reading_source(),
        reporter=reporter,
    )
    record = ExportRecord(
        format=wanted.format,
        version=__version__,
        dataset=dataset.fingerprint,
        rows={split: len(found) for split, found in job.by_split().items()},
        media=wanted.media if "media" in form.options else None,
        frames=wanted.sampling if "frames" in form.options and wanted.media == "frames" else None,
        prompt=PromptRecord.of(wanted.prompt),
    )
    with new_folder(out) as draft:
        notes = form.write(draft, job)
        write_json(draft / RECORD_FILE, record.model_dump(mode="json"))
    return Exported(record, tuple(notes))


def _look(clips: Mapping[Path, Item], sampling: FrameSampling, examples: Iterable[Example]) -> Iterator[Seen]:
    recordings = (clips[example.clip].query.recording() for example in examples)
    with closing(prefetch(recordings, sampling, threads=_THREADS, ahead=_AHEAD)) as frames:
        for found in frames:
            if isinstance(found, HpvqaError):
                raise found
            yield Seen(found.images, found.times, found.rate)


def reading_source() -> str:
    """Source that reads and scores replies as evaluation does, for programs in exports: it needs nothing of hpvqa."""
    # Docstrings of modules must stand before imports, those of the future before all else.
    bodies = [inspect.getsource(module).partition('"""\n')[2] for module in (thoughts, strict)]
    own = [re.sub(r"^from (__future__|hpvqa\S*) import .*\n", "", body, flags=re.M).strip() for body in bodies]
    return "\n\n".join([*own, "\n" + inspect.getsource(relative_error)])
