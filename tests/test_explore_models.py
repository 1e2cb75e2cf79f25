"""Models as agents: what they are asked, and what becomes of their replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from hpvqa.errors import RunError, UsageError
from hpvqa.explore.agents.model import MOST_PICTURES, ModelAgent, open_model
from hpvqa.explore.agents.query import picture_size
from hpvqa.explore.draw import MOST_STEPS
from hpvqa.explore.game import Game
from hpvqa.explore.protocol import Decision, Shot, Step, Turn
from hpvqa.explore.scores.measure import measure
from hpvqa.serve.settings import MAX_VIDEOS
from hpvqa.vlm.backends.openai.scores import nothing_within
from hpvqa.vlm.choice import ModelChoice
from hpvqa.vlm.families import get_family
from hpvqa.vlm.protocol import Answer, OneByOne, Query
from tests.explore_play import play
from tests.explore_worlds import group
from tests.servers import StandIn


class Fake(OneByOne):
    """Answers with what a function says, and remembers what it was asked."""

    name = "fake"
    given_frames = True

    def __init__(self, reply: Callable[[Query], Answer]) -> None:
        self._reply = reply
        self.asked: list[Query] = []

    def answer_one(self, query: Query) -> Answer:
        """Say it."""
        self.asked.append(query)
        return self._reply(query)


def agent(reply: Callable[[Query], Answer], *, speaks: bool = True) -> tuple[ModelAgent, Fake]:
    fake = Fake(reply)
    return ModelAgent(fake, speaks=speaks, size=lambda: (64, 64), budget=16), fake


def turn(history: Sequence[Step] = ()) -> Turn:
    game = Game(group()[0])
    shots = tuple(Shot(np.full((384, 384, 3), 9 * n, np.uint8), f"view {n}", "Raise it" * n) for n in range(2))
    return Turn(game.brief, len(history), shots, game.options(game.start(), len(history)), tuple(history))


def test_a_model_is_told_and_shown_all_that_an_agent_may_know() -> None:
    lost = Step(turn().options, Decision(None, error="?"))
    player, fake = agent(lambda query: Answer(None, "<answer>A</answer>"))
    assert player.decide([turn([lost])])[0].letter == "A"
    asked = fake.asked[0]
    brief = turn().brief
    assert [frames.images.shape for frames in asked.videos] == [(1, 64, 64, 3)] * 2
    assert [int(frames.images[0, 0, 0, 0]) for frames in asked.videos] == [0, 9]
    for words in (
        brief.question,
        brief.rules,
        "Picture 2 after: Raise it",
        "Decision 1 was no valid choice",
        f"included: {brief.steps - 1}",
    ):
        assert words in asked.text
    for option in turn([lost]).options:
        assert f"\n{option.letter}: {option.text}" in asked.text
    hidden = [place.name for place in group()[0].places]
    assert not any(name in asked.text for name in hidden)


def test_a_reply_that_cannot_be_read_costs_a_step_and_is_counted_apart(tmp_path: Path) -> None:
    replies = iter(["no idea", *["<answer>A</answer>"] * 100])
    player, _ = agent(lambda query: Answer(None, next(replies)))
    played = play(player, tmp_path / "run", "facts")
    scores = measure(played, "facts")
    assert scores.unreadable == 1
    first = next(step for one in played for step in one.steps if step.letter is None)
    assert first.thought == "no idea"
    assert "names no option" in (first.error or "")


def test_thoughts_that_use_up_the_budget_are_unreadable(tmp_path: Path) -> None:
    player, _ = agent(lambda query: Answer(None, error=nothing_within(16)))
    assert player.decide([turn()])[0].letter is None


def test_a_server_that_dies_within_a_scene_loses_nothing(tmp_path: Path) -> None:
    player, fake = agent(
        lambda query: Answer(None, error="The server failed (500)") if len(fake.asked) > 3 else Answer(None, "A")
    )
    with pytest.raises(RunError, match="the same command goes on"):
        play(player, tmp_path / "run", "facts")
    whole, _ = agent(lambda query: Answer(None, "A"))
    assert len(play(whole, tmp_path / "run", "facts")) == len(group())


def test_probabilities_of_letters_are_written_down(tmp_path: Path) -> None:
    def weigh(query: Query) -> Answer:
        logprobs = {letter: -float(number) for number, letter in enumerate(query.choices)}
        return Answer(query.choices[0], logprobs=logprobs)

    player, _ = agent(weigh, speaks=False)
    played = play(player, tmp_path / "run", "blind")
    assert all(step.letter == "A" and step.logprobs is not None and step.thought == "" for step in played[0].steps)
    assert measure(played, "blind").calibration is not None


def test_what_is_no_agent_is_refused() -> None:
    with pytest.raises(UsageError, match="is no agent"):
        open_model(ModelChoice(model="pixels"), {})
    with StandIn() as server, pytest.raises(RunError, match=r"cannot tell how likely .*; use --scoring generate"):
        open_model(ModelChoice(server=server.url, scoring="logprobs"), {}).load(print)


def test_pictures_are_as_large_as_a_family_takes_them() -> None:
    assert picture_size(get_family("qwen3-vl")) == (384, 384)
    assert picture_size(get_family("internvl3.5")) == (448, 448)
    assert picture_size(None) == (384, 384)


def test_a_server_of_ours_takes_as_many_pictures_as_a_turn_has() -> None:
    assert MOST_STEPS <= MOST_PICTURES <= MAX_VIDEOS


def test_a_tiny_model_decides_without_pictures_too(tiny_model: Callable[..., Path], tmp_path: Path) -> None:
    model = str(tiny_model("qwen3_vl"))
    player = open_model(ModelChoice(model=model, scoring="logprobs", batch_size=2), {})
    played = play(player, tmp_path / "run", "facts", scenes=group()[:2])
    player.close()
    assert all(step.letter is not None and step.logprobs is not None for one in played for step in one.steps)
    assert set(played[0].steps[0].logprobs or ()) == {option.letter for option in played[0].steps[0].options}


def test_a_model_behind_a_server_decides_as_one_that_says_the_same_here(tmp_path: Path) -> None:
    said = "<think>B?</think>The board is in the way. <answer>A</answer>"
    here, _ = agent(lambda query: Answer(None, said))
    at_home = play(here, tmp_path / "here", "facts", scenes=group()[:2])
    with StandIn(text=said) as server:
        there = open_model(ModelChoice(server=server.url, max_new_tokens=64, transport="images"), {})
        with_pictures = [there.load(print), there.decide([turn()])][1]
        away = play(there, tmp_path / "there", "facts", scenes=group()[:2])
        there.close()
    assert with_pictures[0].letter == "A"
    kinds = [part["type"] for request in server.requests for part in request["messages"][-1]["content"]]
    assert "image_url" in kinds
    assert [[step.letter for step in one.steps] for one in away] == [
        [step.letter for step in one.steps] for one in at_home
    ]
    assert away[0].steps[0].thought == said
