"""A model decides alike wherever it runs: in this process by transformers or vLLM, or behind a server."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import numpy as np
import pytest
from pydantic import SecretStr

from hpvqa.explore.agents.model import ModelAgent, open_model
from hpvqa.explore.protocol import Decision, Shot, Turn
from hpvqa.explore.runs.record import read_played
from hpvqa.sim import open_simulator  # noqa: F401 - marks this file as one that simulates
from hpvqa.vlm.backends.vllm import VllmAnswerer
from hpvqa.vlm.choice import ModelChoice
from hpvqa.vlm.tiny import build_tiny
from hpvqa.vlm.tiny.kinds import Kind
from tests.explore_play import Scripted, play
from tests.explore_worlds import group, write_worlds
from tests.patience import PATIENCE
from tests.relay import Relay
from tests.servers import served_by_vllm
from tests.tiny_models import SIDE

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("vllm", "httpx2", "mujoco", "peft")),
        reason="needs vLLM, the client of servers, a simulator and PEFT",
    ),
]

TOLERANCE = 1e-4
KEY = SecretStr("the-key-of-the-tests")
KINDS: tuple[Kind, ...] = ("qwen3_vl", "internvl")
CONTEXT = 8192


def wander(turn: Turn) -> Decision:
    """Move the viewer three times, and answer."""
    moves = [option for option in turn.options if option.text.startswith(("Move the viewer", "Turn", "Raise", "Lower"))]
    answers = [option for option in turn.options if option.answers]
    return Decision((moves if moves and turn.step < 3 else answers)[turn.step % 2 - 1].letter)


@contextmanager
def opened(environ: dict[str, str] | None = None, **said: Any) -> Iterator[ModelAgent]:
    agent = open_model(ModelChoice(**said), environ or {})
    try:
        agent.load([].append)
        yield agent
    finally:
        agent.close()


@pytest.fixture(scope="module")
def turns(tmp_path_factory: pytest.TempPathFactory) -> list[Turn]:
    """Turns of three scenes, with one to three pictures or more."""
    agent = Scripted(wander)
    agent.looks = True
    play(agent, tmp_path_factory.mktemp("turns") / "run", scenes=group()[:3])
    assert {len(turn.shots) for turn in agent.turns} >= {1, 2, 3}
    return agent.turns


class Model:
    """A model with large random weights, so that what it decides depends on all that it sees, and what it decides when
    transformers runs it."""

    def __init__(self, kind: Kind, folder: Path, turns: list[Turn]) -> None:
        self.folder = folder / "model"
        build_tiny(kind, self.folder, trainable=True, side=SIDE)
        here = {"model": str(self.folder), "dtype": "float32", "device": "cpu", "batch_size": 4}
        with opened(**here) as agent:
            self.details, self.weighed = agent.details, agent.decide(turns)
            self.unseeing = agent.decide([replace(turn, shots=tuple(map(black, turn.shots))) for turn in turns])
        with opened(**here, scoring="generate", max_new_tokens=8) as agent:
            self.said = agent.decide(turns)


def black(shot: Shot) -> Shot:
    return replace(shot, image=np.zeros_like(shot.image))


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, turns: list[Turn]) -> Model:
    return Model(request.param, tmp_path_factory.mktemp("engines"), turns)


def alike(found: Sequence[Decision], wanted: Sequence[Decision]) -> None:
    assert [one.letter for one in found] == [one.letter for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=TOLERANCE)
        # vLLM leaves out half a character at the end.
        assert one.thought.rstrip("\ufffd") == other.thought.rstrip("\ufffd")


def test_what_it_decides_depends_on_what_it_sees(model: Model) -> None:
    assert len({decision.letter for decision in model.weighed}) > 1
    assert len({decision.thought for decision in model.said}) > 1
    for seeing, unseeing in zip(model.weighed, model.unseeing, strict=True):
        assert seeing.logprobs is not None
        assert unseeing.logprobs is not None
        assert max(abs(seeing.logprobs[one] - unseeing.logprobs[one]) for one in seeing.logprobs) > 20 * TOLERANCE


def test_vllm_decides_as_transformers_does(model: Model, turns: list[Turn]) -> None:
    said: dict[str, Any] = {"backend": "vllm", "model": str(model.folder), "dtype": "float32"}
    with opened(**said, scoring="logprobs") as agent:
        alike(agent.decide(turns), model.weighed)
        # An engine takes long to start, and what it is asked for is said with each request.
        talker = open_model(ModelChoice(**said, scoring="generate", max_new_tokens=8), {})
        weighing, talking = cast(VllmAnswerer, agent._answerer), cast(VllmAnswerer, talker._answerer)
        talking._llm, talking._processor = weighing._llm, weighing._processor
        alike(talker.decide(turns), model.said)


@pytest.fixture(scope="module")
def served(model: Model) -> Iterator[int]:
    """The port of a server of the model."""
    with served_by_vllm(model.folder, model.folder.parent, "--context", CONTEXT, key=KEY) as url:
        yield urlsplit(url).port or 0


def test_a_server_decides_as_transformers_does(model: Model, turns: list[Turn], served: int) -> None:
    environ, url = {"HPVQA_API_KEY": KEY.get_secret_value()}, f"http://127.0.0.1:{served}/v1"
    with opened(environ, server=url, scoring="logprobs") as agent:
        assert agent.details["resolution"] == model.details["resolution"]
        alike(agent.decide(turns), model.weighed)
    with opened(environ, server=url, max_new_tokens=8) as agent:
        alike(agent.decide(turns), model.said)


@pytest.mark.parametrize("model", KINDS[:1], indirect=True)
def test_a_server_that_is_gone_within_a_scene_loses_no_scene(model: Model, served: int, tmp_path: Path) -> None:
    worlds, out = write_worlds(tmp_path / "worlds"), tmp_path / "run"
    command = [sys.executable, "-m", "hpvqa", "explore", "run", "--worlds", worlds, "--out", out]
    command += ["--condition", "facts", "--scoring", "logprobs", "--concurrency", "1", "--server"]
    environment = {**os.environ, "HPVQA_API_KEY": KEY.get_secret_value()}

    def run() -> subprocess.Popen[str]:
        words = [*map(str, command), f"http://127.0.0.1:{relay.port}/v1"]
        return subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    # To start a server takes a minute.
    with Relay(served) as relay:
        broken = run()
        while broken.poll() is None and not list(out.glob("scenes/*/steps.jsonl")):
            time.sleep(0.005)
        relay.cut()
        said = broken.communicate(timeout=PATIENCE)[1]
        assert broken.returncode == 1
        assert "Traceback" not in said
        assert "go on" in said.splitlines()[-1]
        kept = {path: path.read_bytes() for path in out.glob("scenes/*/steps.jsonl")}
        assert 0 < len(kept) < len(group())
        relay.mend()
        assert run().wait(120) == 0
    assert len(list(out.glob("scenes/*/steps.jsonl"))) == len(group())
    assert all(path.read_bytes() == content for path, content in kept.items())
    with opened(model=str(model.folder), dtype="float32", device="cpu") as agent:
        here = play(agent, tmp_path / "here", "facts")
    for one in here:
        there = read_played(out / "scenes" / one.ending.key / "steps.jsonl")
        assert there is not None
        assert [step.letter for step in there.steps] == [step.letter for step in one.steps]
