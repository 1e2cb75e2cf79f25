"""Finding, fetching and checking the robot's meshes. Fetching goes through a real pip and a tiny wheel in a folder."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from hpvqa.errors import RunError, UsageError
from hpvqa.main import main
from hpvqa.resources import default_cache
from hpvqa.sim.mujoco import assets

MODEL = b'<mujoco><mesh file="arm/a.obj"/><mesh name="b" file="hand/b.stl"/><mesh file="arm/a.obj"/></mujoco>'
FILES = {"panda.xml": MODEL, "arm/a.obj": b"v 0 0 0\n", "hand/b.stl": b"solid\n"}


def make_model(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def make_wheel(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / assets.WHEEL
    info = f"gym_hil-{assets.VERSION}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"gym_hil/assets/{name}", data)
        archive.writestr("gym_hil/assets/unused.obj", b"unused")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: gym-hil\nVersion: {assets.VERSION}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from, and from nowhere else; gym-hil is not installed."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(assets, "_installed", lambda: None)
    return folder


@pytest.fixture
def wheel(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The expected wheel, in that folder."""
    wheel = make_wheel(index)
    monkeypatch.setattr(assets, "WHEEL_SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    monkeypatch.setattr(assets, "MODEL_DIGEST", assets.model_digest(make_model(tmp_path / "expected")))
    return wheel


def left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.name != ".lock")


def test_the_pinned_model_is_the_one_that_is_used() -> None:
    # Whatever way the meshes came to this machine: these are the bytes that results were made with.
    folder = assets.robot_dir(default_cache(os.environ))
    assert assets.model_digest(folder) == assets.MODEL_DIGEST
    names = assets.mesh_files((folder / "panda.xml").read_bytes())
    assert len(names) == 67
    assert any("link7" in name for name in names)
    assert any("2f85" in name for name in names)


def test_fetches_only_what_the_model_names(wheel: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    folder = assets.robot_dir(cache)
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == FILES
    assert left_in(cache) == [folder.name]


def test_fetches_once_and_says_so(wheel: Path, tmp_path: Path) -> None:
    said: list[str] = []
    folder = assets.robot_dir(tmp_path / "cache", tell=said.append)
    wheel.unlink()
    assert assets.robot_dir(tmp_path / "cache", fetch=False, tell=said.append) == folder
    (sentence,) = said
    assert sentence.startswith("Fetching the robot's meshes")


def test_two_at_once_share_one_copy(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    download, wheels = assets._download, []

    def download_slowly(destination: Path) -> Path:
        time.sleep(0.2)
        wheels.append(download(destination))
        return wheels[-1]

    monkeypatch.setattr(assets, "_download", download_slowly)
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(assets.robot_dir(tmp_path / "cache"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0] == found[1]
    assert len(wheels) == 1
    assert left_in(tmp_path / "cache") == [found[0].name]


def test_what_a_killed_process_left_is_removed(wheel: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    make_model(cache / ".fetch-abc" / "robot")
    folder = assets.robot_dir(cache)
    assert left_in(cache) == [folder.name]


def test_a_wheel_with_another_checksum_is_refused(wheel: Path, tmp_path: Path) -> None:
    make_wheel(wheel.parent, {**FILES, "hand/b.stl": b"other"})
    with pytest.raises(RunError, match="another checksum"):
        assets.robot_dir(tmp_path / "cache")
    assert left_in(tmp_path / "cache") == []


def test_pip_that_finds_nothing_gives_one_sentence(index: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"pip could not fetch .* run `hpvqa assets`") as caught:
        assets.robot_dir(tmp_path / "cache")
    assert "\n" not in str(caught.value)
    assert left_in(tmp_path / "cache") == []


def test_an_exception_of_pip_is_named_by_its_last_line() -> None:
    said = "ERROR: Exception:\nTraceback (most recent call last):\n  ...\nOSError: [Errno 28] No space left on device\n"
    assert assets._reason(said) == "OSError: [Errno 28] No space left on device"
    assert (
        assets._reason("ERROR: first\nERROR: No matching distribution\nWARNING: old pip\n")
        == "No matching distribution"
    )
    assert assets._reason(" \n") == "no reason given"


def test_a_cache_that_cannot_be_written_is_named(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(RunError, match=r"cannot be written to .*cache: .*; mend that, or name another .* HPVQA_CACHE"):
        assets.robot_dir(tmp_path / "cache")


def test_pip_runs_no_file_of_the_working_folder(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token.py").write_text("raise SystemExit('mine')")
    monkeypatch.chdir(tmp_path)
    assert assets.robot_dir(tmp_path / "cache").is_dir()


def test_a_python_without_pip_gives_one_sentence(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(RunError, match="has no pip"):
        assets.robot_dir(tmp_path / "cache")


def test_after_looking_for_pip_setuptools_can_be_imported(index: Path, tmp_path: Path) -> None:
    # Engines import it later in the same process.
    code = """
import sys
from pathlib import Path
from hpvqa.errors import RunError
from hpvqa.sim.mujoco import assets
assets._installed = lambda: None
try:
    assets.robot_dir(Path(sys.argv[1]))
except RunError as error:
    print(error)
try:
    import setuptools
except ModuleNotFoundError:
    pass
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "cache"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "pip could not fetch" in done.stdout


def test_missing_meshes_are_not_fetched_when_they_should_not(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run `hpvqa assets`"):
        assets.robot_dir(tmp_path / "cache", fetch=False)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("damage", ["truncated", "missing"])
def test_a_damaged_cache_is_named(wheel: Path, tmp_path: Path, damage: str) -> None:
    folder = assets.robot_dir(tmp_path / "cache")
    mesh = folder / "arm" / "a.obj"
    if damage == "truncated":
        mesh.write_bytes(b"v 0")
    else:
        mesh.unlink()
    with pytest.raises(UsageError, match=f"{folder} are damaged"):
        assets.robot_dir(tmp_path / "cache")


def test_another_version_that_is_installed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_installed", lambda: make_model(tmp_path / "gym_hil"))
    with pytest.raises(UsageError, match=r"not that of 0\.1\.14; run: .* --no-deps gym-hil==0\.1\.14"):
        assets.robot_dir(tmp_path / "cache")


def test_an_installed_copy_is_found_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "gym_hil"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('it must not be imported')")
    monkeypatch.syspath_prepend(str(package.parent))
    assert assets._installed() == package / "assets"


def test_the_digest_covers_names_and_bytes(tmp_path: Path) -> None:
    digests = {assets.model_digest(make_model(tmp_path / "same")), assets.model_digest(make_model(tmp_path / "again"))}
    assert len(digests) == 1
    for name in FILES:
        folder = make_model(tmp_path / f"changed {name.replace('/', ' ')}")
        (folder / name).write_bytes(FILES[name] + b" ")
        digests.add(assets.model_digest(folder))
    assert len(digests) == 4


@pytest.mark.parametrize("name", ["../outside.obj", "/etc/passwd", "arm/../../outside.obj", "..\\outside.obj"])
def test_a_model_cannot_name_files_outside_of_its_folder(name: str, tmp_path: Path) -> None:
    model = f'<mesh file="{name}"/>'.encode()
    with pytest.raises(ValueError, match="outside"):
        assets.mesh_files(model)
    assert assets.model_digest(make_model(tmp_path, {"panda.xml": model})) is None


def test_nothing_is_extracted_from_a_wheel_that_names_files_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path / "index", {"panda.xml": b'<mesh file="../../evil"/>', "../../evil": b"evil"})
    monkeypatch.setattr(assets, "WHEEL_SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    with pytest.raises(ValueError, match="outside"):
        assets.extract_model(wheel, tmp_path / "cache" / "robot")
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HPVQA_CACHE": "/data/cache", "XDG_CACHE_HOME": "/xdg"}, Path("/data/cache")),
        ({"XDG_CACHE_HOME": "/xdg"}, Path("/xdg/hpvqa")),
        ({"XDG_CACHE_HOME": "relative"}, Path.home() / ".cache" / "hpvqa"),
        ({}, Path.home() / ".cache" / "hpvqa"),
    ],
)
def test_default_cache(environ: dict[str, str], expected: Path) -> None:
    assert default_cache(environ) == expected


def test_a_user_without_a_home_must_name_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    with pytest.raises(UsageError, match="HPVQA_CACHE"):
        default_cache({})
    assert default_cache({"HPVQA_CACHE": "/cache"}) == Path("/cache")


def test_command_prints_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as plain:
        main(["assets"])
    folder = Path(capsys.readouterr().out.strip())
    with pytest.raises(SystemExit) as as_json:
        main(["assets", "--json"])
    assert plain.value.code == as_json.value.code == 0
    assert (folder / "panda.xml").is_file()
    assert json.loads(capsys.readouterr().out) == {"folder": str(folder), "wheel": "gym-hil==0.1.14"}


def test_command_without_network_exits_with_1(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HPVQA_CACHE", str(tmp_path / "cache"))
    with pytest.raises(SystemExit) as caught:
        main(["assets"])
    assert caught.value.code == 1
    assert "Error: pip could not fetch the robot's meshes" in capsys.readouterr().err
