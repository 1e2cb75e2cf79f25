"""A task of another package: every command of docs/adding-a-task.md, the panel's form, and packages that are broken."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.isaac  # noqa: F401 - lets the panel be imported
from hpvqa.scene.spec import Thing
from hpvqa.vlm.registry import BASELINES
from hpvqa_collector.collector import Collector
from tests.isaac.panel_fixtures import SCHEMA
from tests.needs import ROOT
from tests.patience import PATIENCE

EXAMPLE = ROOT / "examples" / "hpvqa-flick"
TUTORIAL = ROOT / "docs" / "adding-a-task.md"
SMALLER = {
    "--episodes 100": "--episodes 2 --seed 5 --workers 1",
    "--episodes 40": "--episodes 6 --resolution 160x160 --fps 2 --workers 1",
    "finetune ": "finetune --max-steps 2 --set training.checks=1 --workers 0 ",
}
"""What is changed so that a test can afford it; each occurs."""
LIKE_FLICK = """
from hpvqa_flick import FlickTask

class Task(FlickTask):
    name = "{name}"
    task_id = {number}
"""


def commands() -> list[str]:
    """The command lines of the tutorial, shortened."""
    text = TUTORIAL.read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    assert all(sum(long in line for line in lines) == 1 for long in SMALLER)
    for long, short in SMALLER.items():
        lines = [line.replace(long, short) for line in lines]
    return lines


def install(folder: Path, distribution: str, entry: str, module: str, text: str) -> None:
    """What pip leaves behind: a module, and beside it the folder that its entry points are read from."""
    info = folder / f"{distribution.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{module}.py").write_text(text, encoding="utf-8")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[hpvqa.tasks]\n{entry}\n")


def install_example(folder: Path) -> Path:
    """The example, by what its own pyproject.toml says."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))
    [(name, value)] = project["project"]["entry-points"]["hpvqa.tasks"].items()
    [module] = project["tool"]["setuptools"]["py-modules"]
    text = (EXAMPLE / f"{module}.py").read_text(encoding="utf-8")
    install(folder, project["project"]["name"], f"{name} = {value}", module, text)
    return folder


def paths(*folders: Path) -> str:
    return os.pathsep.join(filter(None, [*map(str, folders), os.environ.get("PYTHONPATH", "")]))


def hpvqa(*args: str, packages: Path | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": paths(*([packages] if packages else []))}
    line = [sys.executable, "-m", "hpvqa", *args]
    return subprocess.run(line, capture_output=True, text=True, cwd=cwd, env=environ, timeout=PATIENCE)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_example(tmp_path_factory.mktemp("packages") / "site")


@pytest.fixture(scope="module")
def made(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all commands of the tutorial were run but the one that trains a model."""
    pytest.importorskip("mujoco")
    place = tmp_path_factory.mktemp("plugin") / "work"
    place.mkdir()
    (place / "examples").symlink_to(ROOT / "examples")
    for line in commands():
        program, *args = shlex.split(line)
        if program == "pip":
            assert args == ["install", "--editable", "examples/hpvqa-flick"]
            continue
        assert program == "hpvqa"
        if args[0] == "finetune":
            continue
        done = hpvqa(*args, packages=packages, cwd=place)
        if args[0] == "collect" and done.returncode == 2 and "OpenGL" in done.stderr:
            pytest.skip("there is no OpenGL here")
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        assert "Warning: " not in done.stderr
        (place / f"{args[0]}.txt").write_text(done.stdout, encoding="utf-8")
    return place


# ---------------------------------------------------------------- the tutorial


@pytest.mark.simulation
@pytest.mark.long
def test_the_folder_says_which_version_of_the_package_made_it(made: Path) -> None:
    for data in ("physics", "data"):
        found = json.loads((made / data / "hpvqa.json").read_text(encoding="utf-8"))
        assert found["versions"]["hpvqa-flick"] == "0.1.0"


@pytest.mark.simulation
@pytest.mark.long
def test_episodes_of_the_task_are_answered_by_every_baseline(made: Path) -> None:
    correct = {}
    for name in BASELINES:
        lines = (made / "runs" / name / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        assert {row["task"] for row in rows} == {"flick"}
        correct[name] = sum(row["is_correct"] for row in rows) / len(rows)
    assert correct["oracle"] == correct["frame-oracle"] == correct["pixels"] == 1
    assert (made / "report.html").stat().st_size > 10_000
    assert {path.suffix for path in (made / "pictures").iterdir()} == {".png"}


@pytest.mark.simulation
@pytest.mark.long
def test_what_is_measured_follows_the_law_of_the_probe(
    made: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(packages))
    # The package may also be imported before hpvqa.
    from hpvqa_flick import FlickTask

    records = [json.loads(path.read_text()) for path in made.glob("data/flick/*/*/episode.json")]
    assert len(records) == 6
    for record in records:
        assert record["outcome"]["ok"]
        for data in record["spec"]["things"]:
            thing = Thing.model_validate(data)
            assert record["outcome"]["measurement"]["values"][thing.name] == pytest.approx(
                FlickTask.probe.law(thing), abs=0.015
            )


@pytest.mark.simulation
@pytest.mark.long
def test_the_cameras_are_those_of_the_rig_or_borrowed(made: Path, packages: Path) -> None:
    assert {path.name for path in made.glob("data/flick/*/*/*.mp4")} == {"back_top.mp4", "back_left_wide.mp4"}
    for rig in ("paper", "close"):
        specs = [hpvqa("sample", task, "--rig", rig, "--json", packages=packages) for task in ("push", "flick")]
        pushed, flicked = (json.loads(done.stdout)["cameras"] for done in specs)
        assert flicked == pushed


@pytest.mark.models
@pytest.mark.simulation
@pytest.mark.long
def test_the_embedded_base_is_trained_on_it(made: Path, packages: Path) -> None:
    [line] = [line for line in commands() if line.startswith("hpvqa finetune ")]
    done = hpvqa(*shlex.split(line)[1:], packages=packages, cwd=made)
    assert done.returncode == 0, done.stderr
    assert (made / "runs" / "adapter" / "adapter_model.safetensors").is_file()


@pytest.mark.simulation
@pytest.mark.parametrize(
    "line",
    [
        "list data",
        "list dataset",
        "build data --out other",
        "verify data",
        "show data/flick/000/episode-000000",
        "collect --out data",
    ],
)
@pytest.mark.long
def test_data_of_a_task_that_is_not_installed_are_not_understood(line: str, made: Path) -> None:
    done = hpvqa(*line.split(), cwd=made)
    assert done.returncode == 2
    assert done.stderr.count("\n") <= 1
    assert "The task 'flick' is not installed here; install the package that brings it" in done.stderr
    assert not (made / "other").exists()


# ---------------------------------------------------------------- the panel


def collector(folder: Path, command: str) -> Iterator[Collector]:
    found = Collector(SCHEMA, ROOT / "exts" / "hpvqa.collector", folder / "state", os.environ, command)
    found.options.data = str(folder / "data")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        yield found
        found.tick()
        time.sleep(0.02)
    raise AssertionError("the panel learned nothing")


@pytest.mark.slow
def test_the_form_of_the_panel_has_the_task(packages: Path, tmp_path: Path) -> None:
    command = shlex.join(["env", f"PYTHONPATH={paths(packages)}", sys.executable, "-m", "hpvqa"])
    shown = next(
        panel for panel in collector(tmp_path, command) if panel.table is not None and "flick" in panel.job.active
    )
    assert shown.job.fields["tasks", "flick", "ranges", "smooth"].description.startswith("Coefficient of friction")
    assert not shown.job.active["flick"]
    assert shown.table.rows("flick") == shown.table.rows("push")
    shown.job.set_active("flick", active=True)
    shown.job.set(("tasks", "flick", "ranges", "smooth"), [0.16, 0.18])
    stored = shown.stored()
    shown.close()
    # The next session begins with it, whether the command answers or not.
    again = next(collector(tmp_path, "nothing-of-the-kind"))
    again.restore(stored)
    assert again.job.get(("tasks", "flick", "ranges", "smooth")) == [0.16, 0.18]
    assert again.job.active["flick"]
    again.close()


def test_a_schema_that_cannot_be_shown_leaves_the_form_as_it_is(tmp_path: Path) -> None:
    strange = json.loads(json.dumps(SCHEMA))
    strange["properties"]["seed"] = {"type": "object", "description": "A mapping."}
    fake = tmp_path / "fake.py"
    fake.write_text(f"import sys\nprint({json.dumps(strange)!r} if 'schema' in sys.argv else '')\n")
    shown = next(
        panel for panel in collector(tmp_path, shlex.join([sys.executable, str(fake)])) if "cannot show" in panel.notice
    )
    assert shown.job.fields["seed",].kind == "integer"
    assert not (tmp_path / "state" / "recipe.schema.json").exists()
    shown.close()


# ---------------------------------------------------------------- packages that are broken


BROKEN = {
    "gone": ("import nothing_of_the_kind\n", "it cannot be loaded (ModuleNotFoundError: No module named"),
    "leaves": ("raise SystemExit('no')\n", "it cannot be loaded (SystemExit: no)"),
    "number": ("Task = 3\n", "broken_number:Task is no class of a task"),
    "push": (LIKE_FLICK.format(name="push", number=1001), "it has the name or the task_id of another task, 'push'"),
    "same": (LIKE_FLICK.format(name="same", number=1000), "it has the name or the task_id of another task, 'flick'"),
    "small": (LIKE_FLICK.format(name="small", number=7), "its task_id must be a whole number, 1000 or larger, not 7"),
    "other": (LIKE_FLICK.format(name="another", number=1002), "its entry point must be called as the task is"),
    "half": (
        "from hpvqa.tasks.pair import PairTask\nclass Task(PairTask):\n    name = 'half'\n    task_id = 1003\n",
        "broken_half:Task lacks asked_unit, default_fps, hidden, hidden_range, probe, question, ranges, title, unit, "
        "value_question",
    ),
    "ranges": (
        LIKE_FLICK.format(name="ranges", number=1004) + "    ranges = dict\n",
        "it cannot be used (AttributeError: ",
    ),
}
"""Name of an entry point: text of its module, and what is said."""


@pytest.fixture(scope="module")
def broken(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken") / "site"
    shutil.copytree(packages, folder)
    for name, (text, _) in BROKEN.items():
        install(folder, f"broken-{name}", f"{name} = broken_{name}:Task", f"broken_{name}", text)
    return folder


@pytest.mark.slow
def test_broken_packages_harm_no_other_task(broken: Path) -> None:
    shown = hpvqa("--help", packages=broken)
    assert (shown.returncode, shown.stderr) == (0, "")
    for task in ("push", "flick"):
        done = hpvqa("sample", task, "--json", packages=broken)
        assert json.loads(done.stdout)["task"] == task
        lines = done.stderr.splitlines()
        assert len(lines) == len(BROKEN)
        for name, (_, reason) in BROKEN.items():
            start = f"Warning: The task {name!r} of broken-{name} 0.1.0 is left out: {reason}"
            [line] = [line for line in lines if line.startswith(start)]
            assert line.endswith("; mend or uninstall that package")


@pytest.mark.slow
def test_asking_for_a_task_that_is_left_out_says_why(broken: Path) -> None:
    done = hpvqa("sample", "gone", packages=broken)
    assert done.returncode == 2
    assert "Error: The task 'gone' of broken-gone 0.1.0 is left out: it cannot be loaded" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_doctor_lists_tasks_of_other_packages(broken: Path) -> None:
    done = hpvqa("doctor", "--json", packages=broken)
    found = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert found["task flick"]["found"] == "hpvqa-flick 0.1.0"
    for name, (_, reason) in BROKEN.items():
        assert found[f"task {name}"]["found"] is None
        assert reason in found[f"task {name}"]["needs"]


@pytest.mark.slow
def test_completion_offers_the_task_and_says_nothing_else(broken: Path) -> None:
    environ = {
        **os.environ,
        "PYTHONPATH": paths(broken),
        "_HPVQA_COMPLETE": "bash_complete",
        "COMP_WORDS": "hpvqa collect fl",
        "COMP_CWORD": "2",
    }
    done = subprocess.run(
        [sys.executable, "-m", "hpvqa"], env=environ, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.stdout, done.stderr) == ("plain,flick\n", "")
