"""Models behind a server: what is made of their replies, and what a vLLM server is told besides."""

from __future__ import annotations

import math
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.errors import RunError
from hpvqa.vlm.backends.openai.scores import by_text
from hpvqa.vlm.backends.openai.trial import expected, stretches
from tests.openai_client import GONE, Loaded, bright, load, vllm, waits
from tests.servers import LOGPROBS, StandIn
from tests.tiny_models import make_query

__all__ = ["load", "waits"]


def test_text_is_read_where_the_server_gives_no_logprobs_and_that_is_told_once(load: Loaded) -> None:
    with StandIn(tokens={}, text="It is the RIGHT one.") as server:
        answerer = load(server, transport="images", max_new_tokens=9)
        assert len(load.told) == 1
        assert "no log-probabilities" in load.told[0]
        answers = answerer.answer([make_query(bright(200)), make_query(bright(50))])
        assert all(request["max_tokens"] == 9 for request in server.requests)
    assert [(answer.choice, answer.logprobs) for answer in answers] == [("right", None)] * 2
    assert len(load.told) == 1
    assert answerer.details["scoring"] == "generate"
    assert answerer.details["max_new_tokens"] == 9


@pytest.mark.parametrize(
    ("text", "choice"), [("Left.", "left"), ("left or right", None), ("neither", None), ("", None)]
)
def test_generated_text_is_read_strictly(load: Loaded, text: str, choice: str | None) -> None:
    with StandIn(text=text) as server:
        (answer,) = load(server, scoring="generate").answer([make_query(bright(200))])
        assert server.requests[0].keys() & {"logprobs", "top_logprobs"} == set()
    assert (answer.choice, answer.text, answer.logprobs, answer.error) == (choice, text, None, None)


def test_fewer_logprobs_are_asked_for_where_a_server_has_fewer(load: Loaded) -> None:
    with StandIn(most_tokens=5) as server:
        (answer,) = load(server).answer([make_query(bright(200))])
        assert server.requests[0]["top_logprobs"] == 5
    assert answer.logprobs is not None


def test_a_split_word_counts_by_its_first_token(load: Loaded) -> None:
    with StandIn(tokens={"le": -0.5, "ri": -1.5, "l": -3.0, "The": -2.0}) as server:
        (answer,) = load(server).answer([make_query(bright(200))])
    assert answer.choice == "left"
    assert answer.logprobs == {"left": -0.5, "right": -1.5}


def test_a_bound_is_no_value(load: Loaded) -> None:
    with StandIn(tokens={"right": -0.1, "The": -3.0, "It": -3.5}) as server:
        (answer,) = load(server).answer([make_query(bright(200))])
    assert (answer.choice, answer.logprobs) == ("right", None)


FAR_DOWN = {"The": -5.5, "L": -6.5, "right": -7.5}
"""What else a server lists whose likeliest token is left, in some way of writing it."""


@pytest.mark.parametrize("token", ["Left", "LEFT", " left", " Left", "Ġleft", "▁left", "ĠLeft", "left\n", "\nleft"])
@pytest.mark.parametrize("kind", ["somebody", "vllm"])
@pytest.mark.slow
def test_a_word_counts_however_it_is_written(load: Loaded, token: str, kind: str) -> None:
    # Split, so that vLLM too is asked for its likeliest tokens.
    with StandIn(owned_by=kind, split=True, tokens={token: -0.02, **FAR_DOWN}) as server:
        (answer,) = load(server).answer([make_query(bright(200))])
    assert (answer.choice, answer.error) == ("left", None)
    assert answer.logprobs == {"left": -0.02, "right": -7.5}


def test_the_ways_of_writing_a_word_add_up(load: Loaded) -> None:
    listed = {"left": math.log(0.3), "Left": math.log(0.2), " left": math.log(0.05), "right": math.log(0.4)}
    with StandIn(tokens=listed) as server:
        (answer,) = load(server).answer([make_query(bright(50))])
    # The frames are dark, so the stand-in has swapped both words.
    assert answer.logprobs is not None
    assert {word: math.exp(value) for word, value in answer.logprobs.items()} == pytest.approx(
        {"left": 0.65, "right": 0.3}
    )
    assert answer.choice == "left"


@pytest.mark.parametrize("token", ["Answer", "The", "\n", "**", "R", "", "ri"])
def test_where_another_token_is_likeliest_the_model_speaks(load: Loaded, token: str) -> None:
    with StandIn(tokens={token: -0.05, "left": -6.5}, text="Answer: left") as server:
        (answer,) = load(server).answer([make_query(bright(200))])
        assert [request["max_tokens"] for request in server.requests] == [1, 16]
    assert (answer.choice, answer.text, answer.logprobs) == ("left", "Answer: left", None)


def test_where_no_word_is_listed_the_model_speaks(load: Loaded) -> None:
    with StandIn(tokens={"The": -0.1, "It": -3.5}, text="The left cube.") as server:
        (answer,) = load(server, max_new_tokens=7).answer([make_query(bright(200))])
        assert [request["max_tokens"] for request in server.requests] == [1, 7]
    assert (answer.choice, answer.logprobs, answer.text) == ("left", None, "The left cube.")


def test_a_model_that_would_rather_say_something_else_is_told_of_once(load: Loaded) -> None:
    with StandIn(tokens={"Maybe": -0.01, "left": -6.0, "right": -7.0}) as server:
        answerer = load(server, transport="images")
        answerer.answer([make_query(bright(200)), make_query(bright(210))])
        answerer.answer([make_query(bright(200))])
    (said,) = load.told
    assert "Maybe" in said


WRITTEN = st.sampled_from(["left", "right", "le", "ri", "righ", "l", "R", "", "up"])
TOKENS = st.builds(
    lambda before, word, case: before + case(word),
    st.sampled_from(["", " ", "Ġ", "▁", "\n"]),
    WRITTEN,
    st.sampled_from([str.lower, str.upper, str.title]),
)


@given(st.dictionaries(TOKENS, st.floats(-20, -3), max_size=12))
@pytest.mark.slow
def test_tokens_count_only_for_the_one_word_that_they_are_or_begin(tokens: dict[str, float]) -> None:
    found = by_text(tokens, ("left", "right"))
    mass: dict[str, float] = defaultdict(float)
    for token, logprob in tokens.items():
        mass[token.strip(" Ġ▁\n").lower()] += math.exp(logprob)
    whole = {word for word in ("left", "right") if word in mass}
    begun = {"left": ["le"], "right": ["righ", "ri"]}
    for word in ("left", "right"):
        counts = [word] if whole else [text for text in begun[word] if text in mass][:1]
        if counts and counts[0] in mass:
            assert math.exp(found[word]) == pytest.approx(mass[counts[0]])  # type: ignore[index]
        else:
            assert word not in found


def test_a_token_with_which_both_words_begin_says_nothing() -> None:
    assert by_text({"l": -1.0, "": -0.1, "le": -2.0, "lef": -2.0}, ("left", "lefty")) == {}  # type: ignore[arg-type]


def test_vllm_is_told_to_keep_all_frames_not_to_think_and_what_to_score(load: Loaded) -> None:
    answerer, answer, request = vllm(load, make_query(bright(200)))
    assert request["chat_template_kwargs"] == {"enable_thinking": False}
    assert request["mm_processor_kwargs"] == {"do_sample_frames": False}
    assert request["media_io_kwargs"]["video"] == {"video_backend": "opencv", "num_frames": -1, "fps": -1}
    assert request["logprob_token_ids"] == [7, 8]
    assert answer.logprobs == {"left": LOGPROBS["left"], "right": LOGPROBS["right"]}
    assert answerer.resampling == "none"
    assert load.told == []
    assert answerer.details["server_version"] == "0.32.0"
    assert answerer.details["scored"] == "one token each"


def test_vllm_that_cannot_score_whole_words_is_asked_for_its_likeliest_tokens(load: Loaded) -> None:
    # It splits the words, and cannot say what their first tokens are.
    answerer, answer, request = vllm(load, make_query(bright(200)), split=True)
    assert answerer.details["scored"] == "first tokens"
    assert len(load.told) == 1
    assert "whole word" in load.told[0]
    assert request["top_logprobs"] == 20
    assert answer.choice == "left"


def test_vllm_that_does_not_trust_clients_is_asked_plainly(load: Loaded) -> None:
    answerer, answer, request = vllm(load, make_query(bright(200)), trusting=False)
    assert request.keys() & {"mm_processor_kwargs", "media_io_kwargs"} == set()
    assert answer.choice == "left"
    assert answerer.resampling == "none"


def test_vllm_that_leaves_frames_out_is_marked(load: Loaded) -> None:
    answerer, answer, _ = vllm(load, make_query(bright(200)), trusting=False, keep=lambda count: min(count, 8))
    assert answerer.resampling == "unknown"
    assert "--trust-request-mm-kwargs" in load.told[0]
    assert answer.choice == "left"


def test_frames_that_vllm_leaves_out_of_one_query_are_an_error_of_its_row(load: Loaded) -> None:
    kept = {13: 13, 3: 2, 5: 5}
    with StandIn(owned_by="vllm", keep=lambda count: kept[count]) as server:
        answerer = load(server)
        assert answerer.resampling == "none"
        answers = answerer.answer([make_query(bright(200)), make_query(bright(200, 5))])
    assert "left out frames" in str(answers[0].error)
    assert answers[1].error is None


def test_a_template_that_thinks_all_the_same_is_refused(load: Loaded) -> None:
    with StandIn(owned_by="vllm", prompt_text="<think>\n") as server, pytest.raises(RunError, match="<think>"):
        load(server)


def test_a_failure_while_vllm_is_tried_out_does_not_change_the_way_of_scoring(load: Loaded, waits: list[float]) -> None:
    with StandIn(owned_by="vllm") as server:
        server.faults.extend([0.0, *[(500, {}, GONE)] * 3])
        with pytest.raises(RunError, match="the engine is dead"):
            load(server)


@pytest.mark.parametrize(("each", "count"), [(1, 18), (2, 10)])
def test_stretches_of_video_tokens_are_counted(each: int, count: int) -> None:
    frames = [13, 5]
    assert expected(frames, each) == count
    prompt = [token for _ in range(count) for token in [1, 2, 2, 3, *[99] * 4, 1]]
    assert stretches(prompt) == count
    assert stretches([]) == 0


def test_frames_in_pairs_are_counted_as_such(load: Loaded) -> None:
    with StandIn(owned_by="vllm", keep=lambda count: {13: 7, 3: 2, 6: 2}[count]) as server:
        answerer = load(server)
        assert answerer.resampling == "none"
        answers = answerer.answer([make_query(bright(200, 3)), make_query(bright(200, 6))])
    assert answers[0].error is None
    assert "left out frames" in str(answers[1].error)
