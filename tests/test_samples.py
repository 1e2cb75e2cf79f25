"""Answers that are drawn: how often each word is said stands for its probability."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hpvqa.dataset.build import build
from hpvqa.evaluate.chances import probabilities
from hpvqa.main import main
from hpvqa.recipe import Recipe
from hpvqa.vlm.backends.transformers import TransformersAnswerer, drawing
from hpvqa.vlm.options import TransformersOptions
from hpvqa.vlm.protocol import Answer
from hpvqa.vlm.samples import counted, seeds_of
from tests.factories import make_data, quiet
from tests.openai_client import Loaded, bright, load
from tests.servers import StandIn
from tests.tiny_models import TinyModel, make_query, noise

__all__ = ["load"]

QUERY = make_query(bright(200))
SIDES = ("left", "right")


def said(*words: str | None) -> list[Answer]:
    return [Answer(word, text=str(word), answer_tokens=2) for word in words]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("drawn", "choice", "shares", "p_left"),
    [
        (said("left", "right", "left", None), "left", {"left": 0.5, "right": 0.25}, 2 / 3),
        (said("right", "left"), "right", {"left": 0.5, "right": 0.5}, 0.5),
        (said(None, None), None, {"left": 0, "right": 0}, None),
        ([*said("right"), Answer(error="gone")], "right", {"left": 0, "right": 1}, 0.0),
    ],
)
def test_shares_are_of_all_that_was_said(
    drawn: list[Answer], choice: str | None, shares: dict[str, float], p_left: float | None
) -> None:
    found = counted(drawn, SIDES)
    assert (found.choice, found.shares, found.error) == (choice, shares, None)
    assert probabilities(found) == (pytest.approx(p_left), pytest.approx(sum(shares.values())))
    assert found.text == str(choice)
    assert found.answer_tokens == 2 * sum(answer.error is None for answer in drawn)


def test_a_number_is_the_median_and_what_all_fail_at_has_failed() -> None:
    values = [Answer(value=value) for value in (3.0, None, 9.0, 1.0, 2.0)]
    assert (counted(values, ()).value, counted(values, ()).shares) == (2.0, None)
    assert counted([Answer(error="gone")] * 2, SIDES).error == "gone"


def test_draws_have_the_probabilities_of_the_model_whatever_is_drawn_beside_them() -> None:
    logits = torch.tensor([0.0, 1.0, -1.0, 2.0])
    seeds = seeds_of("row", 42, 4000)
    assert len(set(seeds)) == 4000
    tokens = drawing(seeds)(None, logits.repeat(4000, 1)).argmax(1)
    found = np.bincount(tokens.numpy(), minlength=4) / 4000
    np.testing.assert_allclose(found, logits.softmax(0).numpy(), atol=0.03)
    alone = drawing(seeds[7:8])(None, logits[None]).argmax(1)
    assert alone[0] == tokens[7]


def test_a_model_draws_the_same_in_any_company(tiny_model: TinyModel) -> None:
    def answers(seed: int, *seen: int, batch_size: int) -> list[Answer]:
        options = TransformersOptions(
            model=str(tiny_model("qwen3_vl")), device="cpu", scoring="sample", samples=4, max_new_tokens=2,
            batch_size=batch_size,
        )  # fmt: skip
        answerer = TransformersAnswerer(options, seed)
        answerer.load([].append)
        assert (answerer.details["scoring"], answerer.details["samples"]) == ("sample", 4)
        queries = [make_query(noise(seed=number), key=f"row {number}") for number in seen]
        return [replace(answer, seconds=0) for answer in answerer.answer(queries)]

    first, second = answers(1, 5, 6, batch_size=3)
    assert answers(1, 6, batch_size=8) == [second]
    assert answers(2, 5, batch_size=8) != [first]
    assert first.shares is not None
    assert first.logprobs is None


@pytest.mark.parametrize(("most", "requests"), [(4, [5, 1]), (1, [1] * 5), (None, [1] * 5)])
def test_a_server_draws_as_many_as_are_wanted(load: Loaded, most: int | None, requests: list[int]) -> None:
    texts = ["Left.", "right", "The left one", "left or right?", "left"]
    with StandIn(tokens={}, drawn=texts * 2, text="x", most_answers=most) as server:
        answerer = load(server, scoring="sample", samples=5, transport="images")
        (answer,) = answerer.answer([QUERY])
        assert [request.get("n", 1) for request in server.requests] == requests
        assert {request["temperature"] for request in server.requests} == {1}
        (number,) = answerer.answer([replace(QUERY, unit="kg")])
    assert (answer.choice, answer.shares) == ("left", {"left": 0.6, "right": 0.2})
    assert (number.value, number.error) == (None, None)
    details = answerer.details
    assert (details["scoring"], details["samples"], details["scored"]) == ("sample", 5, "drawn texts")
    assert load.told == []


def test_tokens_of_all_draws_are_counted_once(load: Loaded) -> None:
    words = (None, "right", "left", "left")
    choices = [{"message": {"content": word}, "finish_reason": "stop"} for word in words]
    usage = {"prompt_tokens": 70, "completion_tokens": 8}
    with StandIn() as server:
        answerer = load(server, scoring="sample", samples=4, transport="images")
        server.faults.append((200, {}, {"choices": choices, "usage": usage}))
        (answer,) = answerer.answer([QUERY])
    assert (answer.choice, answer.prompt_tokens, answer.answer_tokens) == ("left", 70, 8)


def test_a_draw_that_says_nothing_does_not_count(load: Loaded) -> None:
    silent = {"message": {"content": None}, "finish_reason": "stop"}
    spoken = {"message": {"content": "right"}, "finish_reason": "stop"}
    with StandIn() as server:
        answerer = load(server, scoring="sample", samples=2, transport="images")
        server.faults.append((200, {}, {"choices": [silent, spoken]}))
        (answer,) = answerer.answer([QUERY])
    assert (answer.choice, answer.shares) == ("right", {"left": 0.0, "right": 1.0})


def test_run_and_report_say_where_probabilities_come_from(
    tiny_model: TinyModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def hpvqa(*args: object) -> str:
        with pytest.raises(SystemExit) as stop:
            main([str(arg) for arg in args])
        assert not stop.value.code
        return capsys.readouterr().out

    build(make_data(tmp_path / "data", push=8), tmp_path / "dataset", quiet(), recipe=Recipe())
    model = tiny_model("internvl")
    args = ["--model", model, "--resolution", "64x64", "--fps", 10, "--scoring", "sample", "--samples", 3]
    shown = hpvqa("eval", "--dataset", tmp_path / "dataset", *args, "--limit", 2, "--out", tmp_path / "run")
    words = "its probabilities are shares of 3 drawn answers, no log-probabilities"
    assert f"Sampled: {words}." in " ".join(shown.split())
    rows: list[dict[str, Any]] = [json.loads(line) for line in (tmp_path / "run/predictions.jsonl").open()]
    assert all(row["shares"].keys() == {"left", "right"} for row in rows)
    assert json.loads((tmp_path / "run/run.json").read_text())["details"]["samples"] == 3
    shown = hpvqa("report", tmp_path / "run", "--html", tmp_path / "page.html")
    assert words in " ".join(shown.split())
    assert words in (tmp_path / "page.html").read_text()
