"""Sending to the Hub and fetching from it, with its real client, against a stand-in of its HTTP interface."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpvqa.errors import HpvqaError, RunError, UsageError
from hpvqa.hub.client import open_hub
from hpvqa.hub.parcel import pack
from hpvqa.hub.pull import Fetched, pull
from hpvqa.hub.push import push
from hpvqa.progress.events import Warn
from hpvqa.progress.reporter import Reporter
from hpvqa.vlm import embedded
from tests.build_data import hpvqa, make, tree
from tests.factories import copy, make_data, quiet
from tests.hub_server import BREAK, PASS, TOKEN, Hub, serving
from tests.recorder import Recorder

pytest.importorskip("huggingface_hub", reason="needs the extra hub")
REPO = "datasets/me/pushes"
ADAPTER = Path(embedded.__file__).parent / "adapter"
"""The one that comes with the package."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    make(make_data(folder / "data", push=2), folder / "dataset")
    return folder / "dataset"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub that this process's client takes for the real one, and whose client does not wait between tries."""
    from huggingface_hub import constants
    from huggingface_hub.utils import _http

    with serving() as found:
        monkeypatch.setattr(constants, "ENDPOINT", found.address)
        template = f"{found.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setattr(_http.time, "sleep", lambda seconds: None)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield found


def send(dataset: Path, *, replace: bool = False, public: bool = False, name: str = "me/pushes") -> str:
    return push(open_hub(), name, pack(dataset, quiet()), quiet(), replace=replace, public=public)


def fetch(out: Path, name: str = "me/pushes") -> Fetched:
    return pull(open_hub(), name, out, quiet())


def on_the_hub(hub: Hub, key: str = REPO) -> dict[str, bytes]:
    return {path: content for path, content in hub.repos[key].files.items() if path != ".gitattributes"}


@pytest.mark.slow
def test_a_data_set_is_sent_whole_and_comes_back_as_it_was(hub: Hub, dataset: Path, tmp_path: Path) -> None:
    assert send(dataset) == f"{hub.address}/{REPO}"
    assert on_the_hub(hub) == tree(dataset)
    assert hub.repos[REPO].private
    assert fetch(tmp_path / "back").kind == "data set"
    assert tree(tmp_path / "back") == tree(dataset)
    assert [path.name for path in tmp_path.iterdir()] == ["back"]
    assert hpvqa("verify", tmp_path / "back") == 0


def test_what_is_there_already_is_not_sent_again(hub: Hub, dataset: Path) -> None:
    send(dataset, public=True)
    assert not hub.repos[REPO].private
    hub.asked.clear()
    send(dataset)
    assert [line for line in hub.asked if "/storage/" in line or "/commit/" in line] == []
    assert hub.repos[REPO].commits == 1


def test_an_interrupted_sending_goes_on(hub: Hub, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpvqa.hub.push.PART", 5)
    hub.fail("/commit/", PASS)
    hub.fail("/commit/", 500)
    with pytest.raises(RunError, match="goes on where it stopped"):
        send(dataset)
    assert len(on_the_hub(hub)) == 5
    assert "manifest.json" not in on_the_hub(hub)
    send(dataset)
    assert on_the_hub(hub) == tree(dataset)
    sent = [line for line in hub.asked if "/storage/" in line]
    assert len(set(sent)) == len(sent)


def test_a_commit_that_is_too_large_is_sent_in_halves(hub: Hub, dataset: Path) -> None:
    hub.fail("/commit/", 413, times=2)
    send(dataset)
    assert on_the_hub(hub) == tree(dataset)
    assert hub.repos[REPO].commits == 3


def test_something_else_is_not_replaced_unasked(hub: Hub, dataset: Path, tmp_path: Path) -> None:
    send(dataset)
    hub.repos[REPO].files["notes.txt"] = b"mine"
    other = make(make_data(tmp_path / "data", push=2, seed=5), tmp_path / "other").out
    before = on_the_hub(hub)
    with pytest.raises(UsageError, match="holds something else already") as error:
        send(other)
    assert "--replace" in str(error.value)
    assert on_the_hub(hub) == before
    send(other, replace=True)
    assert on_the_hub(hub) == tree(other)


@pytest.mark.parametrize(
    ("pattern", "status", "kind", "words"),
    [
        ("create", 401, UsageError, "log in with `hf auth login`, or set HF_TOKEN"),
        ("create", 403, UsageError, "Your login may not do this"),
        ("preupload", 404, UsageError, "There is no me/pushes on the Hub"),
        ("GET /api/datasets", 500, RunError, r"The Hub failed \(500\)"),
        ("/commit/", 409, RunError, "Something else changed me/pushes"),
        ("/storage/", 413, RunError, "too large"),
        ("preupload", 429, RunError, "fewer requests"),
        ("preupload", 500, RunError, r"The Hub failed \(500\)"),
        ("/commit/", 422, RunError, r"refused \(422\)"),
        ("/commit/", BREAK, RunError, "broke off"),
        ("/storage/", BREAK, RunError, "broke off"),
    ],
)
@pytest.mark.slow
def test_what_goes_wrong_is_one_sentence_and_nothing_is_lost(
    pattern: str, status: int, kind: type[HpvqaError], words: str, hub: Hub, dataset: Path
) -> None:
    before = tree(dataset)
    hub.fail(pattern, status, 99)
    with pytest.raises(kind, match=words) as error:
        send(dataset)
    assert TOKEN not in str(error.value)
    assert "\n" not in str(error.value)
    assert tree(dataset) == before
    hub.faults.clear()
    send(dataset)
    assert on_the_hub(hub) == before


@pytest.mark.parametrize(
    ("pattern", "status", "words"),
    [
        ("GET /api/datasets", 401, "log in"),
        ("GET /api/datasets", 500, r"The Hub failed \(500\)"),
        ("(GET|HEAD) .*/resolve/.*parquet", 500, "The Hub failed|cannot be reached, or broke off"),
        ("(GET|HEAD) .*/resolve/.*mp4", BREAK, "broke off"),
    ],
)
@pytest.mark.slow
def test_a_fetching_that_breaks_off_goes_on(
    pattern: str, status: int, words: str, hub: Hub, dataset: Path, tmp_path: Path
) -> None:
    send(dataset)
    hub.fail(pattern, status, 99)
    with pytest.raises(HpvqaError, match=words) as error:
        fetch(tmp_path / "back")
    assert TOKEN not in str(error.value)
    assert not (tmp_path / "back").exists()
    there = {path for path in tree(tmp_path) if ".cache" not in path}
    hub.faults.clear()
    hub.asked.clear()
    fetch(tmp_path / "back")
    assert tree(tmp_path / "back") == tree(dataset)
    again = {line.partition("/resolve/")[2].partition("/")[2] for line in hub.asked if line.startswith("GET /datasets")}
    assert again.isdisjoint(path.removeprefix("back.partial/") for path in there)


def test_what_was_damaged_there_does_not_pass_for_a_data_set(hub: Hub, dataset: Path, tmp_path: Path) -> None:
    send(dataset)
    clip = next(path for path in hub.repos[REPO].files if path.endswith(".mp4"))
    whole = hub.repos[REPO].files[clip]
    hub.repos[REPO].files[clip] = whole[:-1]
    with pytest.raises(RunError, match="truncated"):
        fetch(tmp_path / "back")
    assert not (tmp_path / "back").exists()
    hub.repos[REPO].files[clip] = whole
    fetch(tmp_path / "back")
    assert tree(tmp_path / "back") == tree(dataset)


def test_names_that_lead_out_are_refused(hub: Hub, dataset: Path, tmp_path: Path) -> None:
    send(dataset)
    hub.repos[REPO].files["../out.txt"] = b"out"
    with pytest.raises(RunError, match="not to be trusted"):
        fetch(tmp_path / "in" / "back")
    assert tree(tmp_path) == {}


def test_nothing_is_fetched_over_what_is_there_nor_what_is_none_of_ours(
    hub: Hub, dataset: Path, tmp_path: Path
) -> None:
    send(dataset)
    (tmp_path / "mine").touch()
    with pytest.raises(UsageError, match="exists already"):
        fetch(tmp_path)
    del hub.repos[REPO].files["manifest.json"]
    with pytest.raises(UsageError, match="no data set that hpvqa has sent whole"):
        fetch(tmp_path / "back")
    with pytest.raises(UsageError, match="There is no me/nothing"):
        fetch(tmp_path / "back", "me/nothing")
    with pytest.raises(UsageError, match="is not a name on the Hub"):
        fetch(tmp_path / "back", "me/no thing")
    assert tree(tmp_path) == {"mine": b""}


def test_a_damaged_data_set_is_not_sent(hub: Hub, dataset: Path, tmp_path: Path) -> None:
    damaged = copy(dataset, tmp_path / "damaged")
    next(damaged.rglob("*.mp4")).unlink()
    with pytest.raises(RunError, match=r"is missing .* nothing was sent"):
        send(damaged)
    with pytest.raises(UsageError, match="neither a data set, an adapter, nor"):
        send(tmp_path)
    assert hub.asked == []


def test_a_report_becomes_a_static_space(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<!doctype html><title>Runs</title>")
    send(tmp_path / "report.html", name="me/runs")
    found = on_the_hub(hub, "spaces/me/runs")
    assert list(found) == ["README.md", "index.html"]
    assert found["index.html"] == (tmp_path / "report.html").read_bytes()
    assert b"sdk: static\n" in found["README.md"]
    assert fetch(tmp_path / "back", "me/runs").kind == "report"


def test_an_adapter_is_sent_without_its_checkpoints(hub: Hub, tmp_path: Path) -> None:
    adapter = copy(ADAPTER, tmp_path / "adapter")
    files = tree(adapter)
    (adapter / "checkpoint-3").mkdir()
    for name in ("checkpoint-3/optimizer.pt", ".lock", "README.md.partial"):
        (adapter / name).touch()
    send(adapter, name="me/adapter")
    assert on_the_hub(hub, "models/me/adapter") == files
    found = fetch(tmp_path / "back", "me/adapter")
    assert (found.kind, tree(tmp_path / "back")) == ("adapter", files)


def test_places_of_this_machine_in_an_adapter_are_pointed_out(tmp_path: Path) -> None:
    adapter = copy(ADAPTER, tmp_path / "adapter")
    told = Recorder()
    pack(adapter, Reporter([told], lambda: 0.0))
    assert told.of(Warn) == []
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": str(tmp_path)}))
    pack(adapter, Reporter([told], lambda: 0.0))
    (warning,) = told.of(Warn)
    assert warning.message.endswith(f"which others will read: {tmp_path}")


def command(hub: Hub | None, tmp_path: Path, *args: object) -> subprocess.CompletedProcess[str]:
    """The command as a user gives it, whose Hub is the stand-in, or nowhere."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.address if hub else "http://127.0.0.1:9",
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_TOKEN": TOKEN,
    }
    call = [sys.executable, "-m", "hpvqa", *map(str, args)]
    return subprocess.run(call, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_commands_send_and_fetch_and_print_no_token(hub: Hub, dataset: Path, tmp_path: Path) -> None:
    sent = command(hub, tmp_path, "push", "me/pushes", dataset)
    assert sent.returncode == 0, sent.stderr
    assert f"{hub.address}/{REPO}" in sent.stdout
    fetched = command(hub, tmp_path, "pull", "me/pushes", "--json")
    assert fetched.returncode == 0, fetched.stderr
    assert json.loads(fetched.stdout)["kind"] == "data set"
    assert tree(tmp_path / "pushes") == tree(dataset)
    for text in (sent.stdout, sent.stderr, fetched.stdout, fetched.stderr):
        assert TOKEN not in text


@pytest.mark.slow
def test_a_dry_run_lists_every_file_without_a_network(dataset: Path, tmp_path: Path) -> None:
    listed = command(None, tmp_path, "push", "me/pushes", dataset, "--dry-run", "--json")
    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)["files"] == {path: len(content) for path, content in tree(dataset).items()}
    failed = command(None, tmp_path, "push", "me/pushes", dataset)
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1 + failed.stderr.count("verify:"))
    assert "The Hub cannot be reached" in failed.stderr
