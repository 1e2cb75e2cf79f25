"""Output where the terminal's encoding lacks characters: nothing fails after the work is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hpvqa.dataset.build import build
from hpvqa.main import main
from hpvqa.recipe import Recipe
from hpvqa.record.episode import episode_dir
from tests.explore_play import play, rule
from tests.explore_worlds import write_worlds
from tests.factories import make_data, quiet
from tests.needs import long_but
from tests.test_suite import card

pytestmark = pytest.mark.slow

COMMANDS = {
    "help": "collect --help",
    "sample": "sample drop",
    "estimate": "collect push --episodes 3 --no-video --out {new} --estimate",
    "show": "show {episode} --out {new}",
    "studio": "studio {dataset} --run {run} --out {new}",
    "build": "build {data} --out {new}",
    "verify": "verify {dataset}",
    "list": "list {data}",
    "eval": "eval --dataset {dataset} --model left --out {new}",
    "report": "report {run}",
    "ask": "ask {episode} --model pixels --reveal",
    "error": "show {new}/nothing",
}
"""Commands that print a table of their own without a model; all others print to the same console."""
LONGER = {
    "export": "export messages {dataset} --out {new}",
    "explore run": "explore run --worlds {worlds} --agent ideal --condition facts --out {new}",
    "explore build": "explore build {worlds} --facts --workers 1 --limit 1 --out {new}",
    "explore report": "explore report {played} --html {new}.html",
    "suite estimate": "suite run --size quick --data {new} --model left --estimate",
    "suite compare": "suite compare {card} {card} --html {new}.html",
}
"""The same, of scenes, suites and exports: tried where the tests may take long."""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    # Characters of one, two and four bytes, and one that some encodings have and others lack.
    root = tmp_path_factory.mktemp("kühn 左 🤖 €")
    data = make_data(root / "data", push=8, drop=8)
    build(data, root / "dataset", quiet(), recipe=Recipe())
    paths = {"data": data, "dataset": root / "dataset", "episode": episode_dir(data, "push", 0), "run": root / "run"}
    paths |= {"worlds": write_worlds(root / "worlds"), "played": root / "played", "card": root / "card.json"}
    play(rule("ideal"), paths["played"])
    paths["card"].write_text(card("kühn 左", {"0": "10", "1": "1x"}).model_dump_json())
    with pytest.raises(SystemExit):
        main(["eval", "--dataset", str(paths["dataset"]), "--model", "left", "--out", str(paths["run"])])
    return paths


ALL = """
import json, sys
from hpvqa.main import main
for args in json.loads(sys.argv[1]):
    print("begin", file=sys.stderr)
    try:
        main(args)
    except SystemExit as stop:
        print("exit", stop.code, file=sys.stderr, flush=True)
"""


@pytest.mark.parametrize("encoding", long_but(["ascii", "latin-1", "cp1252"]))
def test_whatever_the_encoding(encoding: str, there: dict[str, Path], tmp_path: Path) -> None:
    commands = COMMANDS if encoding == "ascii" else {**COMMANDS, **LONGER}
    calls = [
        [word.format(**there, new=tmp_path / f"neu 左 {number}") for word in words.split()]
        for number, words in enumerate(commands.values())
    ]
    environ = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "100"}
    done = subprocess.run([sys.executable, "-c", ALL, json.dumps(calls)], capture_output=True, env=environ)
    # For the encoding ascii, click takes a terminal for misconfigured and writes UTF-8.
    error = done.stderr.decode(encoding, "replace")
    assert "Traceback" not in error
    codes = [int(line.removeprefix("exit ")) for line in error.splitlines() if line.startswith("exit ")]
    assert dict(zip(commands, codes, strict=True)) == {name: 2 if name == "error" else 0 for name in commands}, error
    assert b"Error: " in done.stderr
    assert done.stdout.count(b"\n") > 100
