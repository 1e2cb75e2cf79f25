"""Every agent that is a rule passes the same tests; the ideal ones are ideal."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpvqa.errors import UsageError
from hpvqa.explore.agents import AGENTS, open_rule
from hpvqa.explore.agents.constant import best_list
from hpvqa.explore.game import Game
from hpvqa.explore.observer import Observer
from hpvqa.explore.protocol import Brief, Turn
from hpvqa.explore.scores.measure import measure
from tests.explore_play import play, rule
from tests.explore_worlds import group

NAMES = tuple(AGENTS)


def without_time(played: list) -> list:  # type: ignore[type-arg]
    return [[step.model_copy(update={"seconds": 0.0}) for step in one.steps] for one in played]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_every_agent_ends_every_scene_with_valid_choices_alone(name: str, tmp_path: Path) -> None:
    played = play(rule(name), tmp_path / "run")
    assert len(played) == len(group())
    for one in played:
        assert all(step.letter in {option.letter for option in step.options} for step in one.steps)
        assert len(one.steps) <= group()[0].steps
        assert [step.answers for step in one.steps[:-1]] == [False] * (len(one.steps) - 1)


@pytest.mark.parametrize("name", NAMES)
def test_every_agent_decides_alike_whatever_else_is_played(name: str, tmp_path: Path) -> None:
    together = play(rule(name), tmp_path / "together")
    alone = play(rule(name), tmp_path / "alone", scenes=group()[2:3])
    assert without_time(together)[2] == without_time(alone)[0]


@pytest.mark.parametrize("name", [name for name in NAMES if not AGENTS[name].privileged])
def test_agents_that_are_not_privileged_decide_alike_for_twins_until_they_see_them_differ(
    name: str, tmp_path: Path
) -> None:
    a, b = group()[:2]
    # Only the name of a scene, with which chance is seeded, may tell the twins apart: it is made the same.
    turns = []
    for scene in (a, b):
        agent = rule(name)
        game = Game(scene.model_copy(update={"index": 0}))
        brief = Brief("same", scene.question.text, scene.question.options, scene.rules, scene.steps, scene)
        agent.begin([brief])
        turns.append(agent.decide([Turn(brief, 0, (), game.options(game.start(), 0))])[0].letter)
    assert turns[0] == turns[1]


@pytest.mark.parametrize("name", NAMES)
def test_every_agent_can_play_where_it_must_answer(name: str, tmp_path: Path) -> None:
    for condition in ("blind", "yoked"):
        played = play(rule(name), tmp_path / condition, condition)
        assert all(len(one.decisions) == 1 and one.ending.said is not None for one in played)


def test_the_ideal_observer_is_exactly_ideal(tmp_path: Path) -> None:
    scores = measure(play(rule("ideal"), tmp_path / "run"), "active")
    assert scores.first is not None
    assert scores.gain is not None
    assert scores.gain.taken is not None
    assert scores.answers.excess is not None
    found = (scores.first.value, scores.gain.taken.value, scores.answers.justified.value, scores.answers.excess.value)
    assert found == (1.0, 1.0, 1.0, 0.0)


def test_who_knows_when_it_suffices_judges_perfectly_and_guesses_all_the_same(tmp_path: Path) -> None:
    played = play(rule("sufficiency-known"), tmp_path / "run")
    last = [one.decisions[-1] for one in played]
    assert all(step.privileged.sufficient for step in last if step.step < group()[0].steps - 1)
    assert all(not step.answers for one in played for step in one.decisions if not step.privileged.sufficient)


def test_the_unhide_oracle_looks_only_where_something_is(tmp_path: Path) -> None:
    for one in play(rule("unhide-oracle"), tmp_path / "run"):
        observer = Observer(next(scene for scene in group() if scene.index == one.ending.index))
        acts = [step for step in one.decisions if not step.answers]
        things = sum(observer.game.asked_about(number) for number in range(len(observer.game.scene.places)))
        assert bool(acts) <= bool(things)
        assert not acts or acts[-1].privileged.unhidden


def test_a_constant_list_is_as_long_as_it_helps() -> None:
    assert best_list([]) == ()
    observers = [Observer(scene) for scene in group()]
    found = best_list(observers)
    assert found
    assert best_list(observers[2:]) == (), "where the first view suffices no action helps"


def test_unknown_agents_and_agents_without_training_are_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'ideal'"):
        open_rule("ideel", seed=0)
    with pytest.raises(UsageError, match="--train"):
        open_rule("constant", seed=0)
