"""Drawing scenes from the command line: what is refused and told, an interrupt, and the evaluation set."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from hpvqa.errors import RunError, UsageError
from hpvqa.explore.draw import GROUP, draw_group, type_of
from hpvqa.explore.evaluation import DIGEST, EVALUATION, check, digest
from hpvqa.explore.scene import find_scenes, read_scene, scene_file, write_scene
from hpvqa.main import cli
from hpvqa.processes import python
from tests.explore_worlds import group, write_worlds
from tests.patience import PATIENCE, wait_for


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scenes", "6"], "--scenes must be a multiple of four, not 6"),
        (["--set", "evaluation", "--seed", "3"], "--set says which scenes are drawn; leave out --family"),
        (["--set", "evaluation", "--scenes", "600"], "--set says which scenes are drawn; leave out --family"),
        (["--family", "covers"], "There is no family 'covers'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(tmp_path: Path, options: list[str], message: str) -> None:
    done = CliRunner().invoke(cli, ["explore", "draw", "--out", str(tmp_path / "worlds"), *options])
    assert isinstance(done.exception, UsageError), done.output
    assert message in str(done.exception)
    assert not (tmp_path / "worlds").exists()


def test_a_third_of_the_evaluation_set_is_of_types_that_are_kept_for_it() -> None:
    kinds = [type_of(family, number) for family, number in EVALUATION.groups()]
    assert GROUP * len(kinds) == 600
    assert GROUP * sum(kind.held_out for kind in kinds) == 200
    assert len({(kind.family, kind.name) for kind in kinds}) == 40


def test_the_evaluation_set_is_told_by_a_digest(tmp_path: Path) -> None:
    worlds = write_worlds(tmp_path / "worlds")
    found = digest(worlds)
    check(worlds, found)
    with pytest.raises(RunError, match=f"the digest of its scenes is {found[:12]}… and not {DIGEST[:12]}…"):
        check(worlds)
    other = group()[0].model_copy(update={"seed": 1})
    write_scene(scene_file(worlds, other.family, other.index), other)
    assert digest(worlds) != found
    next(find_scenes(worlds)).write_text("{}")
    with pytest.raises(UsageError, match="is damaged"):
        digest(worlds)


@pytest.mark.slow
def test_what_is_rejected_is_counted_by_why() -> None:
    account = Counter[str]()
    for number in range(3):
        next(draw_group("occlusion", number, 0, account))
    assert account["what is seen depends on what is hidden"] > 0
    whys = {"what is seen depends on what is hidden", "things do not fit on the table", "no question has four scenes"}
    assert set(account) <= whys


@pytest.mark.simulation
@pytest.mark.long
def test_an_interrupted_draw_goes_on_where_it_stopped(tmp_path: Path) -> None:
    pytest.importorskip("mujoco")
    options = ["--family", "stack", "--scenes", "8", "--workers", "1", "--json"]
    command = python("-m", "hpvqa", "explore", "draw", *options, "--out", str(tmp_path))
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    wait_for(lambda: list(find_scenes(tmp_path)))
    os.killpg(process.pid, signal.SIGINT)
    # The workers share the pipes, so that they close when the last of them has ended.
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, stderr
    assert "run the same command again to go on" in stderr
    assert "Traceback" not in stderr
    assert not stdout
    before = {path: read_scene(path).checksum for path in find_scenes(tmp_path)}
    assert len(before) < 8
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["scenes"] == 8
    assert all(count > 0 for count in told["rejected"].values())
    after = {path: read_scene(path).checksum for path in find_scenes(tmp_path)}
    assert len(after) == 8
    assert {path: after[path] for path in before} == before
    # Fewer than there are: it holds what it held.
    fewer = [*command, "--scenes", "4"]
    assert json.loads(subprocess.run(fewer, capture_output=True, text=True, check=True).stdout)["scenes"] == 8
