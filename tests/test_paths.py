"""Paths that cannot be what a command needs: one sentence and an exit code, for every command that takes a path."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from hpvqa.dataset.build import build
from hpvqa.explore.scene import find_scenes
from hpvqa.main import main
from hpvqa.recipe import Recipe
from hpvqa.record.episode import episode_dir
from hpvqa.vlm.embedded import adapter_folder
from tests.explore_play import play, rule
from tests.explore_worlds import write_worlds
from tests.factories import make_data, make_original, quiet
from tests.step_samples import write_samples
from tests.test_suite import card

TARGETS = {
    "show": "show {episode} --out PATH",
    "studio": "studio {data} --out PATH",
    "collect": "collect push --episodes 1 --no-video --workers 1 --out PATH",
    "build": "build {data} --out PATH",
    "build --import": "build --import {original} --out PATH",
    "eval": "eval --dataset {dataset} --model left --out PATH",
    "finetune": "finetune --dataset {dataset} --model embedded-base --out PATH",
    "merge": "merge {adapter} --out PATH",
    "tiny": "tiny qwen3_vl PATH",
    "demo": "demo --workers 1 --out PATH",
    "sample --render": "sample push --render PATH",
    "export": "export messages {dataset} --out PATH",
    "explore draw": "explore draw --scenes 4 --workers 1 --out PATH",
    "explore show": "explore show {scene} --out PATH",
    "explore run": "explore run --worlds {worlds} --agent always-answer --out PATH",
    "explore play": "explore play --terminal --worlds {worlds} --out PATH",
    "explore build": "explore build {worlds} --facts --workers 1 --out PATH",
    "suite run": "suite run --size quick --data {new} --model left --out PATH",
    "suite run --data": "suite run --size quick --model left --out {new} --data PATH",
    "finetune --samples": "finetune --samples {samples} --model embedded-base --out PATH",
}
"""Commands that write a folder."""
FILE_TARGETS = {
    "report --html": "report {run} --html PATH",
    "report --csv": "report {run} --csv PATH",
    "collect --progress-file": "collect push --episodes 1 --no-video --workers 1 --out {new} --progress-file PATH",
    "eval --progress-file": "eval --dataset {dataset} --model left --out {new} --progress-file PATH",
    "finetune --progress-file": "finetune --dataset {dataset} --model embedded-base --out {new} --progress-file PATH",
    "suite run --progress-file": "suite run --data {new}/a --out {new}/b --model left --progress-file PATH",
    "report --html, of agents": "report {played} --html PATH",
    "explore report --html": "explore report {played} --html PATH",
    "suite compare --html": "suite compare {card} {card} --html PATH",
    "export rerun": "export rerun {episode} --out PATH",
}
"""Commands that write a file."""
SOURCES = {
    "show": "show PATH --out {new}",
    "studio": "studio PATH --out {new}",
    "studio --run": "studio {dataset} --run PATH --out {new}",
    "verify": "verify PATH",
    "list": "list PATH",
    "build": "build PATH --out {new}",
    "build --import": "build --import PATH --out {new}",
    "eval": "eval --dataset PATH --model left --out {new}",
    "eval --model": "eval --dataset {dataset} --model PATH --out {new}",
    "eval --adapter": "eval --dataset {dataset} --model embedded-base --adapter PATH --out {new}",
    "report": "report PATH",
    "ask": "ask PATH --model left",
    "ask --latest": "ask --latest PATH --model left",
    "ask --model": "ask {episode} --model PATH",
    "merge": "merge PATH --out {new}",
    "merge --model": "merge {adapter} --model PATH --out {new}",
    "finetune": "finetune --dataset PATH --model embedded-base --out {new}",
    "finetune --model": "finetune --dataset {dataset} --model PATH --out {new}",
    "finetune --samples": "finetune --samples PATH --model embedded-base --out {new}",
    "finetune --adapter": "finetune --dataset {dataset} --model embedded-base --adapter PATH --out {new}",
    "report --dataset": "report {run} --dataset PATH",
    "build --import lerobot": "build --import lerobot PATH --labels {labels} --out {new}",
    "export": "export messages PATH --out {new}",
    "explore show": "explore show PATH --out {new}",
    "explore run --worlds": "explore run --worlds PATH --agent always-answer --out {new}",
    "explore run --train": "explore run --worlds {worlds} --agent constant --train PATH --out {new}",
    "explore run --model": "explore run --worlds {worlds} --model PATH --out {new}",
    "explore build": "explore build PATH --facts --out {new}",
    "explore report": "explore report PATH",
    "suite compare": "suite compare PATH {card}",
    "suite run --adapter": "suite run --size quick --data {new}/a --model embedded-base --adapter PATH --out {new}/b",
}
"""Commands that read a folder."""
FILE_SOURCES = {
    "sample --recipe": "sample push --recipe PATH",
    "sample --rig": "sample push --rig PATH",
    "collect --recipe": "collect push --out {new} --recipe PATH",
    "build --recipe": "build {data} --out {new} --recipe PATH",
    "eval --prompt": "eval --dataset {dataset} --model left --out {new} --prompt PATH",
    "finetune --recipe": "finetune --dataset {dataset} --model embedded-base --out {new} --recipe PATH",
    "build --labels": "build --import lerobot {filmed} --labels PATH --out {new}",
    "export --prompt": "export messages {dataset} --out {new} --prompt PATH",
}
"""Commands that read a file; its name ends in .yaml, since other names are refused for that."""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What commands need besides the path."""
    root = tmp_path_factory.mktemp("paths")
    data = make_data(root / "data", push=8, drop=8)
    build(data, root / "dataset", quiet(), recipe=Recipe())
    original = root / "original"
    make_original(original, "push", {number: "Left." if number % 2 else "Right." for number in range(8)})
    run = root / "run"
    with pytest.raises(SystemExit):
        main(["eval", "--dataset", str(root / "dataset"), "--model", "left", "--out", str(run)])
    filmed = root / "filmed"
    (filmed / "meta").mkdir(parents=True)
    features = {"observation.images.top": {"dtype": "video"}}
    info = {"codebase_version": "v2.1", "fps": 10, "features": features}
    (filmed / "meta" / "info.json").write_text(json.dumps(info))
    (filmed / "meta" / "episodes.jsonl").write_text('{"episode_index": 0, "length": 3}\n')
    (root / "labels.csv").write_text("episode,task,left,right\n0,push,1,2\n")
    (root / "card.json").write_text(card("left", {"0": "10"}).model_dump_json())
    play(rule("always-answer"), root / "played")
    worlds = write_worlds(root / "worlds")
    return {
        "filmed": filmed,
        "labels": root / "labels.csv",
        "card": root / "card.json",
        "played": root / "played",
        "worlds": worlds,
        "scene": next(find_scenes(worlds)),
        "samples": write_samples(root / "samples"),
        "data": data,
        "dataset": root / "dataset",
        "episode": episode_dir(data, "push", 0),
        "run": run,
        "original": original,
        "adapter": adapter_folder(),
    }


def below_a_file(root: Path, name: str) -> Path:
    (root / "file").write_text("x")
    return root / "file" / name


def dangling_link(root: Path, name: str) -> Path:
    (root / name).symlink_to(root / "nowhere" / "at" / "all")
    return root / name


def link_loop(root: Path, name: str) -> Path:
    (root / name).symlink_to(root / name)
    return root / name


def long_name(root: Path, name: str) -> Path:
    return root / ("x" * 300 + name)


def in_proc(root: Path, name: str) -> Path:
    return Path("/proc") / name


def a_file(root: Path, name: str) -> Path:
    (root / name).write_text("x")
    return root / name


def a_folder(root: Path, name: str) -> Path:
    (root / name).mkdir()
    return root / name


def missing(root: Path, name: str) -> Path:
    return root / name


def pipe(root: Path, name: str) -> Path:
    os.mkfifo(root / name)
    return root / name


def unreadable(root: Path, name: str) -> Path:
    # Even root cannot read this one.
    (root / name).symlink_to("/proc/self/mem")
    return root / name


def without_a_parent(root: Path, name: str) -> Path:
    return root / "no" / "such" / name


ANYWHERE = (below_a_file, dangling_link, link_loop, long_name, in_proc)
RARE = (dangling_link, link_loop, long_name, in_proc, pipe, unreadable)
"""Of the commands of two words, and of exports, `make test` tries the others: each path is checked in one place."""
NEW = re.compile("explore|suite|export|sample|finetune --samples|build --import lerobot").match
WITH_MODEL = re.compile("(eval|suite).*embedded").match
"""They load PyTorch."""
OURS = tuple(words for name, words in FILE_TARGETS.items() if not name.endswith("--progress-file"))
"""Commands that replace a file, if it is one of theirs."""
CASES = [
    pytest.param(
        words,
        make,
        suffix,
        id=f"{name}-{make.__name__}",
        marks=pytest.mark.long
        if make in RARE and NEW(words) and not WITH_MODEL(words)
        else pytest.mark.models
        if WITH_MODEL(words)
        else (),
    )
    for table, makes, suffix in (
        (TARGETS, (*ANYWHERE, a_file), ""),
        (FILE_TARGETS, (*ANYWHERE, a_folder, without_a_parent), ".txt"),
        (SOURCES, (*ANYWHERE, missing, a_file, a_folder, pipe, unreadable), ""),
        (FILE_SOURCES, (*ANYWHERE, missing, a_file, a_folder, pipe, unreadable), ".yaml"),
    )
    for name, words in table.items()
    for make in makes
    # What is too long for a name is a question.
    if (name, make) != ("ask", long_name)
    # Only its library finds out that nothing can be made there.
    if (name, make) != ("export rerun", in_proc) or find_spec("rerun")
]


@pytest.mark.parametrize(("words", "make", "suffix"), CASES)
def test_an_impossible_path_is_one_sentence(
    words: str,
    make: Callable[[Path, str], Path],
    suffix: str,
    there: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    path = make(tmp_path, f"chosen{suffix}")
    before = sorted(tmp_path.rglob("*"))
    args = words.format(**there, new=tmp_path / "new").replace("PATH", str(path)).split()
    with pytest.raises(SystemExit) as caught:
        main(args)
    error = capsys.readouterr().err
    assert caught.value.code in (1, 2), error
    (said,) = [line for line in error.splitlines() if line.startswith("Error: ")]
    assert path.name in said or str(path.parent) in said, "the path is named"
    assert "Errno" not in said
    assert "Traceback" not in error
    assert sorted(tmp_path.rglob("*")) == before, "nothing is left behind"


@pytest.mark.parametrize("words", OURS)
def test_no_file_of_something_else_is_replaced(
    words: str, there: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "thesis"
    path.write_text("of three years")
    with pytest.raises(SystemExit) as caught:
        main(words.format(**there, new=tmp_path / "new").replace("PATH", str(path)).split())
    assert caught.value.code == 2
    assert f"{path} exists" in capsys.readouterr().err
    assert path.read_text() == "of three years"
    if words.startswith("export"):
        # It replaces nothing at all.
        return
    path.unlink()
    for _ in range(2):
        with pytest.raises(SystemExit) as caught:
            main(words.format(**there, new=tmp_path / "new").replace("PATH", str(path)).split())
        assert caught.value.code in (0, None)
