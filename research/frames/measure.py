"""How many answers follow from where all things are in some frames, known to a millimetre or so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hpvqa.record.episode import EpisodeRecord, read_episode
from hpvqa.vlm.baselines import glimpses
from hpvqa.vlm.frames.choose import choose, needs_motion
from hpvqa.vlm.frames.clip import Clip
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling

Choice = Callable[[Clip], tuple[int, ...]]
"""From a clip to numbers of its frames."""


def _sampled(**given: object) -> Choice:
    # Nobody looks at these frames; being small, they are decoded once.
    sampling = FrameSampling.model_validate({**given, "resolution": (16, 16)})
    return lambda clip: read_clip(clip, sampling).indices if needs_motion(sampling, clip) else choose(sampling, clip)


CHOICES: Mapping[str, Choice] = {
    "first": lambda clip: (0,),
    "middle": lambda clip: (clip.frames // 2,),
    "last": lambda clip: (clip.frames - 1,),
    "uniform, 4 frames": _sampled(count=4),
    "uniform, 2 a second": _sampled(),
    "dense": _sampled(sampler="dense"),
    "motion": _sampled(sampler="motion"),
    "events": _sampled(sampler="events"),
}


@dataclass(frozen=True)
class Judged:
    """What follows from one choice of frames of an episode.

    Attributes:
        task: The task of the episode.
        choice: Which frames.
        correct: Whether the likelier answer is the true one; of two that are equally likely, left is said.
        odds: Logarithm of the odds of left.
    """

    task: str
    choice: str
    correct: bool
    odds: float


def judge(folders: Iterable[Path]) -> list[Judged]:
    """Every choice of frames of every episode.

    Args:
        folders: Episodes with clips; those of the first camera are looked at where a choice depends on pictures.

    Raises:
        HpvqaError: An episode has no clip or no trajectory, or they are damaged.
        ValueError: An episode has no clips.
    """
    return [judged for folder in folders for judged in _of_episode(folder)]


def _of_episode(folder: Path) -> Iterable[Judged]:
    record = read_episode(folder)
    clip = _clip(folder, record)
    for name, choice in CHOICES.items():
        odds = record.task.log_odds(record.spec, record.events, *glimpses(folder, record, choice(clip), clip.fps))
        said = "left" if odds >= 0 else "right"
        yield Judged(record.spec.task, name, said == record.task.answer(record.spec), odds)


def _clip(folder: Path, record: EpisodeRecord) -> Clip:
    if record.video is None or not record.cameras:
        raise ValueError(f"{folder} has no clips; collect it without --no-video")
    path = folder / f"{record.cameras[0].camera.name}.mp4"
    moments = tuple(event.t for event in record.events)
    return Clip(path, record.video.fps, record.video.frames, moments)
