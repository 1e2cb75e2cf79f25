"""Runs of agents: what is shown under each condition, what is written down, and going on after any end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpvqa.errors import RunError, UsageError
from hpvqa.explore.protocol import Decision, Turn
from hpvqa.explore.runs.conditions import get_condition
from hpvqa.explore.runs.record import played_file, read_played
from hpvqa.explore.runs.session import RunChoice, play_agent
from hpvqa.explore.scene import Action
from tests.explore_play import Scripted, play, rule
from tests.explore_worlds import group, write_worlds
from tests.factories import quiet
from tests.patience import PATIENCE


def answer_at_once(turn: Turn) -> Decision:
    return Decision(next(option.letter for option in turn.options if option.answers))


def test_a_choice_that_is_not_valid_costs_a_step_and_is_no_answer(tmp_path: Path) -> None:
    def choose(turn: Turn) -> Decision:
        return (
            Decision(None, error="unreadable")
            if turn.step == 0
            else Decision("Z")
            if turn.step == 1
            else answer_at_once(turn)
        )

    agent = Scripted(choose)
    played = play(agent, tmp_path / "run")
    for one in played:
        assert [step.letter is None for step in one.steps] == [True, True, False]
        assert [step.error for step in one.steps] == ["unreadable", "'Z' is not offered", None]
    most = group()[0].steps
    assert {turn.steps_left for turn in agent.turns} == {most, most - 1, most - 2}
    never = play(Scripted(lambda turn: Decision(None, error="no")), tmp_path / "never")
    assert all(one.ending.said is None and len(one.steps) == group()[0].steps for one in never)


def test_conditions_show_what_they_say(tmp_path: Path) -> None:
    turns = {}
    for name in ("active", "facts", "blind", "first", "yoked", "rotate"):
        agent = Scripted(answer_at_once)
        play(agent, tmp_path / name, name)
        turns[name] = agent.turns
    assert all("Places:" in turn.shots[0].facts for turn in turns["facts"])
    assert all(turn.shots == () for turn in turns["blind"])
    assert all(
        option.answers for name in ("blind", "first", "yoked") for turn in turns[name] for option in turn.options
    )
    plans = {len(scene.plan) for scene in group()}
    assert {len(turn.shots) for turn in turns["yoked"]} == plans
    for plain, rotated in zip(turns["active"], turns["rotate"], strict=True):
        a, b = ({option.text: option.letter for option in turn.options} for turn in (plain, rotated))
        assert a.keys() == b.keys()
        assert all(a[text] != b[text] for text in a)
    with pytest.raises(UsageError, match="did you mean 'yoked'"):
        get_condition("yokd")


def test_facts_tell_twins_apart_only_once_what_is_hidden_is_seen(tmp_path: Path) -> None:
    agent = Scripted(answer_at_once)
    play(agent, tmp_path / "first", "facts")
    first = {turn.brief.key: turn.shots[0].facts for turn in agent.turns}
    a, b, c, d = (first[key] for key in sorted(first))
    assert a == b
    assert c != d


@pytest.mark.slow
def test_the_privileged_block_says_what_the_choice_brought_into_view(tmp_path: Path) -> None:
    for one in play(rule("ideal"), tmp_path / "run"):
        entropies = [step.privileged.entropy for step in one.steps]
        assert entropies == sorted(entropies, reverse=True)
        assert entropies[-1] == 0.0
        for step in one.steps[:-1]:
            assert step.letter in step.privileged.best
            assert step.privileged.revealed


def test_a_run_goes_on_where_it_stopped_and_ends_alike(tmp_path: Path) -> None:
    whole = play(rule("random"), tmp_path / "whole")

    def fails(turn: Turn) -> Decision:
        raise RunError("the server has gone")

    with pytest.raises(RunError, match="gone"):
        play(Scripted(fails), tmp_path / "failed")
    play(Scripted(answer_at_once), tmp_path / "failed")
    play(rule("random"), tmp_path / "parts", scenes=group()[:1])
    before = played_file(tmp_path / "parts", whole[0].ending.key).read_bytes()
    parts = play(rule("random"), tmp_path / "parts")
    assert played_file(tmp_path / "parts", whole[0].ending.key).read_bytes() == before
    assert [one.ending for one in parts] == [one.ending for one in whole] or [
        (one.ending.key, one.ending.said) for one in parts
    ] == [(one.ending.key, one.ending.said) for one in whole]


@pytest.mark.slow
def test_a_run_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    worlds, out = write_worlds(tmp_path / "worlds"), tmp_path / "run"
    command = [sys.executable, "-m", "hpvqa", "explore", "run", "--agent", "random", "--json"]
    command += ["--worlds", str(worlds), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not any(out.glob("scenes/*/*")) and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # What is there is whole, and the same command goes on.
    assert all(read_played(path) is not None for path in out.glob("scenes/*/steps.jsonl"))
    assert subprocess.run(command, check=False, capture_output=True, env=os.environ).returncode == 0
    assert len(list(out.glob("scenes/*/steps.jsonl"))) == len(group())


def test_a_file_that_was_altered_is_refused_in_a_sentence(tmp_path: Path) -> None:
    played = play(rule("random"), tmp_path / "run")
    path = played_file(tmp_path / "run", played[0].ending.key)
    text = path.read_text()
    path.write_text(text.replace('"sufficient":', '"sufficient" :', 1))
    with pytest.raises(RunError, match="was altered"):
        play(rule("random"), tmp_path / "run")
    path.write_text(text[: len(text) // 2])
    with pytest.raises(RunError, match="damaged"):
        play(rule("random"), tmp_path / "run")
    path.write_text(text)
    play(rule("random"), tmp_path / "run")


def test_other_settings_other_scenes_and_other_folders_are_refused(tmp_path: Path) -> None:
    play(rule("random"), tmp_path / "run", scenes=group()[:1])
    with pytest.raises(UsageError, match="agent was random and is ideal now"):
        play(rule("ideal"), tmp_path / "run")
    with pytest.raises(UsageError, match="other scenes"):
        play(rule("random"), tmp_path / "run", scenes=group(1)[:1])
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "file").touch()
    with pytest.raises(UsageError, match="is not a run"):
        play(rule("random"), tmp_path / "else")


def test_a_run_that_is_begun_anew_keeps_nothing_of_the_one_before(tmp_path: Path) -> None:
    out = tmp_path / "run"
    play(rule("random"), out, scenes=group(1))
    shots = out / "shots"
    shots.mkdir()
    (shots / "old.png").touch()
    with pytest.raises(UsageError, match="begin anew with --restart"):
        play(rule("ideal"), out)
    found = play(rule("ideal"), out, restart=True)
    assert {one.ending.scene for one in found} == {scene.checksum for scene in group()}
    assert not shots.exists()
    assert [one.ending.said for one in play(rule("ideal"), out)] == [one.ending.said for one in found]


def test_agents_are_asked_in_batches(tmp_path: Path) -> None:
    agent = Scripted(answer_at_once, batch_size=2)
    play(agent, tmp_path / "run")
    assert agent.batches == [2, 2]


def test_one_scene_can_end_before_another_begins(tmp_path: Path) -> None:
    def look_once(turn: Turn) -> Decision:
        acts = [option for option in turn.options if not option.answers]
        return answer_at_once(turn) if turn.step else Decision(acts[0].letter)

    agent = Scripted(look_once, batch_size=1)
    play(agent, tmp_path / "run", one_by_one=True)
    assert [turn.step for turn in agent.turns] == [0, 1] * len(group())


def test_a_person_cannot_tell_by_the_order_which_first_views_suffice(tmp_path: Path) -> None:
    agent = Scripted(answer_at_once, batch_size=1)
    chosen = RunChoice(write_worlds(tmp_path / "worlds"), condition="facts", out=tmp_path / "run")
    play_agent(agent, chosen, quiet(), backend="person", one_by_one=True)
    found = [turn.brief.key for turn in agent.turns]
    by_number = [scene.key for scene in group()]
    assert found != by_number
    assert sorted(found) == by_number


def test_letters_name_each_action_once(tmp_path: Path) -> None:
    agent = Scripted(answer_at_once)
    play(agent, tmp_path / "run")
    for turn in agent.turns:
        letters = [option.letter for option in turn.options]
        assert letters == sorted(set(letters))
        assert len({(option.action.kind, option.action.target) for option in turn.options}) == len(letters)
        assert Action(kind="answer", target=turn.brief.answers[0]) in {option.action for option in turn.options}
