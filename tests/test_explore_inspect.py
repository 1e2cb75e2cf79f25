"""Scenes as a task of Inspect: played by its mock model and by solvers of others, and scored as our own runs are.

Inspect is in no environment of ours; install the extra ``inspect`` into one of its own to run these.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.explore_play import play, rule
from tests.explore_worlds import group, write_worlds

inspect_ai = pytest.importorskip("inspect_ai")

from inspect_ai._util.error import PrerequisiteError  # noqa: E402 - it needs Inspect
from inspect_ai.log import EvalLog  # noqa: E402
from inspect_ai.model import ModelOutput, ModelUsage, get_model  # noqa: E402
from inspect_ai.solver import Generate, Solver, TaskState, generate, solver  # noqa: E402

from hpvqa.explore.game import Game  # noqa: E402
from hpvqa.explore.inspect_task import _Playing, _Table, explore  # noqa: E402
from hpvqa.explore.runs.conditions import get_condition  # noqa: E402
from hpvqa.explore.runs.record import Played  # noqa: E402
from hpvqa.explore.runs.stage import Tables  # noqa: E402
from hpvqa.explore.scene import Scene  # noqa: E402
from hpvqa.explore.scores.measure import measure  # noqa: E402
from hpvqa.explore.world import Outcome  # noqa: E402

Reply = Callable[[list[Any]], ModelOutput]


def model(reply: Reply) -> Any:
    """The mock model, which says what a function of the conversation says."""

    def output(messages: list[Any], *_: Any) -> ModelOutput:
        # Else it would count tokens, with a tokenizer that it downloads.
        return reply(messages).model_copy(update={"usage": ModelUsage()})

    return get_model("mockllm/model", custom_outputs=output, memoize=False)


def evaluate(task: Any, folder: Path, reply: Reply, **options: Any) -> EvalLog:
    (log,) = inspect_ai.eval(task, model=model(reply), log_dir=str(folder), display="none", **options)
    assert log.status == "success", log.error
    return log


def figures(log: EvalLog) -> dict[str, float]:
    assert log.results is not None
    return {name: found.value for score in log.results.scores for name, found in score.metrics.items()}


def letter_of(words: str, said: str) -> str | None:
    found = re.search(rf"^([A-Z]): {re.escape(words)}$", said, re.MULTILINE)
    return found[1] if found else None


def ideal(messages: list[Any]) -> str:
    """The letter that an ideal observer chooses, who has the plan of each scene."""
    step = sum(message.role == "assistant" for message in messages)
    first = next(message.text for message in messages if message.role == "user")
    for scene in group():
        game = Game(scene)
        state, plan = game.start(), scene.plan
        if all(letter_of(option.text, first) == option.letter for option in game.options(state, 0)):
            # A picture that comes from a tool follows in a message of its own.
            offered = next(message.text for message in reversed(messages) if "Decisions left" in message.text)
            return str(letter_of(game.sentence(plan[step]), offered))
    raise AssertionError(first)


def called(letter: str) -> ModelOutput:
    return ModelOutput.for_tool_call("mockllm/model", "choose", {"option": letter})


@pytest.fixture
def worlds(tmp_path: Path) -> Path:
    return write_worlds(tmp_path / "worlds")


def test_the_ideal_plan_has_the_scores_of_our_own_run(worlds: Path, tmp_path: Path) -> None:
    log = evaluate(explore(str(worlds), condition="facts"), tmp_path / "logs", lambda said: called(ideal(said)))
    found = figures(log)
    assert found["accuracy"] == 1.0
    ours = measure(play(rule("ideal"), tmp_path / "run", "facts"), "facts")
    assert ours.gain is not None
    assert ours.gain.taken is not None
    assert ours.first is not None
    assert found["answers.justified"] == ours.answers.justified.value == 1.0
    assert found["gain.taken"] == ours.gain.taken.value == 1.0
    assert (found["first"], found["first.low"]) == (ours.first.value, ours.first.low)
    assert found["answers.lucky"] == 0.0


def test_pictures_are_shown_and_nothing_that_is_hidden(worlds: Path, tmp_path: Path) -> None:
    pytest.importorskip("mujoco", exc_type=ImportError)
    log = evaluate(explore(str(worlds), limit=2), tmp_path / "logs", lambda said: called(ideal(said)))
    assert figures(log)["accuracy"] == 1.0
    assert log.samples is not None
    firsts = []
    for sample, scene in zip(sorted(log.samples, key=lambda one: str(one.id)), group(), strict=False):
        shown = [part for message in sample.messages if isinstance(message.content, list) for part in message.content]
        pictures = [part.image for part in shown if part.type == "image"]
        assert len(pictures) == len(scene.plan)
        said = "\n".join(message.text for message in sample.messages)
        assert not any(place.name in said for place in scene.places)
        firsts.append(pictures[0])
    # Twins look the same at first.
    assert firsts[0] == firsts[1]


def test_a_model_may_write_its_letter_and_what_cannot_be_read_costs_a_step(worlds: Path, tmp_path: Path) -> None:
    def reply(said: list[Any]) -> ModelOutput:
        confused = sum(message.role == "assistant" for message in said) == 0
        text = "I cannot say" if confused else str(letter_of(first_answer(said), said[-1].text))
        return ModelOutput.from_content("mockllm/model", text)

    def first_answer(said: list[Any]) -> str:
        return str(re.search(r"^[A-Z]: (Answer: .*)$", said[-1].text, re.MULTILINE)[1])  # type: ignore[index]

    log = evaluate(explore(str(worlds), condition="facts", limit=1), tmp_path / "logs", reply)
    found = figures(log)
    assert (found["decisions"], found["unreadable"]) == (2, 1)
    assert found["answers.unanswered"] == 0


def test_a_model_that_never_chooses_comes_to_an_end(worlds: Path, tmp_path: Path) -> None:
    log = evaluate(
        explore(str(worlds), condition="facts", limit=1),
        tmp_path / "logs",
        lambda said: ModelOutput.from_content("mockllm/model", "Well."),
    )
    found = figures(log)
    assert (found["unreadable"], found["answers.unanswered"]) == (group()[0].steps, 1)


def test_others_bring_their_own_solver(worlds: Path, tmp_path: Path) -> None:
    def reply(said: list[Any]) -> ModelOutput:
        if said[-1].text == "The scene is over.":
            return ModelOutput.from_content("mockllm/model", "Good.")
        return called(ideal(said))

    log = evaluate(explore(str(worlds), condition="facts"), tmp_path / "logs", reply, solver=generate())
    assert figures(log)["accuracy"] == 1.0

    @solver
    def asleep() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            return state

        return solve

    log = evaluate(
        explore(str(worlds), condition="facts"), tmp_path / "logs", lambda said: called("A"), solver=asleep()
    )
    found = figures(log)
    assert (found["accuracy"], found["unreadable"]) == (0.0, len(group()))


def test_everything_that_was_done_is_in_the_log(worlds: Path, tmp_path: Path) -> None:
    log = evaluate(explore(str(worlds), condition="facts"), tmp_path / "logs", lambda said: called(ideal(said)))
    from hpvqa.explore.inspect_task import _read

    assert log.samples is not None
    found: list[Played] = []
    for sample in log.samples:
        assert sample.scores is not None
        (score,) = sample.scores.values()
        found.append(_read((score.metadata or {})["played"]))
    ours = play(rule("ideal"), tmp_path / "run", "facts")
    by_key = {one.ending.key: one for one in found}
    for one in ours:
        there = by_key[one.ending.key]
        assert [(step.letter, step.privileged) for step in there.steps] == [
            (step.letter, step.privileged) for step in one.steps
        ]


def test_a_scene_that_is_left_early_lets_go_of_its_simulator() -> None:
    class Counted(Tables):
        """Counts the scenes that are held."""

        def __init__(self) -> None:
            super().__init__()
            self.held: list[str] = []

        def begin(self, key: str, scene: Scene) -> Future[Outcome]:
            self.held.append(key)
            return super().begin(key, scene)

        def end(self, key: str) -> None:
            self.held.remove(key)
            super().end(key)

    table = _Table(group()[:1], get_condition("active"), 1)
    table._stage = stage = Counted()
    playing = _Playing("one", group()[0], table)
    asyncio.run(playing.begin())
    assert stage.held == ["one"]
    assert playing.played().ending.said is None
    assert stage.held == []


def test_what_cannot_be_played_is_refused(worlds: Path, tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="did you mean 'yoked'"):
        explore(str(worlds), condition="yokd")
    with pytest.raises(PrerequisiteError, match="holds no such scenes"):
        explore(str(tmp_path))
