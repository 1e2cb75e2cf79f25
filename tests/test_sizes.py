"""Clips of 640x480 and square ones of the same episodes show a model the same world."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hpvqa.ask.question import make_question
from hpvqa.record.episode import EpisodeRecord
from hpvqa.record.fitting import Size, inner_size
from hpvqa.record.recorder import record_episodes
from hpvqa.sim import open_simulator
from hpvqa.vlm.choice import ModelChoice, choose_look
from hpvqa.vlm.frames.clip import Clip
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.options import TransformersOptions
from tests.worlds import sample

pytestmark = pytest.mark.long

FPS = 2
SQUARE, DEFAULT = (480, 480), (640, 480)
SEEN = ("back_wide", "front_left_narrow", "front_right_narrow")
EPISODES = (0, 1)

Recorded = dict[Size, tuple[Path, EpisodeRecord]]


@pytest.fixture(scope="module", params=EPISODES)
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    found = {}
    for size in (SQUARE, DEFAULT):
        simulator = open_simulator(size)
        spec = sample("push", request.param, seed=20777)
        cameras = tuple(camera for camera in spec.cameras if camera.name in SEEN)
        folder = tmp_path_factory.mktemp("push")
        (made,) = record_episodes(
            simulator, [spec.model_copy(update={"cameras": cameras})], [folder], fps=FPS, resolution=size
        )
        found[size] = folder, made
        simulator.close()
    return found


def test_the_overlap_is_the_same_but_for_the_codec(recorded: Recorded) -> None:
    sampling = FrameSampling(resolution=(224, 224))
    rows = slice((224 - inner_size(DEFAULT, (224, 224))[1]) // 2, (224 + inner_size(DEFAULT, (224, 224))[1]) // 2)
    for name in SEEN:
        square, shown = (
            read_clip(Clip(recorded[size][0] / f"{name}.mp4", FPS, 10), sampling).images[:, rows]
            for size in (SQUARE, DEFAULT)
        )
        apart = np.abs(square.astype(float) - shown)
        # Edges fall between other pixels of the clips; squeezed frames differ by 10 and more.
        assert apart.mean() < 3
        assert np.corrcoef(square.ravel(), shown.ravel())[0, 1] > 0.99


@pytest.mark.models
def test_the_embedded_model_answers_alike(recorded: Recorded) -> None:
    pytest.importorskip("peft")
    from hpvqa.vlm.backends.transformers import TransformersAnswerer

    look = choose_look(ModelChoice(model="embedded"))
    question = make_question(None, look.prompt, None)
    answerer = TransformersAnswerer(TransformersOptions(model="embedded", device="cpu"))
    answerer.load(lambda _: None)
    said: dict[Size, list[str | None]] = {}
    for size, (folder, record) in recorded.items():
        queries = question.queries(folder, record, ())
        shown = [
            replace(query, videos=(read_clip(Clip(query.clip, query.fps, query.frames), look.frames),))
            for query in queries
        ]
        said.setdefault(size, []).extend(answer.choice for answer in answerer.answer(shown))
    made = recorded[SQUARE][1]
    answers = [made.task.answer(made.spec)] * len(SEEN)
    assert said[SQUARE] == answers
    assert said[DEFAULT] == answers
