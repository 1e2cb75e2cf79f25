"""Paths that cannot be what a command needs: one sentence and an exit code, for every command that takes a path."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hpvqa.dataset.build import build
from hpvqa.main import main
from hpvqa.recipe import Recipe
from hpvqa.record.episode import episode_dir
from hpvqa.vlm.embedded import adapter_folder
from tests.factories import make_data, make_original, quiet

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
}
"""Commands that write a folder."""
FILE_TARGETS = {
    "report --html": "report {run} --html PATH",
    "report --csv": "report {run} --csv PATH",
    "collect --progress-file": "collect push --episodes 1 --no-video --workers 1 --out {new} --progress-file PATH",
    "eval --progress-file": "eval --dataset {dataset} --model left --out {new} --progress-file PATH",
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
}
"""Commands that read a folder."""
FILE_SOURCES = {
    "sample --recipe": "sample push --recipe PATH",
    "sample --rig": "sample push --rig PATH",
    "collect --recipe": "collect push --out {new} --recipe PATH",
    "build --recipe": "build {data} --out {new} --recipe PATH",
    "eval --prompt": "eval --dataset {dataset} --model left --out {new} --prompt PATH",
    "finetune --recipe": "finetune --dataset {dataset} --model embedded-base --out {new} --recipe PATH",
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
    return {
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
    return Path("/proc/sys/kernel") / name


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
CASES = [
    pytest.param(
        words,
        make,
        suffix,
        id=f"{name}-{make.__name__}",
        # It loads PyTorch.
        marks=[pytest.mark.models] if words.startswith("eval") and "embedded" in words else [],
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
