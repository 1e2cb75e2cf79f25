"""Runs: every row is answered once, whatever happens in between."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.errors import RunError
from hpvqa.evaluate.folder import open_run
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.select import select
from hpvqa.vlm.baselines import Constant
from hpvqa.vlm.prompt import load_prompt
from tests.eval_fakes import Confident, Fatal, Watching, command
from tests.eval_runs import hpvqa, lines, make_dataset, run, settings_of
from tests.factories import copy
from tests.needs import long_but
from tests.patience import PATIENCE, wait_for


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("evaluate"))


PUBLIC_FIELDS = {"file_name", "question", "answer", "prediction", "is_correct"}


OUR_FIELDS = {"task", "episode", "camera", "condition", "choices", "logprobs", "p_left"}


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


@pytest.mark.slow
def test_workers_give_the_same_answers_in_the_same_order(dataset: Dataset, tmp_path: Path) -> None:
    one = run(dataset, Watching(), tmp_path / "one")
    two = run(dataset, Watching(), tmp_path / "two", workers=2)
    assert [row.model_copy(update={"seconds": 0.0}) for row in one] == [
        row.model_copy(update={"seconds": 0.0}) for row in two
    ]
    assert [line["file_name"] for line in lines(tmp_path / "two")] == [row.file_name for row in two]


@pytest.mark.slow
def test_a_worker_that_dies_is_a_sentence(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="A worker died"):
        run(dataset, Fatal(), tmp_path / "run", workers=2)


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


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
        wait_for(lambda: len(children.read_text().split()) == 3)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_rows(out: Path, count: int) -> None:
    path = out / "predictions.jsonl"
    wait_for(lambda: path.read_bytes().count(b"\n") >= count)


@pytest.mark.slow
def test_a_killed_run_leaves_no_worker_and_can_go_on(
    dataset: Dataset, tmp_path: Path, slow_run: subprocess.Popen[bytes]
) -> None:
    wait_for_rows(tmp_path / "run", 3)
    slow_run.kill()
    slow_run.wait()
    pids = [int(path.name) for path in (tmp_path / "pids").iterdir()]
    assert len(pids) == 2
    wait_for(lambda: not any(alive(pid) for pid in pids))
    before = lines(tmp_path / "run")
    assert 3 <= len(before) < 32
    settings = {"model": "left", "seed": 42}
    found = run(dataset, Constant("left"), tmp_path / "run", **settings)
    assert lines(tmp_path / "run")[: len(before)] == before
    assert len(found) == len(lines(tmp_path / "run")) == 32


@pytest.mark.parametrize("rows", long_but([0, 3], 3))
@pytest.mark.slow
def test_ctrl_c_ends_a_run_that_can_go_on(tmp_path: Path, slow_run: subprocess.Popen[bytes], rows: int) -> None:
    wait_for_rows(tmp_path / "run", rows)
    time.sleep(0.3)  # with no row yet, the workers are in the middle of their imports
    os.killpg(slow_run.pid, signal.SIGINT)
    assert slow_run.wait(timeout=PATIENCE) == 130
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
