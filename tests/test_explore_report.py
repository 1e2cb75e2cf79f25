"""The commands that run and report agents, and the page."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from hpvqa.errors import UsageError
from hpvqa.explore.agents.person import Person, Terminal
from hpvqa.explore.scores.page import page
from hpvqa.explore.scores.report import report
from hpvqa.main import cli
from tests.explore_play import play, rule
from tests.explore_worlds import group, write_worlds


def test_run_and_report_from_the_command_line(tmp_path: Path) -> None:
    worlds, train = write_worlds(tmp_path / "worlds"), write_worlds(tmp_path / "train", seed=1)
    folders = []
    for name in ("ideal", "bag-of-words"):
        folders.append(str(tmp_path / name))
        command = [
            "explore",
            "run",
            "--agent",
            name,
            "--worlds",
            str(worlds),
            "--train",
            str(train),
            "--out",
            folders[-1],
        ]
        done = CliRunner().invoke(cli, command)
        assert done.exit_code == 0, done.output
        assert "Final answers" in done.output
    for command in (["report"], ["explore", "report"]):
        done = CliRunner().invoke(cli, [*command, *folders, "--json"])
        found = json.loads(done.stdout)
        assert [run["name"] for run in found["runs"]] == ["ideal", "bag-of-words"]
        assert found["runs"][0]["scores"]["answers"]["justified"]["value"] == 1.0
        assert {one["trait"] for one in found["comparisons"]} == {"correct", "justified", "first judgement"}
    html = tmp_path / "report.html"
    assert CliRunner().invoke(cli, ["explore", "report", *folders, "--html", str(html)]).exit_code == 0
    assert "Information gained by acting" in html.read_text()


def test_what_cannot_be_run_is_refused_in_a_sentence(tmp_path: Path) -> None:
    worlds = write_worlds(tmp_path / "worlds")

    def refusal(*options: str) -> str:
        done = CliRunner().invoke(cli, ["explore", "run", "--worlds", str(worlds), *options])
        assert isinstance(done.exception, UsageError), done.output
        return str(done.exception)

    assert "Who plays?" in refusal()
    assert "did you mean 'random'" in refusal("--agent", "randon")
    assert "did you mean 'facts'" in refusal("--agent", "random", "--condition", "fact")
    assert "There is no family" in refusal("--agent", "random", "--family", "covers")
    assert "--train" in refusal("--agent", "constant")
    assert "with the seed of the scenes" in refusal("--agent", "constant", "--train", str(worlds))
    assert "no such scenes" in refusal("--agent", "random", "--split", "held-out")
    assert "either --agent" in refusal("--agent", "random", "--model", "qwen3.5")


def test_options_that_runs_of_agents_have_no_use_for_are_refused(tmp_path: Path) -> None:
    play(rule("ideal"), tmp_path / "run")
    for option, value in (("--csv", tmp_path / "cells.csv"), ("--dataset", tmp_path)):
        done = CliRunner().invoke(cli, ["report", str(tmp_path / "run"), option, str(value)])
        assert isinstance(done.exception, UsageError), done.output
        assert str(done.exception).startswith(f"{option} is for runs on data sets")
    assert {path.name for path in tmp_path.iterdir()} == {"run"}


def test_a_run_is_begun_anew_where_it_cannot_go_on(tmp_path: Path) -> None:
    said = ["explore", "run", "--worlds", str(write_worlds(tmp_path / "worlds")), "--out", str(tmp_path / "run")]
    assert CliRunner().invoke(cli, [*said, "--agent", "random"]).exit_code == 0
    refused = CliRunner().invoke(cli, [*said, "--agent", "ideal"])
    assert str(refused.exception).endswith("give the same options, choose another --out, or begin anew with --restart")
    assert CliRunner().invoke(cli, [*said, "--agent", "ideal", "--restart"]).exit_code == 0
    assert json.loads((tmp_path / "run" / "run.json").read_text())["agent"] == "ideal"


def test_the_page_shows_where_an_agent_fails(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("active", "yoked", "facts")]
    for folder in folders:
        play(rule("always-answer"), folder, folder.name)
    found = report(folders)
    assert len(found.splits) == 1
    drawn = page(found)
    assert "<svg" in drawn
    assert "always-answer (rule) answers" in drawn
    assert "putting together" in drawn
    # Only who may act can gain.
    assert "active, decision 0: 0.000 of " in drawn
    assert "yoked, decision" not in drawn


def test_a_person_is_asked_until_a_letter_is_one(tmp_path: Path) -> None:
    said: list[str] = []
    replies = iter(["", "what?", "a"] + ["A", "B", "C", "D", "E", "F", "G"] * 20)
    person = Person("me", Terminal(tmp_path / "pictures", said.append, lambda: next(replies)))
    played = play(person, tmp_path / "run", "facts", scenes=group()[:1])
    assert played[0].steps[0].letter == "A"
    assert sum(line.startswith("One letter, please") for line in said) >= 2
    assert any(group()[0].question.text in line for line in said)
    # It would tell whether the first view suffices.
    assert not any(group()[0].key in line for line in said)
