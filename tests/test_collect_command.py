"""The command line of `hpvqa collect`: its arguments, its refusals and its exit codes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.commands.collect import episode_counts, repeat_option
from hpvqa.errors import UsageError
from hpvqa.main import main
from hpvqa.recipe import Recipe, load_recipe
from hpvqa.tasks import TASKS
from tests.collect_fakes import command


def collect(fake: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(fake, "collect", *args), capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("args", "rewritten"),
    [
        ("push --episodes 3", "push --episodes 3"),
        ("push drop --episodes 154 125 --out data", "push drop --episodes 154 --episodes 125 --out data"),
        ("--episodes 1 2 push drop", "--episodes 1 --episodes 2 push drop"),
        ("--episodes=1 2 push --seed 3 4", "--episodes=1 --episodes 2 push --seed 3 4"),
        ("--episodes 1 --episodes 2 3", "--episodes 1 --episodes 2 --episodes 3"),
        ("--episodes push 2", "--episodes push 2"),
        ("--episodes 1 -2", "--episodes 1 --episodes -2"),
        ("--episodes 1 -- 2 3", "--episodes 1 -- 2 3"),
        ("--episodes", "--episodes"),
    ],
)
def test_one_option_takes_several_numbers(args: str, rewritten: str) -> None:
    assert repeat_option("--episodes", args.split()) == rewritten.split()


@given(st.lists(st.sampled_from(["push", "--episodes", "--seed", "5", "6", "--out", "x"])))
def test_rewriting_only_adds_the_option_and_does_so_once(args: list[str]) -> None:
    once = repeat_option("--episodes", args)
    assert repeat_option("--episodes", once) == once
    assert [arg for arg in once if arg != "--episodes"] == [arg for arg in args if arg != "--episodes"]


@pytest.mark.parametrize(
    ("recipe", "tasks", "episodes", "counts"),
    [
        (Recipe(), (), (), dict.fromkeys(TASKS, 40)),
        (Recipe(), ("drop",), (), {"drop": 40}),
        (Recipe(), (), (3,), dict.fromkeys(TASKS, 3)),
        (Recipe(), ("drop", "push"), (1, 2), {"drop": 1, "push": 2}),
        (load_recipe("paper"), (), (), {"push": 154, "drop": 125}),
        (load_recipe("paper"), ("drop",), (), {"drop": 125}),
        (load_recipe("paper"), ("drop",), (7,), {"drop": 7}),
        (Recipe.model_validate({"tasks": {"push": {"episodes": 5}}}), (), (), {"push": 5}),
        (Recipe.model_validate({"tasks": {"push": {"episodes": 5}}}), ("push", "drop"), (), {"push": 5, "drop": 40}),
    ],
)
def test_how_many_episodes_of_which_tasks(
    recipe: Recipe, tasks: tuple[str, ...], episodes: tuple[int, ...], counts: dict[str, int]
) -> None:
    assert episode_counts(recipe, tasks, episodes) == counts


def test_a_wrong_count_is_one_sentence() -> None:
    with pytest.raises(UsageError, match=rf"one for each of the {len(TASKS)} tasks \({', '.join(TASKS)}\), not 3"):
        episode_counts(Recipe(), (), (1, 2, 3))
    with pytest.raises(UsageError, match="named twice: push push"):
        episode_counts(Recipe(), ("push", "push"), (1, 2))


@pytest.mark.simulation
def test_it_collects_resumes_and_counts(tmp_path: Path) -> None:
    out = tmp_path / "data"
    done = collect("quick", "push", "drop", "--episodes", "3", "1", "--out", str(out), "--no-video", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["status"] == "finished"
    assert {name: task["made"] for name, task in report["tasks"].items()} == {"push": 3, "drop": 1}
    assert sum(decile["objects"] for decile in report["tasks"]["push"]["deciles"]) == 6

    events = tmp_path / "events.jsonl"
    args = ["push", "--episodes", "5", "--out", str(out), "--no-video", "--progress-file", str(events)]
    done = collect("quick", *args)
    assert done.returncode == 0, done.stderr
    assert "3 of 5 episodes are there already" in done.stderr
    assert "collect: 5/5 episodes" in done.stderr
    assert "│ push │     5 │            3 │    2 │" in done.stdout
    kinds = [json.loads(line)["event"] for line in events.read_text().splitlines()]
    assert [kind for kind in kinds if kind != "frames"] == ["note", "start", "item", "item", "done"]


@pytest.mark.simulation
@pytest.mark.long
def test_failures_are_printed_by_hidden_property(tmp_path: Path) -> None:
    out = tmp_path / "data"
    done = collect("clumsy", "push", "--episodes", "6", "--out", str(out), "--resolution", "64x64")
    assert done.returncode == 0, done.stderr
    assert "Failed attempts by hidden property" in done.stdout
    assert "mass 0.50 to 0.95" in done.stdout
    quiet = collect("quick", "push", "--episodes", "2", "--out", str(tmp_path / "good"), "--resolution", "64x64")
    assert quiet.returncode == 0
    assert "hidden property" not in quiet.stdout


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["pusch"], "There is no task 'pusch'; did you mean 'push'?"),
        (["--episodes", "1", "2", "3"], "Give --episodes one number, or one for each of the 6 tasks"),
        (["--episodes", "0"], "Invalid value for '--episodes'"),
        (["--episodes", "1", "-3"], "Invalid value for '--episodes'"),
        (["--episodes", "many"], "Invalid value for '--episodes'"),
        (["--workers", "0"], "Invalid value for '--workers'"),
        (["--shard", "3/2"], "A shard looks like 1/4"),
        (["--resolution", "641x480"], "H.264 needs an even width and height"),
        (["--fps", "7"], "a frame rate must divide 1200, and 7 does not; the nearest: 6 and 8"),
        (["--rig", "papr"], "did you mean 'paper'?"),
        (["--rig", "README.md"], "README.md is not a YAML file: give a rig whose name ends in .yaml or .yml"),
        (["--fps", "0"], "'--fps': 0 is not in the range x>=1."),
        (["--seed", "-1"], "'--seed': -1 is not in the range x>=0."),
        (["--num-envs", "0"], "'--num-envs': 0 is not in the range 1<=x<=256."),
        (["--recipe", "papper"], "did you mean 'paper'?"),
        (["--progress-file", "/nowhere/x"], "The progress file /nowhere/x cannot be written"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    args: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "data"
    with pytest.raises(SystemExit) as caught:
        main(["collect", "--out", str(out), *args])
    assert caught.value.code == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""
    assert not out.exists()


def test_what_is_prepared_is_told_as_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def prepare(backend: str, *, draws: bool, tell: Callable[[str], None], physics: str) -> None:
        tell(f"{backend} is prepared")
        raise UsageError("It lacks something")

    monkeypatch.setattr("hpvqa.sim.prepare", prepare)
    out, events = tmp_path / "data", tmp_path / "events.jsonl"
    with pytest.raises(SystemExit) as caught:
        main(["collect", "push", "--out", str(out), "--progress-file", str(events)])
    assert caught.value.code == 2
    assert capsys.readouterr().err == "mujoco is prepared\nError: It lacks something\n"
    note, done = map(json.loads, events.read_text().splitlines())
    assert (note["event"], note["message"]) == ("note", "mujoco is prepared")
    assert (done["status"], done["message"]) == ("failed", "It lacks something")
    assert not out.exists()


@pytest.mark.slow
def test_the_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    done = collect("quick", "push", "--out", str(tmp_path))
    assert done.returncode == 2
    assert "holds files but no collection" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.simulation
def test_another_seed_is_refused_with_both_named(tmp_path: Path) -> None:
    args = ["push", "--episodes", "1", "--no-video", "--out", str(tmp_path / "data")]
    assert collect("quick", *args).returncode == 0
    done = collect("quick", *args, "--seed", "7")
    assert done.returncode == 2
    assert "seed is 42 there and 7 here" in done.stderr
    assert "Traceback" not in done.stderr
