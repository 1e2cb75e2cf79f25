"""Models behind a server: how it is found, what is sent to it, and what is written down of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hpvqa.errors import RunError, UsageError
from hpvqa.vlm.backends.openai import OpenAIAnswerer
from hpvqa.vlm.backends.openai.packing import Packing, mp4
from hpvqa.vlm.families import get_family
from hpvqa.vlm.options import ServerOptions
from tests.engine_checks import swapped
from tests.openai_client import UNEVEN, Loaded, bright, load, parts, waits
from tests.servers import LOGPROBS, StandIn, decode_video
from tests.tiny_models import frames_of, make_query, noise

__all__ = ["load", "waits"]


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


def test_frames_that_begin_within_a_clip_are_not_sent_as_a_video_to_a_model_that_is_told_times() -> None:
    later = frames_of(bright(200, 4).images, (6, 7, 8, 9))
    told = get_family("qwen3-vl").model_copy(update={"pixel_multiple": 16})
    untold = get_family("internvl3.5").model_copy(update={"resolution": (48, 32)})
    with pytest.raises(UsageError, match=r"begin within the clip.*--transport clip or images"):
        Packing("file", told, keep_frames=True, times=True, put=lambda data: "file:///x").pack(make_query(later))
    with pytest.raises(UsageError, match=r"begin within the clip.*--transport images"):
        Packing("clip", told).pack(make_query(later))
    Packing("clip", told, keep_frames=True, times=True).pack(make_query(later))
    Packing("clip", untold).pack(make_query(later))


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
    answerer = OpenAIAnswerer(ServerOptions(server=url, transport="file", media=tmp_path))
    with pytest.raises(RunError):
        answerer.load(lambda said: None)
    assert set(threading.enumerate()) <= before
    assert list(tmp_path.iterdir()) == []
