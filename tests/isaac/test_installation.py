"""Finding Isaac Sim, refusing what is not supported, and explaining why it ended."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import hpvqa
from hpvqa.collect.isaac import child_environment
from hpvqa.collect.process import clean_environment
from hpvqa.errors import UsageError
from hpvqa.sim.isaac import compat
from hpvqa.sim.isaac.discover import Installation, check, find
from hpvqa.sim.isaac.gpu import gpu_names, require_rtx
from hpvqa.sim.isaac.kit_log import FATAL, reason


def script(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    return path


def test_the_rules_hold_in_their_order(tmp_path: Path) -> None:
    home, root = tmp_path / "home", tmp_path / "root"
    places = [
        script(root / "isaac-sim", "python.sh"),
        script(home / "isaacsim", "python.sh"),
        script(tmp_path / "sim", "python.sh"),
        script(root / "workspace/isaaclab", "isaaclab.sh"),
        script(home / "IsaacLab", "isaaclab.sh"),
        script(tmp_path / "lab", "isaaclab.sh"),
        script(tmp_path / "named", "isaaclab.sh"),
    ]
    environ = {
        "HPVQA_ISAAC": str(tmp_path / "named"),
        "ISAACLAB_PATH": str(tmp_path / "lab"),
        "ISAACSIM_PATH": str(tmp_path / "sim"),
    }
    for path in reversed(places):
        found = find(environ, home, root)
        flags = ("-p",) if path.name == "isaaclab.sh" else ()
        assert found.command == (str(path), *flags)
        path.unlink()
        if path.parent.name == "named":
            del environ["HPVQA_ISAAC"]
    with pytest.raises(UsageError, match=r"No Isaac Sim was found; install Isaac Lab 2\.2 or 2\.3"):
        find(environ, home, root)


def test_a_python_can_be_named(tmp_path: Path) -> None:
    assert find({"HPVQA_ISAAC": sys.executable}, tmp_path).command == (sys.executable,)
    with pytest.raises(UsageError, match="which is not there"):
        find({"HPVQA_ISAAC": str(tmp_path / "nowhere")}, tmp_path)
    with pytest.raises(UsageError, match=r"contains neither isaaclab\.sh nor python\.sh"):
        find({"HPVQA_ISAAC": str(tmp_path)}, tmp_path)


def test_a_user_without_a_home_has_no_isaac_sim_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "isaac-sim").mkdir()
    (tmp_path / "isaac-sim" / "python.sh").touch()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert find({}, None, tmp_path).command == (str(tmp_path / "isaac-sim" / "python.sh"),)


def test_the_probe_runs_no_file_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('mine')")
    monkeypatch.chdir(tmp_path)
    # Which of both depends on the Python that runs the tests.
    with pytest.raises(UsageError, match=r"has no Isaac Lab|belongs to Isaac Lab 3"):
        check(Installation((sys.executable,), "this Python"))


def answering(output: str, code: int = 0, errors: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], code, output, errors)


def test_only_another_python_s_environment_is_cleaned() -> None:
    environ = {"PYTHONPATH": "/isaac-sim/python_packages", "ISAAC_PATH": "/isaac-sim", "HOME": "/home/me"}
    own = {"PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"}
    assert child_environment([sys.executable], environ) == {**environ, **own}
    assert child_environment(["/IsaacLab/isaaclab.sh", "-p"], environ) == {"HOME": "/home/me", **own}


def test_without_kit_the_child_s_threads_share_their_memory() -> None:
    """Else every batch would take some more, until there were as many arenas as threads at one time or another."""
    for command in ([sys.executable], ["/lab3/bin/python"]):
        assert child_environment(command, {}, "ovphysx")["MALLOC_ARENA_MAX"] == "1"
        assert child_environment(command, {"MALLOC_ARENA_MAX": "4"}, "ovphysx")["MALLOC_ARENA_MAX"] == "4"
        assert "MALLOC_ARENA_MAX" not in child_environment(command, {}, "isaacsim")


def test_libraries_are_kit_s_by_whole_folders() -> None:
    environ = {
        "ISAAC_PATH": "/opt/isaac-sim",
        "CARB_APP_PATH": "/opt/kit",
        "LD_LIBRARY_PATH": "/opt/isaac-sim-tools/lib:/opt/isaac-sim/lib:/opt/kit:/usr/lib/nvidia",
        "LD_PRELOAD": "/opt/isaac-sim/libcarb.so:/usr/lib/libgomp.so.1 /opt/kit/libjemalloc.so",
    }
    assert clean_environment(environ) == {
        "LD_LIBRARY_PATH": "/opt/isaac-sim-tools/lib:/usr/lib/nvidia",
        "LD_PRELOAD": "/usr/lib/libgomp.so.1",
        "PYTHONUNBUFFERED": "1",
    }
    assert clean_environment({"LD_PRELOAD": "/opt/kit/libcarb.so"})["LD_PRELOAD"] == "/opt/kit/libcarb.so"


GOOD = {"python": [3, 11], "lab": "2.3.2.post1", "has_lab": True, "hpvqa": hpvqa.__version__, "missing": []}
HERE = Installation(("/opt/isaaclab.sh", "-p"), "ISAACLAB_PATH")


@pytest.mark.parametrize(
    "change", [{}, {"lab": "0.54.2"}, {"lab": "0.44.9"}, {"lab": "2.2.0"}, {"lab": None, "python": [3, 10]}]
)
def test_supported_versions_pass(change: dict[str, object]) -> None:
    check(HERE, run=lambda *args, **options: answering("Isaac says hello\n" + json.dumps({**GOOD, **change})))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lab": "3.0.0"}, r"Isaac Lab 3.0.0 belongs to Isaac Lab 3, .*; use Isaac Lab 2.2 or 2.3"),
        ({"lab": "4.1.0", "python": [3, 12]}, "belongs to Isaac Lab 3"),
        ({"lab": None, "python": [3, 12]}, r"Python 3.12 belongs to Isaac Lab 3"),
        ({"python": [3, 7]}, r"Python 3.7 is too old"),
        ({"lab": "2.1.1"}, r"Isaac Lab 2.1.1 is too old; use Isaac Lab 2.2 or 2.3"),
        ({"lab": "0.40.2"}, r"Isaac Lab 0.40.2 is too old"),
        ({"has_lab": False, "lab": None}, r"has no Isaac Lab; install Isaac Lab 2.2"),
        ({"hpvqa": None}, r"lacks hpvqa; run: /opt/isaaclab.sh -p -m pip install -e /"),
        ({"missing": ["av", "pyarrow"]}, r"lacks av, pyarrow; run"),
        ({"hpvqa": "0.0.1"}, r"has hpvqa 0.0.1, this is .*; run"),
    ],
)
def test_what_is_wrong_is_a_sentence(change: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check(HERE, run=lambda *args, **options: answering(json.dumps({**GOOD, **change})))


GOOD_3 = {**GOOD, "python": [3, 12], "lab": "3.0.0"}


def test_without_isaac_sim_isaac_lab_3_is_needed() -> None:
    check(HERE, "ovphysx", lambda *args, **options: answering(json.dumps(GOOD_3)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"lab": "2.3.2", "python": [3, 11]},
            r"Isaac Lab 2\.3\.2 cannot compute without Isaac Sim; use Isaac Lab 3\.0",
        ),
        ({"python": [3, 11]}, r"Isaac Lab 3 needs Python 3\.12, this is 3\.11"),
        ({"python": [3, 13]}, r"Isaac Lab 3 needs Python 3\.12, this is 3\.13"),
        ({"lab": None, "has_lab": False}, r"This Python has no Isaac Lab; use Isaac Lab 3\.0, with ovphysx"),
        ({"lab": "3.1.0"}, r"Isaac Lab 3\.1\.0 was not tried"),
        ({"missing": ["ovphysx", "ovstage"]}, r"lacks ovphysx, ovstage; use Isaac Lab 3\.0, with ovphysx"),
        ({"missing": ["mujoco_usd_converter"]}, "lacks mujoco-usd-converter; use"),
        ({"hpvqa": None}, r"lacks hpvqa; run: /opt/isaaclab.sh -p -m pip install -e /"),
    ],
)
def test_what_is_wrong_with_isaac_lab_3_is_a_sentence(change: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check(HERE, "ovphysx", lambda *args, **options: answering(json.dumps({**GOOD_3, **change})))


def test_what_make_isaac_made_is_found_where_isaac_sim_is_not_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    made = tmp_path / "bin" / "python"
    with pytest.raises(UsageError, match="No Isaac Lab 3 was found; run `make isaac` in a checkout"):
        find({}, None, tmp_path, "ovphysx", made)
    made.parent.mkdir()
    made.touch()
    assert find({}, None, tmp_path, "ovphysx", made) == Installation((str(made),), "make isaac")
    with pytest.raises(UsageError, match="No Isaac Sim was found"):
        find({}, None, tmp_path, "isaacsim", made)
    named = {"HPVQA_ISAAC": sys.executable}
    assert find(named, None, tmp_path, "ovphysx", made).command == (sys.executable,)


def test_a_python_that_does_not_start_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not start: no such conda"):
        check(HERE, run=lambda *args, **options: answering("", 1, "hm\nno such conda\n"))
    with pytest.raises(UsageError, match="does not start"):
        check(Installation((str(tmp_path / "gone"),), "x"))


def test_a_real_python_answers() -> None:
    said = "has no Isaac Lab" if sys.version_info < (3, 12) else "belongs to Isaac Lab 3"
    with pytest.raises(UsageError, match=said):
        check(Installation((sys.executable,), "this Python"))


@pytest.mark.parametrize(
    "name", ["NVIDIA GeForce RTX 4090", "NVIDIA RTX A6000", "NVIDIA L40S", "Tesla T4", "NVIDIA A10G", "NVIDIA A40"]
)
def test_gpus_with_ray_tracing_pass(name: str) -> None:
    require_rtx([name])


@pytest.mark.parametrize(
    "name",
    [
        "NVIDIA A100-SXM4-80GB",
        "NVIDIA H100 PCIe",
        "NVIDIA H200",
        "NVIDIA B200",
        "Tesla V100-PCIE",
        "NVIDIA GeForce GTX 1080",
    ],
)
def test_gpus_without_ray_tracing_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="has no ray tracing cores"):
        require_rtx([name])
    require_rtx([name, "NVIDIA RTX 6000 Ada Generation"])


def test_no_gpu_is_a_sentence() -> None:
    def missing(*args: object, **options: object) -> subprocess.CompletedProcess[str]:
        raise FileNotFoundError("nvidia-smi")

    assert gpu_names(missing) == []
    assert gpu_names(lambda *args, **options: answering("", 9)) == []
    assert gpu_names(lambda *args, **options: answering("NVIDIA L4\nNVIDIA L4\n")) == ["NVIDIA L4", "NVIDIA L4"]
    with pytest.raises(UsageError, match="No NVIDIA GPU was found"):
        require_rtx([])


STAMP = "2025-02-13 12:01:23 [10,436ms] [Error]"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            f"{STAMP} [carb.graphics-vulkan.plugin] VkResult: ERROR_OUT_OF_DEVICE_MEMORY",
            "does not hold 16 environments",
        ),
        (
            f"{STAMP} [carb.cudainterop.plugin] CUDA error 2: cudaErrorMemoryAllocation - out of memory)",
            "fewer --num-envs",
        ),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 160.00 MiB", "fewer --num-envs"),
        (f"{STAMP} [carb.graphics-vulkan.plugin] VkResult: ERROR_INCOMPATIBLE_DRIVER", "driver does not suit"),
        (f"{STAMP} [gpu.foundation.plugin] No device could be created. Some known system issues:", "no GPU with ray"),
        (
            "The NVIDIA Isaac Sim Additional Software and Materials License must be accepted before",
            "licence has not been",
        ),
        ("MemoryError", "this machine's memory does not hold 16 environments"),
        ("RuntimeError: Failed to allocate 806400000 bytes on device 'cpu'", "fewer --num-envs"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ModuleNotFoundError: No module named 'toml'", "No module named 'toml'"),
        (f"{STAMP} [gpu.foundation.plugin] A GPU crash occurred. Exiting the application...", "GPU crashed"),
        ("[Warning] [carb.crashreporter-breakpad.plugin] [crash] A crash has occurred.", "Kit crashed"),
        ("ValueError: something else", "ValueError: something else"),
        ("all is well", "it gave no reason"),
    ],
)
def test_kit_s_log_tells_why_it_ended(line: str, words: str) -> None:
    log = f"[1.381s] [ext: omni.materialx.libs-1.0.7] startup\n{line}\n[2.0s] [ext: x] shutdown\n"
    assert words in reason(log, 16, 1)


@pytest.mark.parametrize("code", [-9, 137])
def test_a_child_that_was_killed_most_likely_had_no_memory_left(code: int) -> None:
    assert "memory ran out; use fewer --num-envs" in reason("[Warning] all is well\n", 16, code)
    assert "disk is full" in reason("OSError: [Errno 28] No space left on device", 16, code)


def test_a_lost_gpu_is_fatal() -> None:
    assert FATAL.search(f"{STAMP} [carb.graphics-vulkan.plugin] VkResult: ERROR_OUT_OF_DEVICE_MEMORY")
    assert not FATAL.search("[Warning] something may run out of memory")


def test_isaac_lab_1_is_found_under_the_newer_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "omni" / "isaac" / "lab" / "sim"
    old.mkdir(parents=True)
    (old.parent / "__init__.py").write_text("VERSION = 1\n")
    (old / "__init__.py").write_text("class CuboidCfg: pass\n")
    before = set(sys.modules)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        compat.activate()
        modern = importlib.import_module("isaaclab.sim")
        original = importlib.import_module("omni.isaac.lab.sim")
        assert modern.CuboidCfg is original.CuboidCfg
        assert modern is original
        assert original.__spec__ is not None
        assert original.__spec__.name == "omni.isaac.lab.sim"
        assert importlib.import_module("isaaclab").VERSION == 1
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("isaaclab.nothing")
    finally:
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in {"isaaclab", "omni"}:
                del sys.modules[name]


def test_without_isaac_lab_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "_exists", lambda name: False)
    with pytest.raises(UsageError, match="has no Isaac Lab"):
        compat.activate()
