"""Commands that write, each with what it starts from and what it should leave."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from hpvqa.dataset.build import build
from hpvqa.recipe import Recipe
from hpvqa.suite.data import Data, begin
from hpvqa.suite.definition import Suite, digest
from tests import factories
from tests.explore_play import play, rule
from tests.explore_worlds import write_worlds
from tests.hub_server import TOKEN, Repo, serving
from tests.step_samples import write_samples
from tests.test_assets import make_model, make_wheel
from tests.test_suite import card, small
from tests.torture.stand_ins import EXPECTED, WHEELS
from tests.torture.trace import HPVQA, Program, do

_TIMES = re.compile(r"(.+_)?(seconds|runtime|time|per_second|per_s|wall_s|lines)|created")
"""Keys of JSON whose values are measured times, or digests of lines that hold some."""
_WHEN = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
IGNORED = {".lock", ".lock.settings"}


@dataclass(frozen=True)
class Scenario:
    """A command in a working folder of its own.

    Attributes:
        name: What it is called in tables.
        prepare: Fills the working folder with what the command reads.
        args: The command line, relative to the working folder.
        out: What it writes, relative to the working folder.
        again: The command line that goes on after a failure, if another one.
        whole: What can be read of ``out`` after a failure, before going on: command lines that must not complain.
        slow: Whether one run takes more than about three seconds.
        resumes: Whether ``out`` may be there in part, to be gone on with.
        started: Given the folder that was prepared, what is run, and what must go on beside it.
    """

    name: str
    prepare: Callable[[Path], None]
    args: tuple[str, ...]
    out: str
    again: tuple[str, ...] = ()
    whole: tuple[tuple[str, ...], ...] = ()
    slow: bool = False
    resumes: bool = False
    started: Callable[[Path], AbstractContextManager[Program]] = lambda origin: nullcontext(HPVQA)


def snapshot(folder: Path) -> dict[str, str]:
    """Every file in a folder and a digest of its content, without what is measured anew each time."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(tuple(IGNORED)):
            found[path.relative_to(folder).as_posix()] = sha256(_content(path)).hexdigest()[:16]
    return found


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    try:
        if path.suffix == ".json":
            return _sorted(data)
        if path.suffix == ".jsonl":
            return b"\n".join(map(_sorted, data.splitlines()))
    except ValueError:
        return data  # Not whole: where that must not be, it differs from what is.
    # A card says with which command it was made, and a page when.
    if path.suffix == ".md":
        return data.replace(b" --resume", b"")
    return _WHEN.sub(b"", data) if path.suffix == ".html" else data


def _sorted(data: bytes) -> bytes:
    return json.dumps(_timeless(json.loads(data)), sort_keys=True).encode()


def _timeless(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _timeless(value) for key, value in data.items() if not _TIMES.fullmatch(key)}
    return [_timeless(value) for value in data] if isinstance(data, list) else data


def _nothing(folder: Path) -> None:
    """The command makes all of it."""


def _data(folder: Path) -> None:
    factories.make_data(folder / "data", push=6, drop=6)


def _dataset(folder: Path) -> None:
    _data(folder)
    build(folder / "data", folder / "ds", factories.quiet(), recipe=Recipe())


def _other_dataset(folder: Path) -> None:
    _data(folder)
    factories.make_data(folder / "other", seed=9, push=4)
    build(folder / "other", folder / "out", factories.quiet(), recipe=Recipe())


def _original(folder: Path) -> None:
    factories.make_original(
        folder / "src" / "push_a_test", "push", {n: "Left." if n % 2 else "Right." for n in range(6)}
    )
    factories.make_original(
        folder / "src" / "push_b_train", "push", {n: "Left." if n % 2 else "Right." for n in range(6)}
    )


def _run(folder: Path) -> None:
    _dataset(folder)
    for model in ("left", "oracle"):
        do(folder, "eval", "--dataset", "ds", "--model", model, "--out", f"runs/{model}")


def _worlds(folder: Path) -> None:
    write_worlds(folder / "worlds")


def _samples(folder: Path) -> None:
    do(folder, "tiny", "qwen3_vl", "model")
    write_samples(folder / "samples", (0, 5))


def _parts(folder: Path) -> None:
    # Imported late: it loads torch.
    from tests.test_explore_assemble import save_language, save_vision

    save_vision(folder / "siglip")
    save_language(folder / "qwen")


def _suite(folder: Path) -> None:
    suite = Suite(definition=small(), size_name="quick")
    data = Data(suite, folder / "data")
    write_worlds(data.scenes)
    begin(data, digest(suite))


def _cards(folder: Path) -> None:
    for name, answers in (("a", {"0": "10", "1": "1x"}), ("b", {"0": "11", "1": "01"})):
        (folder / f"{name}.json").write_text(card(name, answers).model_dump_json())


def _played(folder: Path) -> None:
    play(rule("ideal"), folder / "ideal")
    play(rule("random"), folder / "random")


def _filmed(folder: Path) -> None:
    _dataset(folder)
    do(folder, "export", "lerobot", "ds", "--task", "push", "--out", "filmed")
    rows = pq.read_table(folder / "filmed/meta/episodes/chunk-000/file-000.parquet").to_pylist()
    lines = [f"{row['episode_index']},push,{row['value_left']},{row['value_right']}\n" for row in rows]
    (folder / "labels.csv").write_text("episode,task,left,right\n" + "".join(lines))


def _wheels(folder: Path) -> None:
    make_wheel(folder / WHEELS)
    make_model(folder / EXPECTED)


def _standing_in(what: str) -> Callable[[Path], AbstractContextManager[Program]]:
    root = Path(__file__).parents[2]
    paths = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    return lambda origin: nullcontext(Program(("tests.torture.stand_ins", what), {"PYTHONPATH": paths}))


@contextmanager
def _with_hub(origin: Path) -> Iterator[Program]:
    """A stand-in of the Hub that holds the data set."""
    root = origin / "ds"
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with serving() as hub, tempfile.TemporaryDirectory() as home:
        hub.repos["datasets/me/pushes"] = Repo({**Repo().files, **files})
        env = {"HF_ENDPOINT": hub.address, "HF_HOME": home, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}
        yield Program(env=env)


def _model(folder: Path) -> None:
    _dataset(folder)
    do(folder, "tiny", "qwen3_vl", "model")


def _adapter(folder: Path) -> None:
    _model(folder)
    do(folder, *_FINETUNE, "--out", "adapter")


_EPISODES = ("--episodes", "2", "--fps", "2", "--resolution", "64x64", "--workers", "2")
_VERIFY = (("verify", "out"),)
_LOOK = ("--resolution", "64x64", "--frames", "2", "--device", "cpu")
_FINETUNE = (
    *("finetune", "--dataset", "ds", "--model", "model", "--no-eval", "--workers", "0", "--cache-size", "0", *_LOOK),
    *("--max-steps", "4", "--batch-size", "2", "--set", "training.checks=2"),
)

_STEPS = (
    *("finetune", "--samples", "samples", "--model", "model", "--no-eval", "--workers", "0"),
    *("--device", "cpu", "--max-steps", "2", "--batch-size", "2", "--set", "training.checks=2", "--out", "out"),
    *("--set", "samples.max_new_tokens=8"),
)

SCENARIOS = (
    Scenario(
        "collect",
        _nothing,
        ("collect", "push", *_EPISODES, "--out", "out"),
        "out",
        whole=_VERIFY,
        slow=True,
        resumes=True,
    ),
    Scenario("build", _data, ("build", "data", "--out", "out"), "out", whole=_VERIFY),
    Scenario("build --force", _other_dataset, ("build", "data", "--out", "out", "--force"), "out", whole=_VERIFY),
    Scenario("build --import", _original, ("build", "--import", "src", "--out", "out"), "out", whole=_VERIFY),
    Scenario(
        "eval, a baseline",
        _dataset,
        ("eval", "--dataset", "ds", "--model", "left", "--out", "out"),
        "out",
        whole=(("report", "out", "--json"),),
        resumes=True,
    ),
    Scenario(
        "eval, a model",
        _model,
        (
            "eval",
            "--dataset",
            "ds",
            "--backend",
            "transformers",
            "--model",
            "model",
            *_LOOK,
            "--limit",
            "4",
            "--out",
            "out",
        ),
        "out",
        slow=True,
        resumes=True,
    ),
    Scenario(
        "finetune",
        _model,
        (*_FINETUNE, "--out", "out"),
        "out",
        again=(*_FINETUNE, "--out", "out", "--resume"),
        slow=True,
        resumes=True,
    ),
    Scenario("merge", _adapter, ("merge", "adapter", "--model", "model", "--out", "out"), "out", slow=True),
    Scenario("tiny", _nothing, ("tiny", "qwen3_vl", "out"), "out", slow=True),
    Scenario("report", _run, ("report", "runs/left", "runs/oracle", "--html", "page.html", "--csv", "cells.csv"), "."),
    Scenario("export", _dataset, ("export", "messages", "ds", "--out", "out"), "out"),
    Scenario(
        "explore run",
        _worlds,
        ("explore", "run", "--worlds", "worlds", "--agent", "ideal", "--condition", "facts", "--out", "out"),
        "out",
        whole=(("explore", "report", "out", "--json"),),
        resumes=True,
    ),
    Scenario(
        "explore build",
        _worlds,
        ("explore", "build", "worlds", "--facts", "--workers", "1", "--format", "all", "--out", "out"),
        "out",
        resumes=True,
    ),
    Scenario("show", _data, ("show", "data/push/000/episode-000000", "--out", "out"), "."),
    Scenario("export lerobot", _dataset, ("export", "lerobot", "ds", "--task", "push", "--out", "out"), "out"),
    Scenario(
        "collect --record",
        _nothing,
        ("collect", "push", *_EPISODES, "--record", "rgb,depth,segmentation", "--out", "out"),
        "out",
        whole=_VERIFY,
        slow=True,
        resumes=True,
    ),
    Scenario("sample --render", _nothing, ("sample", "push", "--resolution", "64x64", "--render", "out"), "out"),
    Scenario(
        "build --import lerobot",
        _filmed,
        ("build", "--import", "lerobot", "filmed", "--labels", "labels.csv", "--out", "out"),
        "out",
        whole=_VERIFY,
    ),
    Scenario("studio --out", _run, ("studio", "ds", "--run", "runs/left", "--out", "out"), "out"),
    Scenario(
        "explore draw",
        _nothing,
        ("explore", "draw", "--family", "stack", "--scenes", "4", "--workers", "1", "--out", "out"),
        "out",
        slow=True,
        resumes=True,
    ),
    Scenario(
        "explore show",
        _worlds,
        ("explore", "show", "worlds/stack/000/scene-000000.json", "--out", "out"),
        ".",
        slow=True,
    ),
    Scenario("explore report", _played, ("explore", "report", "ideal", "random", "--html", "page.html"), "."),
    Scenario(
        "explore assemble",
        _parts,
        ("explore", "assemble", "--vision", "siglip", "--language", "qwen", "--out", "out"),
        "out",
        slow=True,
    ),
    Scenario("finetune --samples", _samples, _STEPS, "out", again=(*_STEPS, "--resume"), slow=True, resumes=True),
    Scenario(
        "suite run",
        _suite,
        (*("suite", "run", "--size", "quick", "--data", "data", "--workers", "1"), "--model", "left", "--out", "out"),
        "out",
        slow=True,
        resumes=True,
        started=_standing_in("suite"),
    ),
    Scenario("suite compare", _cards, ("suite", "compare", "a.json", "b.json", "--html", "page.html"), "."),
    Scenario("pull", _dataset, ("pull", "me/pushes", "--out", "out"), "out", whole=_VERIFY, started=_with_hub),
    Scenario("assets", _wheels, ("assets",), "cache", resumes=True, started=_standing_in("assets")),
)
