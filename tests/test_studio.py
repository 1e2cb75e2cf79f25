"""The studio's pages: what they say of episodes and runs, who may read them, and that they are whole as files."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import pytest

from hpvqa.dataset.load import Dataset
from hpvqa.errors import RunError, UsageError
from hpvqa.files import file_record
from hpvqa.progress.events import Done
from hpvqa.progress.reporter import JsonLines, Reporter
from hpvqa.record.episode import read_episode
from hpvqa.sim.planner import Planner
from hpvqa.studio.answers import Answers
from hpvqa.studio.force import soft_force
from hpvqa.studio.progress import Progress
from hpvqa.studio.server import open_server
from hpvqa.studio.site import Site
from hpvqa.studio.source import open_source
from hpvqa.studio.training import check_trainings
from hpvqa.studio.writing import write_site
from hpvqa.tasks import TASKS
from tests.eval_runs import hpvqa
from tests.factories import copy, make_data, make_original, make_spec, quiet
from tests.patience import PATIENCE
from tests.report_runs import append, left, make_dataset, make_prediction, make_run, truth

PUSH = "push/000/episode-000001"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("studio"), push=8, drop=4)


@pytest.fixture(scope="module")
def runs(dataset: Dataset) -> list[Path]:
    folder = dataset.root.parent
    return [make_run(folder / "left", dataset, say=left), make_run(folder / "truth", dataset, say=truth)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with an episode that failed, one whose record is damaged, and one without a clip."""
    folder = make_data(tmp_path / "data", push=4, failed=[("push", 2)])
    (folder / "push/000/episode-000003/episode.json").write_text('{"schema_version": 2}')
    next((folder / "push/000/episode-000000").glob("*.mp4")).unlink()
    return folder


def site_of(path: Path, *runs: Path, live: bool = False) -> Site:
    source = open_source(path)
    site = Site(source, Answers(runs, [source.root]), live=live)
    site.read(quiet())
    return site


def given(site: Site, address: str) -> Any:
    """What a script hands to the page."""
    content = site.get(address)
    assert content is not None
    assert isinstance(content.body, bytes)
    match = re.fullmatch(r'studio\.give\(("[^\n]*"), ("[^\n]*")\);\n', content.body.decode())
    assert match is not None
    return json.loads(json.loads(match[2]))


def test_the_grid_says_what_there_is_and_who_was_wrong(dataset: Dataset, runs: list[Path]) -> None:
    index = given(site_of(dataset.root, *runs), "data/index.js")
    assert [run["name"] for run in index["runs"]] == ["left", "truth"]
    assert len(index["episodes"]) == 12
    # Not in that of a set, which changes from process to process.
    assert list(index["tasks"]) == list(dict.fromkeys(one["task"] for one in index["episodes"]))
    assert {one["split"] for one in index["episodes"]} == {"train", "eval"}
    for one in index["episodes"]:
        assert one["verdicts"] == ["11" if one["answer"] == "left" else "00", "11"]


def test_runs_are_about_the_episodes_that_the_data_set_was_built_from(dataset: Dataset, runs: list[Path]) -> None:
    data = dataset.root.parent / "data"
    episodes = given(site_of(data, runs[0]), "data/index.js")["episodes"]
    assert {(one["verdicts"][0] == "11") == (one["answer"] == "left") for one in episodes} == {True}
    # A run is shown with its own data set, and an episode alone as well.
    assert given(site_of(runs[0], runs[0]), "data/index.js")["title"] == "dataset"
    (alone,) = given(site_of(data / PUSH, runs[0]), "data/index.js")["episodes"]
    assert alone["verdicts"][0] in ("11", "00")
    other = make_data(dataset.root.parent / "other", seed=4, push=1)
    assert given(site_of(other, runs[0]), "data/index.js")["episodes"][0]["verdicts"] == ["--"]


def test_an_episode_is_told_whole(dataset: Dataset, runs: list[Path]) -> None:
    site = site_of(dataset.root.parent / "data", *runs)
    shown, spec = given(site, f"data/{PUSH}.js"), make_spec("push", 1)
    assert [clip["file"] for clip in shown["clips"]] == [f"{PUSH}/{camera.name}.mp4" for camera in spec.cameras]
    assert [event["t"] for event in shown["events"]] == [1.0, 3.0]
    assert shown["events"][0]["words"] == f"{spec.order[0]} touched"
    assert {line["name"] for line in shown["charts"][0]["lines"]} == {"left", "right"}
    assert all(len(line["values"]) == shown["frames"] for chart in shown["charts"] for line in chart["lines"])
    charts = {chart["title"]: {line["name"] for line in chart["lines"]} for chart in shown["charts"]}
    assert charts["gripper behind its command [cm]"] == {"x", "y", "z"}
    assert charts["gripper closed, 0 to 1"] == {"closed", "commanded"}
    assert len(shown["times"]) == shown["frames"]
    assert shown["trouble"] == []
    assert ["Mass, left", f"{spec.thing('left').mass:.2f} kg"] in shown["truth"]["facts"]
    assert [step["t"] for step in shown["plan"]] == sorted(step["t"] for step in shown["plan"])
    answers = shown["answers"]
    assert {(one["run"], one["camera"]) for one in answers} == {(run, c.name) for run in (0, 1) for c in spec.cameras}
    assert {one["said"] for one in answers if one["run"] == 0} == {"left"}
    assert answers[0]["pLeft"] == pytest.approx(8 / 9)


@pytest.mark.parametrize("task", TASKS)
def test_the_force_is_what_the_spring_of_the_arm_pulls(task: str, data: Path) -> None:
    record = read_episode(data / PUSH)
    record = record.model_copy(update={"spec": make_spec(task, 0)})
    planner = Planner(TASKS[task].waypoints(record.spec))
    times = np.arange(0.0, planner.duration, 0.005)
    commands = [planner.command(time) for time in times.tolist()]
    away = np.array([0.01, -0.02, 0.03])
    rows = {f"ee_{axis}": np.array([one.position[i] for one in commands]) - away[i] for i, axis in enumerate("xyz")}
    force = soft_force(record, {"time": times, **rows})
    soft = [number for number, one in enumerate(commands) if one.gains is not None]
    assert sorted(set(np.flatnonzero(np.isfinite(force[0])).tolist())) == soft
    pull = np.array([one.gains.stiffness * away for one in commands if one.gains is not None]).reshape(-1, 3)
    # Where one movement ends and another begins, differences of places are no speeds.
    assert not soft or np.median(np.abs(force.T[soft] - pull)) < 0.05


def test_nothing_but_the_truth_of_a_page_tells_hidden_values(dataset: Dataset) -> None:
    shown = given(site_of(dataset.root.parent / "data"), f"data/{PUSH}.js")
    del shown["truth"]
    mass = make_spec("push", 1).thing("left").mass
    assert f"{mass:.2f}" not in json.dumps({name: shown[name] for name in ("things", "plan", "facts", "events")})
    assert shown.keys() & {"answer", "values", "gap"} == set()


def test_bad_episodes_are_named_and_shown_as_such(data: Path) -> None:
    site = site_of(data)
    episodes = given(site, "data/index.js")["episodes"]
    assert [one["state"] for one in episodes] == ["ok", "ok", "failed", "damaged"]
    assert episodes[2]["why"] == "made to fail"
    assert "is damaged" in episodes[3]["why"]
    assert str(data) not in json.dumps(episodes)
    assert given(site, "data/push/000/episode-000003.js")["trouble"] == [episodes[3]["why"]]
    # Parts that are damaged are told apart from the rest, which is shown.
    folder = data / PUSH
    (folder / "trajectory.parquet").write_bytes(b"PAR1")
    record = json.loads((folder / "episode.json").read_text())
    (folder / "episode.json").write_text(json.dumps({**record, "duration": 1.0}))
    for clip in folder.glob("*.mp4"):
        clip.write_bytes(b"no clip")
    site.read(quiet())
    shown = given(site, f"data/{PUSH}.js")
    assert "was changed after it was recorded" in shown["trouble"][0]
    assert "cannot be read" in shown["trouble"][1]
    assert str(data) not in json.dumps(shown)
    assert shown["plan"]
    assert site.get(f"pictures/{PUSH}.jpg") is None
    # A record that is valid, and makes no sense.
    record["spec"]["things"] = record["spec"]["things"][:1]
    record["spec"]["order"] = ["left"]
    (folder / "episode.json").write_text(json.dumps(record))
    assert site.read(quiet())[1].state == "damaged"


def test_a_data_set_without_records_is_shown_too(tmp_path: Path) -> None:
    make_original(tmp_path / "original", "push", dict.fromkeys(range(4), "Left."))
    assert hpvqa("build", "--import", tmp_path / "original", "--out", tmp_path / "set") == 0
    site = site_of(tmp_path / "set")
    one = given(site, "data/index.js")["episodes"][0]
    shown = given(site, f"data/{one['key']}.js")
    assert len(shown["clips"]) == 2
    assert shown["truth"]["answer"] == "left"
    assert "charts" not in shown
    assert site.get(f"pictures/{one['key']}.jpg") is not None


def test_what_is_collected_and_answered_meanwhile_is_shown(dataset: Dataset, tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", push=1)
    run = make_run(tmp_path / "run", dataset, say=left)
    site = site_of(data, run, live=True)
    assert len(given(site, "data/index.js")["episodes"]) == 1
    shutil.copytree(dataset.root.parent / "data/push/000/episode-000002", data / "push/000/episode-000002")
    rows = dataset.comparisons("train") + dataset.comparisons("eval")
    row = next(row for row in rows if (row.task, row.episode) == ("push", 2))
    append(run, make_prediction(row, "right" if row.answer == "left" else "left"))
    second = given(site, "data/index.js")["episodes"][1]
    assert second["number"] == 2
    assert "0" in second["verdicts"][0]


def test_a_training_is_followed_line_by_line(data: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    with pytest.raises(UsageError, match=r"is no training: it has no metrics\.jsonl"):
        check_trainings([adapter])
    metrics = adapter / "metrics.jsonl"
    metrics.write_text(
        '{"step": 1, "loss": 0.7}\n{"step": 2, "eval_loss": 0.5}\n[1]\n{"step": 3, "loss": 0.6}\n{"step": 4, "lo'
    )
    check_trainings([adapter])
    site = Site(open_source(data), Answers((), ()), [adapter], live=True)
    (found,) = given(site, "data/index.js")["trainings"]
    assert found["name"] == "adapter"
    assert [chart["points"] for chart in found["charts"]] == [[[1, 0.7], [3, 0.6]], [[2, 0.5]]]
    with metrics.open("a") as file:
        file.write('ss": 0.1}\n')
    (found,) = given(site, "data/index.js")["trainings"]
    assert found["charts"][0]["points"][-1] == [4, 0.1]


def test_a_line_without_an_end_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "progress.jsonl"
    file.write_bytes(b"x" * (9 << 20))
    progress = Progress(file)
    assert progress.now()["total"] == 0
    assert len(progress._rest) < 2 << 20
    with file.open("ab") as more:
        more.write(b"\n")
    reporter = Reporter([JsonLines(file)], itertools.count(100.0).__next__)
    reporter.start("build", "rows", 7)
    assert progress.now()["total"] == 7


def test_progress_is_followed_as_it_is_written(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "progress.jsonl"
    site = Site(open_source(data), Answers((), ()), progress=[file], live=True)

    def work() -> dict[str, Any]:
        (found,) = given(site, "data/index.js")["work"]
        return {name: found[name] for name in ("activity", "done", "total", "text", "status", "said", "trouble")}

    nothing = {"activity": "", "done": 0, "total": 0, "text": "", "status": None, "said": None, "trouble": None}
    assert work() == {**nothing, "trouble": "there is no such file yet"}
    sink = JsonLines(file)
    reporter = Reporter([sink], itertools.count(100.0).__next__)
    assert work() == nothing
    reporter.start("collect", "episodes", 3, 1)
    reporter.item("push/000/episode-000000")
    reporter.note("a <b>note</b>")
    going = {"activity": "collect", "done": 2, "total": 3, "status": None, "trouble": None}
    assert work() == {**going, "text": "2/3 episodes, 1.0 episodes/s, 0:00:00 left", "said": "a <b>note</b>"}
    with file.open("ab") as more:
        more.write(b'{"event": "what is this?"}\n[1]\n{"event": "item", "time": "never"}\n{"event": "no')
    assert work()["done"] == 2
    with file.open("ab") as more:
        more.write(b'te", "time": 110, "message": "whole now", "new": 1}\n')
    assert work()["said"] == "whole now"
    done = Done(time=111, status="failed", message="the disk is full", done=2, total=3, seconds=11)
    with file.open("a") as more:
        more.write(done.model_dump_json() + "\n")
    assert (work()["status"], work()["said"]) == ("failed", "the disk is full")
    sink.close()
    # The same command again begins the file anew.
    sink = JsonLines(file)
    Reporter([sink], lambda: 200.0).start("eval", "rows", 7)
    assert work() == {**nothing, "activity": "eval", "total": 7, "text": "0/7 rows"}
    sink.close()


@pytest.fixture
def served(data: Path) -> Iterator[str]:
    server = open_server(site_of(data, live=True), 0)
    server.start("test")
    yield urlsplit(server.url).netloc
    server.stop()


def ask(place: str, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(place, timeout=PATIENCE)
    try:
        connection.request(method, path, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.read(), dict(reply.getheaders())
    finally:
        connection.close()


def test_it_serves_pages_and_parts_of_clips(served: str, data: Path) -> None:
    status, page, headers = ask(served, "/")
    assert status == 200
    assert b"hpvqa studio" in page
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    clip = next((data / PUSH).glob("*.mp4"))
    path, whole = f"/clips/{PUSH}/{quote(clip.name)}", clip.read_bytes()
    size = len(whole)
    assert ask(served, path)[:2] == (200, whole)
    assert ask(served, path, "HEAD")[:2] == (200, b"")
    for asked, part in (("0-0", whole[:1]), ("10-", whole[10:]), ("-7", whole[-7:]), (f"5-{size + 9}", whole[5:])):
        status, body, headers = ask(served, path, Range=f"bytes={asked}")
        assert (status, body) == (206, part)
        assert headers["Content-Range"].endswith(f"/{size}")
    for asked in (f"{size}-", "9-3", "-0"):
        assert ask(served, path, Range=f"bytes={asked}")[0] == 416
    for asked in ("bytes=-", "bytes=0-1,3-4", "lines=1-2", "bytes=1-x"):
        assert ask(served, path, Range=asked)[:2] == (200, whole)
    assert ask(served, f"/pictures/{PUSH}.jpg")[1].startswith(b"\xff\xd8")


def test_a_large_clip_is_sent_in_parts(served: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = next((data / PUSH).glob("*.mp4"))
    path, whole = f"/clips/{PUSH}/{quote(clip.name)}", clip.read_bytes()
    monkeypatch.setattr("hpvqa.studio.server._PART", 100)
    status, body, headers = ask(served, path, Range="bytes=10-")
    assert (status, body) == (206, whole[10:110])
    assert headers["Content-Range"] == f"bytes 10-109/{len(whole)}"
    assert ask(served, path)[:2] == (200, whole)
    assert ask(served, path, Range="bytes=0-499")[1] == whole[:500]


def test_no_path_leads_out(served: str, data: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_text("secret")
    (data / PUSH / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    for path in (
        "/clips/../secret.mp4",
        "/clips/..%2fsecret.mp4",
        f"/clips/{PUSH}/../../../../secret.mp4",
        f"/clips/{PUSH}/link.mp4",
        f"/clips/{PUSH}/episode.json",
        "/clips//etc/passwd",
        "/%00",
        "/data/../hpvqa.json",
        "/data/.js",
        "/pictures/.jpg",
        "/clips/",
        "/site.py",
        "/clips/%ff%fe",
        "//[bad",
        "/" + "a/" * 3000,
    ):
        assert ask(served, path)[0] in (400, 404), path
    # A clip that is recorded, and has become a link to somewhere else.
    clip = next(path for path in (data / PUSH).glob("*.mp4") if path.name != "link.mp4")
    clip.unlink()
    clip.symlink_to(tmp_path / "secret.mp4")
    assert ask(served, f"/clips/{PUSH}/{clip.name}")[0] == 404
    for method in ("POST", "PUT", "DELETE"):
        assert ask(served, "/", method)[0] == 501


def test_only_this_machine_may_ask(served: str) -> None:
    for foreign in ({"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example"}, {"Origin": "http://evil.example"}):
        for path in ("/", "/data/index.js", f"/pictures/{PUSH}.jpg"):
            status, body, _ = ask(served, path, **foreign)
            assert (status, body) == (403, b"Only this machine may ask, by the name 127.0.0.1")
    with pytest.raises(RunError, match="choose another --port"):
        open_server(Site(None, None, live=False), int(served.rpartition(":")[2]))  # type: ignore[arg-type]


def test_the_files_are_whole_and_name_no_place(dataset: Dataset, runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "pages"
    site = site_of(dataset.root, *runs)
    written = write_site(site, out, quiet())
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert files == set(site.addresses())
    assert (written.files, written.missing) == (len(files), ())
    assert (out / "clips/train" / PUSH).is_dir() or (out / "clips/eval" / PUSH).is_dir()
    text = "".join(path.read_text() for path in out.rglob("*") if path.suffix in (".js", ".html", ".css"))
    assert re.findall(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9][^\s\"]*", text) == []
    names = re.findall(r'(?:src|href)="([^"]+)"', (out / "index.html").read_text())
    assert {name for name in names if not name.startswith("data:")} <= files
    with pytest.raises(UsageError, match="exists already"):
        write_site(site, out, quiet())
    with pytest.raises(UsageError, match="which is only read"):
        write_site(site, dataset.root / "pages", quiet())


def test_what_is_missing_is_left_out_and_told(data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert hpvqa("studio", data, "--out", tmp_path / "pages") == 0
    said = capfd.readouterr()
    assert said.out == f"{tmp_path / 'pages/index.html'} shows 4 episodes; open it in a browser\n"
    assert "is missing or cannot be read" in said.err
    assert not (tmp_path / "pages.partial").exists()


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["nowhere"], 2, "There is no data folder or data set or episode or run"),
        (["data", "--run", "data"], 2, "is not a run"),
        (["data", "--out", "data/hpvqa.json"], 2, "is a file; choose another place"),
        (["data", "--progress-file", "x", "--out", "y"], 2, "for pages that follow, and files do not"),
        (["run"], 2, "is not where it was; say where: hpvqa studio DATASET --run"),
    ],
)
def test_wrong_calls_are_answered_in_a_sentence(
    args: list[str],
    code: int,
    message: str,
    data: Path,
    runs: list[Path],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(data.parent)
    run = copy(runs[0], data.parent / "run")
    settings = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**settings, "dataset": "gone"}))
    assert hpvqa("studio", *args) == code
    said = capfd.readouterr().err
    assert message in said
    assert "Traceback" not in said


def test_a_data_set_whose_rows_lead_out_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    root = copy(dataset.root, tmp_path / "set")
    path = root / "eval/metadata.jsonl"
    path.write_text(path.read_text().replace("push/000/episode", "../../push/episode"))
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["files"]["eval/metadata.jsonl"] = file_record(path).model_dump()
    (root / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match="leads out of its folder"):
        site_of(root)


@pytest.mark.slow
def test_the_command_serves_until_it_is_interrupted(data: Path) -> None:
    command = [sys.executable, "-m", "hpvqa", "studio", str(data)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.endswith(": 4 episodes. Ctrl-C ends.\n")
    assert ask(urlsplit(line.split()[1]).netloc, "/data/index.js")[0] == 200
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in said
