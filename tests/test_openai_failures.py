"""Models behind a server that misbehaves: retries, sentences, and keys that stay secret."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from hpvqa.errors import RunError, UsageError
from hpvqa.vlm.backends.openai import OpenAIAnswerer
from hpvqa.vlm.options import ServerOptions
from tests.openai_client import GONE, KEY, Loaded, bright, load, waits
from tests.servers import StandIn
from tests.tiny_models import make_query

__all__ = ["load", "waits"]


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
@pytest.mark.slow
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
@pytest.mark.slow
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


@pytest.mark.slow
def test_a_slow_reply_is_an_error_of_its_row(load: Loaded, waits: list[float]) -> None:
    with StandIn() as server:
        answerer = load(server, concurrency=1, timeout=0.8, retries=1)
        server.faults.extend([2.5, 2.5])
        answers = answerer.answer([make_query(bright(200)), make_query(bright(50))])
    assert "within 0.8 s, asked 2 times" in str(answers[0].error)
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
        OpenAIAnswerer(ServerOptions(server=url))
    assert "hunter2" not in str(caught.value)


def test_a_slash_at_the_end_of_an_address_does_not_matter(load: Loaded) -> None:
    with StandIn() as server:
        assert load(f"{server.url}/").details["url"] == server.url


def test_options_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/v1"
    for options in ({"transport": "file"}, {"transport": "file", "media": tmp_path / "no"}, {"media": tmp_path}):
        with pytest.raises(UsageError, match="--media"):
            OpenAIAnswerer(ServerOptions(server=url, **options))  # type: ignore[arg-type]
