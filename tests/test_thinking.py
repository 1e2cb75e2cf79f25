"""Models that think first: their thoughts do not count, and thoughts that are cut off are no valid answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpvqa.errors import RunError, UsageError
from hpvqa.vlm.backends.engine import EngineReply, EngineRequest
from hpvqa.vlm.backends.transformers import TransformersAnswerer
from hpvqa.vlm.chat import render
from hpvqa.vlm.choice import ModelChoice
from hpvqa.vlm.families import families, find_family
from hpvqa.vlm.options import TransformersOptions
from hpvqa.vlm.processing import load_processor
from hpvqa.vlm.thoughts import begun, cut_off
from hpvqa.vlm.tiny.kinds import KINDS, Kind
from tests.openai_client import Loaded, bright, load, vllm
from tests.servers import StandIn
from tests.tiny_models import TinyModel, make_query, noise

__all__ = ["load"]

QUERY = make_query(bright(200))


class Scripted(TransformersAnswerer):
    """Says what it is told to, after the real prompt."""

    def say(self, *replies: EngineReply) -> Scripted:
        self._replies = replies
        self.prompts: list[str] = []
        return self

    def _run(self, requests: Sequence[EngineRequest]) -> list[EngineReply]:
        self.prompts = [request.text for request in requests]
        return list(self._replies)


@pytest.mark.parametrize(
    ("prompt", "mark"), [("a <think>\n", "<think>"), ("[THINK]", "[THINK]"), ("<think></think>\n\n", ""), ("", "")]
)
def test_a_prompt_may_begin_a_thought(prompt: str, mark: str) -> None:
    assert begun(prompt) == mark


@pytest.mark.parametrize("kind", KINDS)
def test_the_chat_template_is_told_to_let_it_think(kind: Kind, tiny_model: TinyModel) -> None:
    folder = str(tiny_model(kind))
    processor, family = load_processor(folder), find_family(folder)
    thinks = render(processor, make_query(noise()), family, thinking=True)
    assert begun(thinks) == ("<think>" if family.thinking_options else "")
    assert begun(render(processor, make_query(noise()), family)) == ""
    assert bool(family.thinking_options) == bool(family.chat_template_options)


def test_families_that_can_think_are_told_so() -> None:
    assert {family.name for family in families() if family.thinking_options} >= {"qwen3.5", "qwen3-vl", "internvl3.5"}


@pytest.mark.parametrize(
    ("reply", "choice", "value", "told"),
    [
        (EngineReply("left is tempting, but\n</think>\n\nRight."), "right", None, 0),
        (EngineReply("so it is 4\n</think>\n3.2 kg"), None, 3.2, 0),
        (EngineReply("left", cut=True), None, None, 1),
        (EngineReply("left, since it moved"), None, None, 0),  # ended within its thought
        (EngineReply("hm</think>The left one is", cut=True), None, None, 0),
        (EngineReply("hm</think>left or right"), None, None, 0),
    ],
)
def test_what_is_said_after_the_thoughts_is_read_strictly(
    reply: EngineReply, choice: str | None, value: float | None, told: int, tiny_model: TinyModel
) -> None:
    options = TransformersOptions(model=str(tiny_model("qwen3_vl")), device="cpu", thinking=50)
    answerer = Scripted(options).say(reply, reply)
    heard: list[str] = []
    answerer.load(heard.append)
    asked = replace(make_query(noise()), unit=None if value is None else "kg")
    answers = answerer.answer([asked] * 2)
    assert all(prompt.endswith("<think>\n") for prompt in answerer.prompts)
    assert [(answer.choice, answer.value, answer.error) for answer in answers] == [(choice, value, None)] * 2
    assert answers[0].text == "<think>" + reply.text
    assert heard == [cut_off(66)] * told


def test_a_real_model_thinks_for_as_long_as_it_may(tiny_model: TinyModel) -> None:
    options = TransformersOptions(model=str(tiny_model("qwen3_vl")), device="cpu", thinking=5, max_new_tokens=2)
    answerer = TransformersAnswerer(options)
    answerer.load([].append)
    (answer,) = answerer.answer([make_query(noise())])
    assert answer.answer_tokens is not None
    assert answer.answer_tokens <= 7
    assert answer.text.startswith("<think>")
    assert (answer.choice, answer.error) == (None, None)
    assert answerer.details["thinking"] == 5
    assert answerer.details["scoring"] == "generate"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"scoring": "logprobs", "thinking": 9}, "--thinking lets the model speak"),
        ({"thinking": 0}, "--thinking must be at least 1, not 0"),
        ({"samples": 4}, "--samples is for --scoring sample"),
        ({"scoring": "sample", "samples": 1}, "--samples must be at least 2, not 1"),
    ],
)
def test_options_that_contradict_each_other_are_refused(said: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        ModelChoice(backend="transformers", model=str(tmp_path), **said)


def test_a_server_lets_its_model_think(load: Loaded) -> None:
    thought = "left?\n</think>\n\nright"
    answerer, answer, request = vllm(load, QUERY, text=thought, prompt_text="<think>\n", options={"thinking": 100})
    assert (answer.choice, answer.text, answer.error) == ("right", "<think>" + thought, None)
    assert request["max_tokens"] == 116
    assert request["chat_template_kwargs"] == {"enable_thinking": True}
    assert (answerer.details["thinking"], answerer.details["scoring"]) == (100, "generate")


def test_thoughts_of_a_server_that_are_cut_off_are_invalid_and_told_once(load: Loaded) -> None:
    with StandIn(text=None, tokens={"left": -0.1, "right": -4.0}, owned_by="vllm", prompt_text="<think>\n") as server:
        answerer = load(server, thinking=20)
        answers = answerer.answer([QUERY, QUERY])
    assert [(answer.choice, answer.error) for answer in answers] == [(None, None)] * 2
    assert load.told.count(cut_off(36)) == 1


def test_a_server_that_begins_a_thought_is_refused_where_it_shall_not(load: Loaded) -> None:
    with (
        StandIn(owned_by="vllm", prompt_text="<think>\n") as server,
        pytest.raises(RunError, match=r"begins the answer with <think> .*; let it think \(--thinking 4096\)"),
    ):
        load(server)


def test_a_server_that_tells_thoughts_apart(load: Loaded) -> None:
    message = {"role": "assistant", "content": None, "reasoning_content": "left left left"}
    cut = {"choices": [{"message": message, "finish_reason": "length"}]}
    said = {"choices": [{"message": {**message, "content": "right"}, "finish_reason": "stop"}]}
    with StandIn(text="left") as server:
        answerer = load(server, thinking=20)
        server.faults.extend([(200, {}, cut), (200, {}, said)])
        answers = [answerer.answer([QUERY])[0] for _ in range(2)]
    assert [(answer.choice, answer.error) for answer in answers] == [(None, None), ("right", None)]
