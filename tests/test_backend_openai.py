"""Models behind a server: what is sent, what is made of the replies, and what happens when the server misbehaves."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from hpvqa.errors import RunError, UsageError
from hpvqa.vlm.backends.openai import OpenAIAnswerer
from hpvqa.vlm.backends.openai.encode import mp4
from hpvqa.vlm.backends.openai.scores import by_text
from hpvqa.vlm.backends.openai.trial import expected, stretches
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.options import ServerOptions
from hpvqa.vlm.protocol import Answer, Query
from tests.engine_checks import swapped
from tests.servers import LOGPROBS, StandIn, decode_video
from tests.tiny_models import frames_of, make_query, noise

pytest.importorskip("openai")

KEY = "sk-very-secret-4711"
GONE = {"error": {"message": "the engine is dead"}}


def bright(value: int, count: int = 3) -> Frames:
    rng = np.random.default_rng(value)
    return frames_of(rng.integers(value - 20, value + 20, (count, 32, 48, 3)).astype(np.uint8))


UNEVEN = frames_of(bright(200).images, (0, 7, 40))


class Loaded:
    """Answerers that are closed at the end, and what they told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._open: list[OpenAIAnswerer] = []

    def __call__(self, server: StandIn | str, **options: Any) -> OpenAIAnswerer:
        url = server if isinstance(server, str) else server.url
        answerer = OpenAIAnswerer(ServerOptions(url=url, **{"retries": 2, "concurrency": 4, **options}))
        self._open.append(answerer)
        answerer.load(self.told.append)
        if isinstance(server, StandIn):
            server.forget()
        return answerer

    def close(self) -> None:
        for answerer in self._open:
            answerer.close()


@pytest.fixture
def load() -> Iterator[Loaded]:
    loaded = Loaded()
    yield loaded
    loaded.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the library would have waited before each retry."""
    found: list[float] = []

    async def sleep(seconds: float) -> None:
        found.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr("openai._base_client.anyio.sleep", sleep)
    return found


def parts(request: dict[str, Any]) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = request["messages"][-1]["content"]
    return content


# What is sent


def test_a_clip_travels_without_loss_and_only_standard_fields_are_sent(load: Loaded) -> None:
    with StandIn() as server:
        answerer = load(server)
        query = make_query(bright(200), system="Be brief.")
        (answer,) = answerer.answer([query])
        (request,) = server.requests
        assert np.array_equal(server.seen[0], query.videos[0].images)
    assert request["messages"][0] == {"role": "system", "content": "Be brief."}
    assert [part["type"] for part in parts(request)] == ["video_url", "text"]
    assert parts(request)[-1]["text"] == query.text
    assert {name: value for name, value in request.items() if name != "messages"} == {
        "model": "glm",
        "temperature": 0,
        "max_tokens": 1,
        "logprobs": True,
        "top_logprobs": 20,
    }
    assert answer.choice == "left"
    assert answer.logprobs == {"left": LOGPROBS["left"], "right": LOGPROBS["right"]}
    assert (answer.text, answer.prompt_tokens, answer.answer_tokens, answer.error) == ("left", 13, 1, None)
    assert answer.seconds > 0


def test_answers_come_in_the_order_of_the_queries_whichever_order_the_choices_have(load: Loaded) -> None:
    values = [200, 50, 60, 210, 220, 40, 30, 230, 190, 70]
    queries = [make_query(bright(value)) for value in values]
    with StandIn() as server:
        answers = load(server).answer([*queries, swapped(queries[0]), swapped(queries[1])])
    expected = ["left" if value > 128 else "right" for value in values]
    assert [answer.choice for answer in answers] == [*expected, "left", "right"]


def test_no_system_message_is_sent_where_there_is_none(load: Loaded) -> None:
    with StandIn() as server:
        load(server).answer([make_query(bright(200), system="")])
        assert [message["role"] for message in server.requests[0]["messages"]] == ["user"]


def test_pictures_travel_one_by_one_each_with_its_time(load: Loaded) -> None:
    with StandIn() as server:
        answerer = load(server, transport="images")
        assert answerer.resampling == "none"
        assert load.told == []
        answers = answerer.answer([make_query(UNEVEN), make_query(bright(200, 1), bright(50, 1))])
        by_length = sorted(server.requests, key=lambda request: len(parts(request)))
        seen = sorted(server.seen, key=len)
    two, three = ([part.get("text") for part in parts(request) if part["type"] == "text"] for request in by_length)
    assert three[:-1] == ["0.00 s:", "0.23 s:", "1.33 s:"]
    assert two[:-1] == ["Video 1, 0.00 s:", "Video 2, 0.00 s:"]
    assert [part["type"] for part in parts(by_length[1])] == ["text", "image_url"] * 3 + ["text"]
    assert np.array_equal(seen[1], UNEVEN.images)
    assert [answer.error for answer in answers] == [None, None]


def test_a_file_is_there_while_it_is_asked_about_and_gone_afterwards(load: Loaded, tmp_path: Path) -> None:
    media = tmp_path / "a folder"
    media.mkdir()
    with StandIn() as server:
        answerer = load(server, transport="file", media=media)
        query = make_query(bright(200))
        answers = answerer.answer([query, swapped(query), make_query(bright(50))])
        assert [answer.choice for answer in answers] == ["left", "left", "right"]
        assert len(server.files) == 3
        assert len(set(server.files)) == 2
        assert np.array_equal(server.seen[0].shape, query.videos[0].images.shape)
        assert [path for path in media.rglob("*") if path.is_file()] == []
        answerer.close()
    assert list(media.iterdir()) == []


def test_several_clips_of_one_query_travel_together(load: Loaded) -> None:
    with StandIn() as server:
        load(server).answer([make_query(bright(200), bright(210, 5))])
        assert [part["type"] for part in parts(server.requests[0])] == ["video_url", "video_url", "text"]
        assert len(server.seen[0]) == 8


def test_unevenly_spaced_frames_are_not_sent_as_a_video_and_the_others_go_on(load: Loaded) -> None:
    with StandIn() as server:
        answers = load(server).answer([make_query(bright(200)), make_query(UNEVEN)])
        assert len(server.requests) == 1
    assert answers[0].choice == "left"
    assert answers[1].choice is None
    assert "--transport images" in str(answers[1].error)


@pytest.mark.parametrize("rate", [2.0, 240 / 119, 30.0, 29.97])
def test_a_video_gives_the_same_pixels_and_the_same_times_back(rate: float) -> None:
    import io

    import av

    images = noise(5, side=32).images
    data = mp4(images, rate)
    assert np.array_equal(decode_video(data), images)
    with av.open(io.BytesIO(data)) as container:
        times = [frame.time for frame in container.decode(video=0)]
        assert np.allclose(times, np.arange(5) / rate, atol=1e-3)
        assert float(container.streams.video[0].average_rate or 0) == pytest.approx(rate, rel=1e-4)


def test_a_single_frame_becomes_a_video_of_two(load: Loaded) -> None:
    with StandIn() as server:
        load(server).answer([make_query(bright(200, 1))])
        assert np.array_equal(server.seen[0], bright(200, 1).images.repeat(2, axis=0))


# Which model


def test_the_only_model_of_a_server_needs_no_name(load: Loaded) -> None:
    with StandIn(models=["alone"]) as server:
        answerer = load(server)
        assert answerer.name == "alone"
        assert answerer.details["served_model"] == "alone"


def test_a_model_is_chosen_by_its_name(load: Loaded) -> None:
    with StandIn(models=["base", "tuned"]) as server:
        answerer = load(server, model="tuned")
        answerer.answer([make_query(bright(200))])
        assert server.requests[0]["model"] == "tuned"
        with pytest.raises(UsageError, match="did you mean 'tuned'"):
            load(server, model="tunde")
        with pytest.raises(UsageError, match=r"--model: base, tuned"):
            load(server)


def test_a_server_without_models_is_named(load: Loaded) -> None:
    with StandIn(models=[]) as server, pytest.raises(UsageError, match="serves no model"):
        load(server)


# What run.json says


def test_the_details_tell_what_answers_depend_on(load: Loaded) -> None:
    with StandIn() as server:
        answerer = load(server)
        assert answerer.details == {
            "url": server.url,
            "transport": "clip",
            "served_model": "glm",
            "server": "other",
            "server_version": None,
            "family": None,
            "scoring": "logprobs",
            "scored": "first tokens",
            "max_new_tokens": None,
        }
        json.dumps(answerer.details)
        assert answerer.resampling == "unknown"
        assert len(load.told) == 1
        assert "--transport images" in load.told[0]


# Scoring


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
    with StandIn(tokens={"The": -0.1, "right": -3.0, "It": -3.5}) as server:
        (answer,) = load(server).answer([make_query(bright(200))])
    assert (answer.choice, answer.logprobs) == ("right", None)


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


@given(st.dictionaries(st.text("leftrigh ", max_size=5), st.floats(-20, 0), max_size=8))
def test_tokens_count_only_for_the_one_word_that_begins_with_them(tokens: dict[str, float]) -> None:
    found = by_text(tokens, ("left", "right"))
    for word in ("left", "right"):
        begin = [token for token in tokens if token and word.startswith(token)]
        if word in tokens:
            assert found[word] == tokens[word]
        elif begin:
            assert found[word] == tokens[max(begin, key=len)]
        else:
            assert word not in found


def test_a_token_with_which_both_words_begin_says_nothing() -> None:
    assert by_text({"l": -1.0, "": -0.1, "le": -2.0}, ("left", "lefty")) == {}  # type: ignore[arg-type]


# Failures


@pytest.mark.parametrize(
    ("fault", "retried"),
    [
        ((500, {}, GONE), True),
        ((503, {}, "<html>busy</html>"), True),
        ((408, {}, GONE), True),
        ((409, {}, GONE), True),
        ((429, {}, GONE), True),
        ("drop", True),
        ((400, {}, GONE), False),
        ((403, {}, GONE), False),
        ((404, {}, GONE), False),
        ((422, {}, GONE), False),
    ],
)
def test_only_what_may_pass_is_tried_again(load: Loaded, waits: list[float], fault: Any, retried: bool) -> None:
    with StandIn() as server:
        answerer = load(server, concurrency=1)
        server.faults.append(fault)
        answers = answerer.answer([make_query(bright(200)), make_query(bright(50))])
        assert len(server.requests) == 2 + retried
    assert answers[1].choice == "right"
    assert (answers[0].choice, answers[0].error is None) == (("left", True) if retried else (None, False))
    assert len(waits) == retried


def test_waits_grow_and_the_server_may_say_how_long(load: Loaded, waits: list[float]) -> None:
    with StandIn() as server:
        answerer = load(server, retries=4)
        server.faults.extend([(500, {}, GONE), (500, {}, GONE), (429, {"Retry-After": "17"}, GONE)])
        (answer,) = answerer.answer([make_query(bright(200))])
    assert answer.choice == "left"
    first, second, third = waits
    assert 0 < first < second
    assert third == 17


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ((400, {}, {"error": {"message": "The prompt is\n too long"}}), ["refuses", "400", "The prompt is too long"]),
        ((429, {}, {"error": {"message": "quota"}}), ["429", "quota", "asked 3 times", "--concurrency"]),
        ((500, {}, "x" * 10_000), ["500", "asked 3 times", "log"]),
        ((502, {}, ""), ["502"]),
        ((200, {}, {"choices": []}), ["does not reply", "choices"]),
        ((200, {}, "no json"), ["does not reply"]),
        (
            (200, {}, {"choices": [{"message": {"content": "left"}, "logprobs": {"content": [{"token": 1}]}}]}),
            ["token"],
        ),
    ],
)
def test_a_request_that_fails_for_good_is_a_sentence_and_the_others_go_on(
    load: Loaded, waits: list[float], fault: Any, words: list[str]
) -> None:
    with StandIn() as server:
        answerer = load(server, concurrency=1)
        server.faults.extend([fault] * 3)
        answers = answerer.answer([make_query(bright(200)), *(make_query(bright(50)) for _ in range(3))])
    failed = [answer for answer in answers if answer.error]
    assert failed
    for answer in failed:
        assert answer.choice is None
        assert "\n" not in str(answer.error)
        assert len(str(answer.error)) < 600
        assert [word for word in words if word not in str(answer.error)] == []
    assert answers[-1].choice == "right"


def test_a_slow_reply_is_an_error_of_its_row(load: Loaded, waits: list[float]) -> None:
    with StandIn() as server:
        answerer = load(server, concurrency=1, timeout=0.4, retries=1)
        server.faults.extend([1.5, 1.5])
        answers = answerer.answer([make_query(bright(200)), make_query(bright(50))])
    assert "within 0.4 s, asked 2 times" in str(answers[0].error)
    assert answers[1].choice == "right"


def test_a_server_that_has_gone_stops_the_run(load: Loaded, waits: list[float]) -> None:
    with StandIn() as server:
        answerer = load(server, retries=1)
    with pytest.raises(RunError, match=r"127\.0\.0\.1.*cannot be reached.*same command"):
        answerer.answer([make_query(bright(200)), make_query(bright(50))])


def test_a_key_that_is_refused_later_stops_the_run(load: Loaded) -> None:
    with StandIn(key=KEY) as server:
        answerer = load(server, key=SecretStr(KEY))
        server.key = "another"
        with pytest.raises(RunError, match=r"does not accept the key.*HPVQA_API_KEY") as caught:
            answerer.answer([make_query(bright(200)), make_query(bright(50))])
        assert KEY not in str(caught.value)


def test_a_server_that_is_down_is_named_at_once(load: Loaded) -> None:
    with StandIn() as server:
        url = server.url
    with pytest.raises(RunError, match=r"hpvqa serve") as caught:
        load(url)
    assert url in str(caught.value)


def test_a_server_of_another_kind_is_noticed(load: Loaded) -> None:
    with StandIn() as server:
        with pytest.raises(RunError, match="/v1"):
            load(server.url.removesuffix("/v1"))
        server.cards = "<html>hello</html>"
        with pytest.raises(RunError, match="does not reply to /models"):
            load(server)


def test_a_transport_that_a_server_refuses_is_noticed_before_the_first_row(load: Loaded) -> None:
    with StandIn() as server:
        server.always = (400, {}, {"error": {"message": "video_url is not supported"}})
        with pytest.raises(RunError, match=r"video_url is not supported.*another --transport"):
            load(server)


def test_a_missing_key_is_asked_for(load: Loaded) -> None:
    with StandIn(key=KEY) as server, pytest.raises(RunError, match=r"wants a key.*HPVQA_API_KEY"):
        load(server)


def test_the_key_is_never_written_anywhere(
    load: Loaded, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], waits: list[float]
) -> None:
    caplog.set_level(logging.DEBUG)
    with StandIn(key=KEY) as server:
        answerer = load(server, key=SecretStr(KEY))
        assert server.models
        server.faults.extend([(500, {}, {"error": {"message": f"key {KEY} crashed"}})] * 3)
        answers = answerer.answer([make_query(bright(200))])
        assert "key *** crashed" in str(answers[0].error)
        server.key = "another"
        with pytest.raises(RunError) as caught:
            load(server, key=SecretStr(KEY))
    texts = [repr(answerer), str(vars(answerer)), str(answerer.details), repr(answers), *load.told, str(caught.value)]
    texts += [caplog.text, *capfd.readouterr()]
    assert [text for text in texts if KEY in text] == []
    assert "POST" in caplog.text


def test_nothing_of_the_environment_is_sent(load: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "from-the-environment")
    with StandIn() as server:
        load(server).answer([make_query(bright(200))])
        assert server.headers
        for headers in server.headers:
            assert "authorization" not in {name.lower() for name in headers}
            assert "from-the-environment" not in str(headers)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:hunter2@127.0.0.1:8000/v1",
        "http://hunter2@127.0.0.1/v1",
        "https://example.org/v1?key=hunter2",
        "https://example.org/v1#hunter2",
        "127.0.0.1:8000/v1",
        "ftp://127.0.0.1/v1",
        "http://",
        "http://127.0.0.1:port/hunter2",
        "",
    ],
)
def test_an_address_with_secrets_in_it_or_none_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        OpenAIAnswerer(ServerOptions(url=url))
    assert "hunter2" not in str(caught.value)


def test_a_slash_at_the_end_of_an_address_does_not_matter(load: Loaded) -> None:
    with StandIn() as server:
        assert load(f"{server.url}/").details["url"] == server.url


def test_options_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/v1"
    for options in ({"transport": "file"}, {"transport": "file", "media": tmp_path / "no"}, {"media": tmp_path}):
        with pytest.raises(UsageError, match="--media"):
            OpenAIAnswerer(ServerOptions(url=url, **options))  # type: ignore[arg-type]


# Many at once


def test_only_so_many_requests_are_made_at_once(load: Loaded) -> None:
    with StandIn() as server:
        answerer = load(server, concurrency=3)
        assert answerer.batch_size % 3 == 0
        server.slow = 0.05
        answers = answerer.answer([make_query(bright(200)) for _ in range(12)])
        assert server.most == 3
    assert [answer.choice for answer in answers] == ["left"] * 12
    assert len({answer.seconds for answer in answers}) == 1


def test_it_may_be_closed_twice_and_loaded_again(load: Loaded) -> None:
    with StandIn() as server:
        answerer = load(server)
        answerer.load(load.told.append)
        assert server.headers == []
        answerer.close()
        answerer.close()
        answerer.load(load.told.append)
        assert answerer.answer([make_query(bright(200))])[0].choice == "left"
        assert answerer.answer([]) == []


def test_a_failed_load_leaves_nothing_behind(tmp_path: Path) -> None:
    import threading

    with StandIn() as server:
        url = server.url
    before = set(threading.enumerate())
    answerer = OpenAIAnswerer(ServerOptions(url=url, transport="file", media=tmp_path))
    with pytest.raises(RunError):
        answerer.load(lambda said: None)
    assert set(threading.enumerate()) <= before
    assert list(tmp_path.iterdir()) == []


# vLLM


def vllm(load: Loaded, query: Query, **behaviour: Any) -> tuple[OpenAIAnswerer, Answer, dict[str, Any]]:
    with StandIn(owned_by="vllm", **behaviour) as server:
        answerer = load(server)
        (answer,) = answerer.answer([query])
        return answerer, answer, server.requests[-1]


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
