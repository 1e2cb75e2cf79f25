"""Questions as JSON lines, for programs that put them to a model and score what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hpvqa.dataset.export.base import Example, Job, about
from hpvqa.dataset.export.pictures import write_lines, write_videos
from hpvqa.dataset.rows import ValueRow
from hpvqa.files import write_text

FILES = "questions"
"""Folder of the JSON lines."""
FRAMES = """Pictures are those that `hpvqa eval` shows a model, pixel by pixel, in their order: nothing samples frames
again. To a model they are several pictures, and no video: it is told no times."""
CLIPS = """Clips are whole, and what reads them chooses frames; hpvqa shows a model these ones: `{sampling}`.
Export with `--media frames` for exactly those."""


def write_questions(root: Path, job: Job) -> dict[str, str]:
    """Write what is looked at, and the questions: one file for each form of question of each task.

    Returns:
        By name of the file, without its ending: the form of its questions.

    Raises:
        RunError: A clip is damaged, or the disk does not take it.
    """
    videos, _ = write_videos(root, job)
    groups: dict[str, list[Example]] = {}
    for example in job.examples:
        groups.setdefault(re.sub(r"\W", "_", f"{example.row.task}_{example.row.form}"), []).append(example)
    (root / FILES).mkdir()
    for name, examples in groups.items():
        write_lines(root / FILES / f"{name}.jsonl", (_line(example, videos[example.clip]) for example in examples))
    return {name: examples[0].row.form for name, examples in groups.items()}


def _line(example: Example, video: str | list[str]) -> dict[str, Any]:
    row = example.row
    value = {"value": row.value, "unit": row.unit} if isinstance(row, ValueRow) else {}
    return {
        "system": example.system,
        "text": example.text,
        **({"clip": video} if isinstance(video, str) else {"frames": video}),
        **about(example),
        **value,
        "event": f"{row.task} {row.source} {row.episode}",
    }


def write_program(path: Path, text: str, job: Job) -> None:
    """Write a Python file that reads replies as evaluation does.

    Args:
        path: The file.
        text: Its source, but for the functions that read replies, which are put where it says ``# READING``.
        job: What is exported.

    Raises:
        RunError: The disk does not take it.
    """
    write_text(path, text.replace("# READING\n", job.reading))
