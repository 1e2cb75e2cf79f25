"""One machine's share of a collection."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.collect.shard import Shard
from hpvqa.errors import UsageError
from tests.collect_fakes import command

SLURM = Path(__file__).parents[1] / "examples" / "slurm"


def array(task: int, first: int, last: int, count: int | None = None) -> dict[str, str]:
    """What Slurm tells a task of an array."""
    numbers = {"ID": task, "MIN": first, "MAX": last, "COUNT": last - first + 1 if count is None else count}
    return {f"SLURM_ARRAY_TASK_{name}": str(number) for name, number in numbers.items()}


@given(st.integers(0, 500), st.integers(1, 40), st.integers(0, 200))
def test_the_tasks_of_an_array_share_all_episodes(first: int, count: int, episodes: int) -> None:
    shards = [Shard.of_array(array(first + number, first, first + count - 1)) for number in range(count)]
    made = [index for shard in shards for index in shard.indices(episodes)]
    assert sorted(made) == list(range(episodes))


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "and this is none"),
        ({**array(1, 1, 4), "SLURM_ARRAY_TASK_ID": "x"}, "and this is none"),
        # sbatch --array=1,3 and --array=3: others' episodes would be left out.
        (array(3, 1, 3, 2), "must follow one another"),
        (array(9, 1, 4), "must follow one another"),
    ],
)
def test_what_is_no_whole_array_is_refused(environ: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Shard.of_array(environ)


@pytest.mark.long
def test_the_example_for_slurm_makes_all_episodes(tmp_path: Path) -> None:
    for name, line in {"srun": "", "hpvqa": shlex.join(command("quick"))}.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec {line} "$@"\n')
        program.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    script = [
        "bash",
        str(SLURM / "collect.sbatch"),
        "push",
        "--episodes",
        "3",
        "--no-video",
        "--out",
        str(tmp_path / "data"),
    ]
    for task in (1, 2):
        environ = {**os.environ, **array(task, 1, 2), "SLURM_CPUS_PER_TASK": "1", "PATH": path}
        done = subprocess.run(script, env=environ, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (tmp_path / "data" / "push").glob("*/episode-*"))
    assert names == ["episode-000000", "episode-000001", "episode-000002"]
