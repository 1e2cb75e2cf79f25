"""Clips are decoded while a model is loaded, and nothing of it stays or fails."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from hpvqa.errors import RunError
from hpvqa.finetune.ahead import Wanted, decoding_ahead
from hpvqa.finetune.prepared import Prepared
from hpvqa.finetune.run import TrainingJob, finetune
from hpvqa.vlm.frames import cache as caching
from hpvqa.vlm.frames.cache import FrameCache
from hpvqa.vlm.frames.clip import Clip
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from tests.factories import FPS, FRAMES, make_clip, quiet
from tests.finetune_jobs import job, make_plain
from tests.patience import wait_for
from tests.tiny_models import TinyModel

SAMPLING = FrameSampling(fps=FPS, resolution=(32, 32))


def clips(folder: Path, count: int) -> list[Wanted]:
    for number in range(count):
        make_clip(folder / f"{number}.mp4", 20 * number)
    return [(Clip(folder / f"{number}.mp4", FPS, FRAMES), SAMPLING) for number in range(count)]


def await_all(cache: FrameCache, wanted: Sequence[Wanted]) -> None:
    wait_for(lambda: all(cache.holds(*one) for one in wanted))


def test_frames_are_there_before_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, wanted = FrameCache(tmp_path / "cache", 10**7), clips(tmp_path, 4)
    with decoding_ahead(cache, wanted, 2):
        await_all(cache, wanted)
    plain = [read_clip(*one).images for one in wanted]
    monkeypatch.setattr(caching, "read_clip", None)
    assert all((cache.read(*one).images == images).all() for one, images in zip(wanted, plain, strict=True))
    assert multiprocessing.active_children() == []


def test_a_clip_that_does_not_decode_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    cache, wanted = FrameCache(tmp_path / "cache", 10**7), clips(tmp_path, 3)
    wanted[0][0].path.write_bytes(b"no clip")
    with decoding_ahead(cache, wanted, 1):
        await_all(cache, wanted[1:])
    with pytest.raises(RunError):
        cache.read(*wanted[0])


@pytest.mark.slow
def test_the_rest_is_dropped_when_the_model_is_there(tmp_path: Path) -> None:
    cache, wanted = FrameCache(tmp_path / "cache", 10**7), clips(tmp_path, 1)
    # They differ in what is wanted of them alone.
    many = [(wanted[0][0], SAMPLING.model_copy(update={"fps": 1.0 + number})) for number in range(200)]
    with decoding_ahead(cache, many, 2):
        pass
    assert multiprocessing.active_children() == []
    assert sum(cache.holds(*one) for one in many) < 200


def test_without_anything_to_decode_no_process_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, wanted = FrameCache(tmp_path / "cache", 10**7), clips(tmp_path, 1)
    cache.read(*wanted[0])
    monkeypatch.setattr("hpvqa.finetune.ahead.Workers", None)
    with decoding_ahead(cache, wanted, 2), decoding_ahead(None, wanted, 2), decoding_ahead(cache, [], 2):
        pass


def test_a_machine_that_cannot_start_processes_does_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hpvqa.finetune.ahead.Workers", refuse)
    with decoding_ahead(FrameCache(tmp_path / "cache", 10**7), clips(tmp_path, 1), 2):
        pass


def test_a_training_decodes_while_its_model_is_loaded(
    tmp_path: Path, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = FrameCache(tmp_path / "cache", 10**8)

    def load(job: TrainingJob, prepared: Prepared, *_: Any) -> None:
        assert len(prepared.clips) == len({clip.path for clip, _ in prepared.clips}) > 16
        await_all(cache, prepared.clips)
        raise RunError("all is there")

    monkeypatch.setattr("hpvqa.finetune.run._load", load)
    training = job(make_plain(tmp_path), tiny_model("qwen3_vl"), tmp_path / "out")
    with pytest.raises(RunError, match="all is there"):
        finetune(replace(training, cache=cache, workers=1), quiet(), command="")
