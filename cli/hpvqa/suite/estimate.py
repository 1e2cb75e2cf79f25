"""What a run of the suite would take, before anything is made."""

from __future__ import annotations

import shutil

from pydantic import Field

from hpvqa.plain import Model
from hpvqa.suite.data import Data
from hpvqa.suite.run import PLAYERS, REFERENCES

_QUESTIONS = 3
"""Most questions about a clip: which of two has more, and how much of it each of them has."""


class PartEstimate(Model):
    """What a part would take."""

    episodes: int = Field(description="Episodes that there should be.")
    missing: int = Field(description="Episodes that are not there yet.")
    bytes: int = Field(description="Size of the missing ones, about.")
    seconds: float = Field(description="How long making them takes, about.")
    questions: int = Field(description="Questions that the model is asked, at most.")


class SuiteEstimate(Model):
    """What a run would take."""

    suite: str
    data: str
    parts: dict[str, PartEstimate]
    scenes: int = Field(description="Scenes that there should be.")
    scenes_missing: int = Field(description="Scenes that are not there yet.")
    bytes: int = Field(description="Size of all that is missing, about.")
    seconds: float = Field(description="How long making it takes, about; answers come on top.")
    free_bytes: int = Field(description="Free space on the disk of the folder.")
    questions: int = Field(description="Questions that the model is asked, at most.")
    references: tuple[str, ...] = Field(description="Who answers beside the model, once for all models.")


def estimate(data: Data, workers: int) -> SuiteEstimate:
    """Work out what a run would take. Nothing is written.

    Args:
        data: The folder.
        workers: Processes at work.

    Raises:
        UsageError: The folder holds something else.
    """
    found, parts = data.estimates(workers), {}
    for part in data.suite.parts():
        cameras = {name: len(of.cameras) for name, of in data.request(part).collection.tasks.items()}
        training = data.suite.size.training if part.usual else 0
        clips = sum((count - training) * cameras[name] for name, count in part.tasks.items())
        parts[part.name] = PartEstimate(
            episodes=sum(part.tasks.values()),
            missing=sum(task.asked - task.already for task in found[part.name].tasks.values()),
            bytes=found[part.name].bytes,
            seconds=found[part.name].seconds or 0.0,
            questions=clips * _QUESTIONS,
        )
    existing = next(path for path in (data.root.absolute(), *data.root.absolute().parents) if path.is_dir())
    return SuiteEstimate(
        suite=data.suite.name,
        data=str(data.root),
        parts=parts,
        scenes=data.suite.size.scenes,
        scenes_missing=data.scenes_missing(),
        bytes=sum(part.bytes for part in parts.values()),
        seconds=sum(part.seconds for part in parts.values()) + data.scene_seconds(workers),
        free_bytes=shutil.disk_usage(existing).free,
        questions=sum(part.questions for part in parts.values()),
        references=tuple(dict.fromkeys((*REFERENCES.values(), *PLAYERS.values()))),
    )
