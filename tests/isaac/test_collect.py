"""`hpvqa collect --backend isaac` with a real child process, whose worlds are MuJoCo's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hpvqa.record.decode import read_frames
from hpvqa.record.episode import find_episodes, read_episode
from hpvqa.record.trajectory import column_names, read_trajectory
from hpvqa.scene.spec import SIDES
from tests.isaac.batch_fakes import installation
from tests.needs import long_but
from tests.patience import PATIENCE, wait_for
from tests.worlds import sample

pytestmark = pytest.mark.simulation

RIG = str(Path(__file__).parent / "small-rig.yaml")
BASE = ["--backend", "isaac", "--num-envs", "2", "--seed", "0", "--fps", "10", "--resolution", "64x48", "--rig", RIG]


def collect(environ: dict[str, str], out: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hpvqa", "collect", *args, *BASE, "--out", str(out)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE)


def names(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out)) for path in find_episodes(out))


def children(marker: str) -> list[str]:
    """Command lines of processes that mention something."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in found if marker in line and "batch_fakes" in line]


@pytest.mark.long
def test_it_collects_both_tasks_retries_and_goes_on(tmp_path: Path) -> None:
    environ, out, events = installation(tmp_path / "isaac", "mujoco"), tmp_path / "data", tmp_path / "events.jsonl"
    done = collect(environ, out, "push", "drop", "--episodes", "3", "1", "--json", "--progress-file", str(events))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {name: task["made"] for name, task in report["tasks"].items()} == {"push": 3, "drop": 1}
    assert report["tasks"]["push"]["failed_attempts"] == 1
    assert names(out) == ["drop/000/episode-000000", *(f"push/000/episode-00000{number}" for number in range(3))]

    second = read_episode(out / "push/000/episode-000001")
    assert second.outcome.ok
    assert [failure.reason for failure in second.failed_attempts] == [
        "the first picture of top shows an earlier moment"
    ]
    assert second.spec.attempt == 1
    assert second.versions["isaacsim"] == "5.1.0"
    for folder in find_episodes(out):
        record = read_episode(folder)
        spec = sample(record.spec.task, record.spec.index, attempt=record.spec.attempt, rig=RIG)
        assert record.spec == spec, "the spec does not depend on the backend"
        assert record.checksum == record.digest()
        trajectory = read_trajectory(folder / "trajectory.parquet", SIDES)
        assert list(trajectory) == column_names(SIDES)
        assert record.video is not None
        assert len(trajectory["time"]) == record.video.frames
        clip = folder / f"{spec.cameras[0].name}.mp4"
        assert read_frames(clip, [record.video.frames - 1]).shape == (1, 48, 64, 3)

    kinds = [json.loads(line)["event"] for line in events.read_text().splitlines()]
    assert kinds[0] == "start"
    assert "Starting Isaac Sim with 2 environments" in done.stderr
    assert "its 2 clips at a time are encoded on the CPU" in " ".join(done.stderr.split())
    assert kinds.count("item") == 4
    assert "frames" in kinds
    assert kinds[-1] == "done"
    assert (out / "isaac-push.log").is_file()
    assert (out / "isaac-drop.log").is_file()
    assert [path.name for path in out.iterdir() if path.name.startswith(".partial")] in ([], [".partial"])
    assert not list((out / ".partial").glob("*"))
    assert json.loads((out / "hpvqa.json").read_text())["backend"] == "isaac"

    again = collect(environ, out, "push", "--episodes", "4", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["tasks"]["push"] == {
        **json.loads(again.stdout)["tasks"]["push"],
        "already": 3,
        "made": 1,
    }


@pytest.mark.long
def test_episodes_do_not_depend_on_the_number_of_environments(tmp_path: Path) -> None:
    environ = installation(tmp_path / "isaac", "mujoco")
    outs = [tmp_path / "one", tmp_path / "two"]
    for number, out in enumerate(outs, start=1):
        command = [sys.executable, "-m", "hpvqa", "collect", "drop", *BASE, "--num-envs", str(number)]
        command += ["--episodes", "2", "--no-video", "--out", str(out)]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
    for one, two in zip(*(find_episodes(out) for out in outs), strict=True):
        assert read_episode(one).spec == read_episode(two).spec
        assert read_episode(one).events == read_episode(two).events


@pytest.mark.parametrize(
    ("task", "what"), [("press", "a plate"), ("balance", "a bar whose centre of mass is not in its middle")]
)
def test_things_that_it_cannot_hold_are_refused_before_it_starts(tmp_path: Path, task: str, what: str) -> None:
    environ, out = installation(tmp_path / "isaac", "mujoco"), tmp_path / "data"
    options = [option for option in BASE if option not in ("--rig", RIG)]
    command = [sys.executable, "-m", "hpvqa", "collect", task, *options, "--episodes", "1", "--no-video"]
    done = subprocess.run([*command, "--out", str(out)], env=environ, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert f"Error: Isaac Sim cannot hold {what} yet; collect with --backend mujoco" in done.stderr
    assert not list(out.glob("isaac-*.log"))


@pytest.mark.long
def test_the_other_simulator_s_folder_is_refused(tmp_path: Path) -> None:
    environ, out = installation(tmp_path / "isaac", "mujoco"), tmp_path / "data"
    assert collect(environ, out, "push", "--episodes", "1", "--no-video").returncode == 0
    command = [sys.executable, "-m", "hpvqa", "collect", "push", "--episodes", "1", "--seed", "0", "--fps", "10"]
    command += ["--no-video", "--rig", RIG, "--out", str(out), "--backend", "mujoco"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert "backend" in done.stderr
    assert "isaac" in done.stderr


@pytest.mark.parametrize(
    "case",
    long_but(
        [
            ("greedy", {}, 1, "the GPU's memory does not hold 2 environments; use fewer --num-envs"),
            ("nothing", {}, 2, "franka.usd is not there; set HPVQA_ISAAC_ASSETS"),
            ("full", {}, 1, "is full; free some space and run the same command again"),
            ("missing", {}, 1, "KeyError: 'open_missing'"),
            ("wrong", {}, 1, "RuntimeError: PhysX has no such joint"),
            ("mujoco", {"gpu": ""}, 2, "No NVIDIA GPU was found"),
            ("mujoco", {"gpu": "NVIDIA H100 PCIe"}, 2, "has no ray tracing cores"),
            ("mujoco", {"lab": "3.0.0"}, 2, "belongs to Isaac Lab 3"),
            ("mujoco", {"hpvqa": None}, 2, "lacks hpvqa; run:"),
        ],
        ("full", {}, 1, "is full; free some space and run the same command again"),
        ("mujoco", {"gpu": ""}, 2, "No NVIDIA GPU was found"),
    ),
)
def test_what_goes_wrong_is_one_sentence(case: tuple[str, dict[str, Any], int, str], tmp_path: Path) -> None:
    kind, options, code, words = case
    out = tmp_path / "data"
    done = collect(installation(tmp_path / "isaac", kind, **options), out, "push", "--episodes", "3")
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert names(out) == []
    assert not list(out.glob(".partial/*"))
    assert children(str(tmp_path / "isaac")) == []


def test_without_isaac_sim_there_is_a_sentence(tmp_path: Path) -> None:
    environ = {**os.environ, "HOME": str(tmp_path), "HPVQA_CACHE": str(tmp_path)}
    for name in ("HPVQA_ISAAC", "ISAACLAB_PATH", "ISAACSIM_PATH"):
        environ.pop(name, None)
    done = collect(environ, tmp_path / "data", "push")
    assert done.returncode == 2
    assert "No Isaac Sim was found" in done.stderr
    assert not (tmp_path / "data").exists()


def test_workers_are_not_for_isaac(tmp_path: Path) -> None:
    done = collect(installation(tmp_path / "isaac", "mujoco"), tmp_path / "data", "push", "--workers", "2")
    assert done.returncode == 2
    assert "with Isaac Sim, give --num-envs" in done.stderr


def started(environ: dict[str, str], out: Path, episodes: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hpvqa", "collect", "push", *BASE, "--episodes", str(episodes), "--out", str(out)]
    process = subprocess.Popen(command, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: list(out.glob(".partial/*/push-*")))
    return process


@pytest.mark.long
def test_one_interrupt_keeps_the_running_episodes(tmp_path: Path) -> None:
    out = tmp_path / "data"
    process = started(installation(tmp_path / "isaac", "mujoco"), out, 7)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert 1 <= len(names(out)) < 7
    assert not list((out / ".partial").glob("*"))
    assert children(str(tmp_path / "isaac")) == []


@pytest.mark.long
def test_two_interrupts_drop_them(tmp_path: Path) -> None:
    out = tmp_path / "data"
    process = started(installation(tmp_path / "isaac", "mujoco"), out, 7)
    process.send_signal(signal.SIGINT)
    time.sleep(0.6)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert not list((out / ".partial").glob("*"))
    assert children(str(tmp_path / "isaac")) == []


@pytest.mark.long
def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    out = tmp_path / "data"
    process = started(installation(tmp_path / "isaac", "mujoco"), out, 7)
    assert children(str(tmp_path / "isaac"))
    process.kill()
    process.communicate(timeout=PATIENCE)
    wait_for(lambda: not children(str(tmp_path / "isaac")))
    whole = names(out)
    for name in whole:
        assert read_episode(out / name).checksum == read_episode(out / name).digest()


def test_a_child_that_hangs_while_it_starts_ends_with_its_parent_too(tmp_path: Path) -> None:
    out = tmp_path / "data"
    command = [sys.executable, "-m", "hpvqa", "collect", "push", *BASE, "--episodes", "1", "--out", str(out)]
    process = subprocess.Popen(command, env=installation(tmp_path / "isaac", "mute"), stderr=subprocess.DEVNULL)
    wait_for(lambda: children(str(tmp_path / "isaac")))
    process.kill()
    process.communicate(timeout=PATIENCE)
    wait_for(lambda: not children(str(tmp_path / "isaac")))


@pytest.mark.long
def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    environ, out = installation(tmp_path / "isaac", "mujoco"), tmp_path / "data"
    process = started(environ, out, 7)
    done = collect(environ, out, "push", "--episodes", "1")
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert done.returncode == 1
    assert "Another run is writing to" in done.stderr


def test_a_kit_that_lost_its_gpu_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hpvqa.collect import isaac
    from hpvqa.collect.exchange import Exchange
    from hpvqa.collect.messages import Setup

    monkeypatch.setattr(isaac, "HUNG_TIME", 0.2)
    environ = installation(tmp_path / "isaac", "hung")
    setup = Setup(
        backend="isaac",
        data=tmp_path,
        partial=tmp_path,
        fps={"push": 10},
        resolution=None,
        environments=1,
        threads=1,
        example=sample("push"),
    )
    exchange = Exchange(setup)
    command = [str(tmp_path / "isaac" / "isaaclab.sh"), "-p", "-m", "hpvqa.collect.child", exchange.address]
    child = isaac.IsaacChild(command, environ, tmp_path / "log")
    wait_for(lambda: exchange.replies(0.01) or child.ended() is not None)
    exchange.close()
    assert child.ended() == -signal.SIGTERM
    assert children(str(tmp_path / "isaac")) == []
