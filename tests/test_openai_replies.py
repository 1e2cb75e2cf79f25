"""Replies as real servers make them: hosted models with rules of their own, models that think, errors in disguise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hpvqa.errors import RunError, UsageError
from hpvqa.vlm.backends.openai.dialect import Dialect
from hpvqa.vlm.backends.openai.packing import Sent
from hpvqa.vlm.protocol import Answer
from tests.openai_client import Loaded, bright, load, waits
from tests.raw_server import Raw, listed, refused, said
from tests.servers import LOGPROBS, StandIn
from tests.tiny_models import make_query

__all__ = ["load", "waits"]

RIGHT = said("right", listed(right=-0.1, left=-2.5))


def answer(load: Loaded, reply: Any, **options: Any) -> Answer:
    """What is made of a reply that comes to every request."""
    with Raw() as server:
        server.body = lambda body: reply
        return load(server, **options).answer([make_query(bright(200))])[0]


# How requests are put


def strict(body: dict[str, Any]) -> Any:
    """A hosted model that reasons, as OpenAI's are described."""
    if any(part["type"] == "video_url" for message in body["messages"] for part in message["content"]):
        return refused("Invalid value: 'video_url'. Supported values are: 'text', 'image_url'.")
    if "max_tokens" in body:
        return refused("Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.")
    if body["max_completion_tokens"] < 16:
        return refused("Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16")
    if body.get("temperature", 1) != 1:
        return refused("Unsupported value: 'temperature' does not support 0 with this model.")
    if "logprobs" in body:
        return refused("You are not allowed to request logprobs from this model")
    return said("right") if body["max_completion_tokens"] > 1000 else said("", ended="length")


def test_a_model_with_rules_of_its_own_is_asked_as_it_wants(load: Loaded) -> None:
    with Raw() as server:
        server.body = strict
        answerer = load(server, transport="images", max_new_tokens=4096)
        (found,) = answerer.answer([make_query(bright(200), system="")])
        (request,) = server.requests
    assert (found.choice, found.error) == ("right", None)
    assert {name: value for name, value in request.items() if name != "messages"} == {
        "model": "glm",
        "max_completion_tokens": 4096,
    }
    assert any("temperature 0" in sentence for sentence in load.told)
    assert answerer.details["temperature"] == "the server's own"
    assert answerer.details["scoring"] == "generate"


def test_a_temperature_that_must_be_named_is_named(load: Loaded) -> None:
    with Raw() as server:
        server.body = lambda body: RIGHT if body.get("temperature") == 1 else refused("'temperature' only supports 1")
        answerer = load(server)
        assert answerer.answer([make_query(bright(200))])[0].choice == "right"
    assert answerer.details["temperature"] == 1


def test_a_model_that_thinks_unseen_and_has_no_room_for_it_is_told_before_the_first_row(load: Loaded) -> None:
    with Raw() as server:
        server.body = strict
        with pytest.raises(RunError, match=r"said nothing within 16 tokens.*--max-new-tokens"):
            load(server, transport="images")


def test_a_server_that_takes_no_video_names_the_transport_that_works(load: Loaded) -> None:
    with Raw() as server:
        server.body = strict
        with pytest.raises(RunError, match=r"'video_url'.*--transport images"):
            load(server)


def test_a_refusal_that_is_about_something_else_changes_nothing() -> None:
    usual = Dialect()
    for refusal in ("", "the prompt is too long", "temperature 0, max_tokens 1: the model is overloaded"):
        assert usual.after(refusal) is None
    other = usual.after("use max_completion_tokens")
    assert other is not None
    assert other.after("use max_completion_tokens") is None
    assert other.body("m", Sent([]), {"max_tokens": 3})["max_completion_tokens"] == 3


# Which models there are


@pytest.mark.parametrize("cards", ["<html>portal</html>", [1, 2], {"models": []}, {"data": [{"name": "m"}]}])
def test_a_server_that_does_not_list_its_models_is_asked_for_the_one_that_is_named(load: Loaded, cards: Any) -> None:
    with StandIn(models=["m"], cards=cards) as server:
        assert load(server, model="m").answer([make_query(bright(200))])[0].choice == "left"
        with pytest.raises(RunError, match="--model"):
            load(server)


def test_a_bare_list_of_models_is_a_list(load: Loaded) -> None:
    with StandIn(models=["m"], cards=[{"id": "m"}]) as server:
        assert load(server).name == "m"
        with pytest.raises(UsageError, match="did you mean 'm'"):
            load(server, model="mm")


def test_a_prefix_of_a_list_does_not_matter(load: Loaded) -> None:
    with StandIn(models=["gemini"], cards=[{"id": "models/gemini"}, {"id": "models/other"}]) as server:
        answerer = load(server, model="gemini")
        assert answerer.name == "gemini"
        assert answerer.answer([make_query(bright(200))])[0].choice == "left"


def test_only_some_of_very_many_names_are_shown(load: Loaded) -> None:
    with StandIn(models=[f"model-{number}" for number in range(500)]) as server:
        with pytest.raises(UsageError, match="model-19 and 480 more") as caught:
            load(server)
        assert len(str(caught.value)) < 1000


# Errors that come as if all were well


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "Upstream is overloaded", "code": 502}},
        {"error": "Upstream is overloaded"},
        {"id": "x", "choices": [{"error": {"message": "Upstream is overloaded"}, "message": {"content": ""}}]},
    ],
)
def test_an_error_that_comes_with_success_is_tried_again_and_told(load: Loaded, waits: list[float], error: Any) -> None:
    with Raw() as server:
        answerer = load(server, retries=2)
        bodies = iter([error, RIGHT, error, error, error])
        server.body = lambda body: next(bodies)
        query = make_query(bright(200))
        first, second = (answerer.answer([query])[0] for _ in range(2))
    assert (first.choice, first.error) == ("right", None)
    assert second.choice is None
    assert "Upstream is overloaded" in str(second.error)
    assert "asked 3 times" in str(second.error)
    assert len(waits) == 3


def test_a_request_that_is_refused_with_success_is_not_tried_again(load: Loaded, waits: list[float]) -> None:
    with Raw() as server:
        answerer = load(server)
        server.body = lambda body: {"error": {"message": "The picture is too large", "code": "400"}}
        (found,) = answerer.answer([make_query(bright(200))])
        assert len(server.requests) == 1
    assert "The picture is too large" in str(found.error)


# Probabilities


@pytest.mark.parametrize("nothing", [None, float("-inf"), float("nan")])
def test_a_token_without_a_probability_is_as_good_as_not_listed(load: Loaded, nothing: float | None) -> None:
    found = answer(load, said("right", listed(right=-0.01, left=nothing, x=nothing)))
    assert (found.choice, found.logprobs, found.error) == ("right", None, None)


def test_a_server_that_lists_no_other_tokens_still_tells_the_likeliest(load: Loaded) -> None:
    found = answer(load, said("right", {"content": [{"token": "right", "logprob": -0.01, "top_logprobs": None}]}))
    assert (found.choice, found.logprobs, found.error) == ("right", None, None)


def test_rounding_above_nothing_is_cut(load: Loaded) -> None:
    assert answer(load, said("right", listed(right=0.001, left=-9.0))).logprobs == {"right": 0.0, "left": -9.0}


def test_what_cannot_be_a_probability_is_not_used(load: Loaded) -> None:
    with Raw() as server:
        server.body = lambda body: said("right", listed(right=900.0, left=-1.0) if body.get("logprobs") else None)
        (found,) = load(server).answer([make_query(bright(200))])
    assert (found.choice, found.logprobs) == ("right", None)
    assert any("no log-probabilities" in sentence for sentence in load.told)


def test_a_server_that_fails_over_probabilities_is_asked_without(load: Loaded, waits: list[float]) -> None:
    with Raw() as server:
        server.body = lambda body: refused("Internal: logprobs", 500) if "logprobs" in body else said("right")
        assert load(server).answer([make_query(bright(200))])[0].choice == "right"


# Thoughts and silence


THINKING = [
    said("<think>\nThe left cube moves first and", ended="length"),
    said(None, ended="length", reasoning_content="Okay, left or right"),
    said("", ended="length", reasoning="Okay, left or right"),
    said(None, listed(**{"<think>": 0.0, "left": -20.0, "right": -21.0}), "length", reasoning_content="the left"),
    said("[THINK]The left cube", listed(**{"[THINK]": -0.01, "left": -5.0}), "length"),
]


@pytest.mark.parametrize("reply", THINKING)
def test_a_thought_that_is_cut_off_is_no_answer(load: Loaded, reply: Any) -> None:
    with pytest.raises(RunError, match=r"said nothing within 16 tokens.*--max-new-tokens"):
        answer(load, reply)
    with Raw() as server:
        answerer = load(server, scoring="generate")
        server.body = lambda body: reply
        (found,) = answerer.answer([make_query(bright(200))])
    assert found.choice is None
    assert "said nothing within 16 tokens" in str(found.error)


@pytest.mark.parametrize(
    "reply",
    [
        said("<think>The left one slid further, so it is lighter.</think>right"),
        said("The left one slid further.</think>\n\nRight."),
        said("right", reasoning_content="The left one slid further."),
        said([{"type": "thinking", "thinking": "the left one"}, {"type": "text", "text": "right"}]),
        said("right", listed(**{"<think>": -0.01, "left": -3.0, "right": -4.0})),
    ],
)
def test_what_is_said_after_all_thoughts_is_the_answer(load: Loaded, reply: Any) -> None:
    found = answer(load, reply, max_new_tokens=4096)
    assert (found.choice, found.logprobs, found.error) == ("right", None, None)


def test_a_sentence_that_is_cut_off_is_no_answer_and_that_is_told_once(load: Loaded) -> None:
    with Raw() as server:
        answerer = load(server, scoring="generate", transport="images")
        server.body = lambda body: said("The left cube moved less far than the right", ended="length")
        found = answerer.answer([make_query(bright(200)), make_query(bright(200))])
        server.body = lambda body: said("Left.\nThe cube on this", ended="length")
        (begun,) = answerer.answer([make_query(bright(200))])
    assert [(one.choice, one.error) for one in found] == [(None, None)] * 2
    assert begun.choice == "left"
    assert len([sentence for sentence in load.told if "cut off after 16 tokens" in sentence]) == 1


def test_no_text_at_all_is_an_error_and_a_refusal_is_what_was_said(load: Loaded) -> None:
    with Raw() as server:
        answerer = load(server, scoring="generate")
        server.body = lambda body: said(None, ended="content_filter")
        (silent,) = answerer.answer([make_query(bright(200))])
        server.body = lambda body: said(None, refusal="I cannot help with that")
        (unwilling,) = answerer.answer([make_query(bright(200))])
    assert "sent no text (it ended with 'content_filter')" in str(silent.error)
    assert (unwilling.choice, unwilling.text, unwilling.error) == (None, "I cannot help with that", None)


def test_the_stand_in_is_believed_by_all_of_this(load: Loaded) -> None:
    with StandIn() as server:
        (found,) = load(server).answer([make_query(bright(200))])
    assert found.logprobs == {"left": LOGPROBS["left"], "right": LOGPROBS["right"]}
    json.dumps(RIGHT)
