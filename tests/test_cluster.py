"""Work on a Ray cluster of three nodes, one of which dies; and what needs no Ray: storage, and errors in a sentence."""

from __future__ import annotations

import filecmp
import importlib
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hpvqa import cluster
from hpvqa.collect import ray as collect_ray
from hpvqa.collect.executor import Job
from hpvqa.collect.messages import Setup, Try
from hpvqa.collect.pool import ATTEMPTS
from hpvqa.collect.settings import COLLECTION_FILE
from hpvqa.collect.storage import Storage
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.errors import HpvqaError, RunError, UsageError
from hpvqa.evaluate import ray as evaluate_ray
from hpvqa.evaluate.conditions import PLAIN
from hpvqa.evaluate.ray import ClusterChoice
from hpvqa.evaluate.select import select
from hpvqa.evaluate.trials import plan
from hpvqa.record.episode import RECORD_FILE, EpisodeRecord, find_episodes
from hpvqa.vlm.prompt import load_prompt
from tests.collect_fakes import clumsy, collection, full_disk, quick
from tests.eval_fakes import Looking
from tests.eval_runs import SMALL, lines, make_dataset, run
from tests.patience import PATIENCE
from tests.test_collect_processes import wait_for

COLLECTION = collection("push")


def attempt(index: int, number: int = 0) -> str:
    spec = COLLECTION.spec("push", index, number)
    return Try(spec=spec, failed=(), last=number == ATTEMPTS - 1).model_dump_json()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(collect_ray, "open_record", quick)
    collect_ray._opened.cache_clear()
    (tmp_path / "data" / "partial").mkdir(parents=True)
    return tmp_path / "data"


def setup_text(data: Path) -> str:
    return Setup.of(COLLECTION, data, data / "partial", COLLECTION.spec("push", 0)).model_dump_json()


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def assert_same_episodes(one: Path, other: Path) -> None:
    names = [name for name in tree(one) if not name.startswith(".")]
    assert names == [name for name in tree(other) if not name.startswith(".")]
    assert filecmp.cmpfiles(one, other, names, shallow=False) == (names, [], [])


def test_a_node_makes_an_episode_in_the_folder_or_sends_it_to_storage_with_the_same_bytes(
    data: Path, tmp_path: Path
) -> None:
    said = collect_ray.make_episode(setup_text(data), attempt(0), None)
    assert tree(data) == [f"push/000/episode-000000/{name}" for name in (RECORD_FILE, "trajectory.parquet")]
    assert list((data / "partial").iterdir()) == []
    (data / "partial").rmdir()
    storage = Storage(f"file://{tmp_path}/stored")
    assert collect_ray.make_episode(setup_text(data), attempt(0), str(storage)) == said
    assert_same_episodes(data, tmp_path / "stored")
    assert [number for number, _ in storage.records("push", range(5))] == [0]
    assert list(storage.records("push", range(1, 5))) == []


def test_a_failed_attempt_is_not_sent(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_ray, "open_record", clumsy)
    storage = f"file://{tmp_path}/stored"
    for number in range(ATTEMPTS):
        assert not (tmp_path / "stored").exists()
        record = EpisodeRecord.model_validate_json(
            collect_ray.make_episode(setup_text(data), attempt(2, number), storage)
        )
        assert not record.outcome.ok
    assert [index for index, _ in Storage(storage).records("push", range(5))] == [2]


def test_storage_need_not_be_a_folder(data: Path) -> None:
    storage = Storage(f"memory://{data.parent.name}/deeper/")
    assert list(storage.records("push", range(5))) == []
    said = [collect_ray.make_episode(setup_text(data), attempt(index), str(storage)) for index in (0, 3)]
    found = dict(storage.records("push", range(5)))
    assert list(found) == [0, 3]
    assert [found[index].spec for index in found] == [EpisodeRecord.model_validate_json(text).spec for text in said]


def test_a_pool_tries_again_and_tells_of_what_goes_wrong(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_ray, "Cluster", Here)
    monkeypatch.setattr(collect_ray, "open_record", clumsy)
    pool = collect_ray.RayPool("here", None, None, print)
    jobs = [Job(COLLECTION, "push", index, data, data / "partial") for index in range(3)]
    records = [pool.submit(job).result(0) for job in jobs]
    assert [(record.outcome.ok, len(record.failed_attempts)) for record in records] == [
        (True, 0),
        (True, 1),
        (False, 2),
    ]
    assert (pool.workers, len(list(find_episodes(data)))) == (2, 3)
    monkeypatch.setattr(collect_ray, "make_episode", lambda *_: "{}")
    with pytest.raises(RunError, match="Collecting failed unexpectedly"):
        pool.submit(jobs[0]).result(0)
    pool.close()


def test_an_episode_that_was_cut_short_on_its_way_is_not_there(data: Path, tmp_path: Path) -> None:
    storage = Storage(f"file://{tmp_path}/stored")
    collect_ray.make_episode(setup_text(data), attempt(0), str(storage))
    path = next(find_episodes(tmp_path / "stored")) / RECORD_FILE
    path.write_bytes(path.read_bytes()[:-20])
    assert list(storage.records("push", range(5))) == []
    collect_ray.make_episode(setup_text(data), attempt(0), str(storage))
    assert len(list(storage.records("push", range(5)))) == 1


def test_what_a_node_cannot_do_is_a_sentence(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / "partial").rmdir()
    with pytest.raises(RunError, match=r"data is not there.*--out that all nodes share, or --storage"):
        collect_ray.make_episode(setup_text(data), attempt(0), None)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"^The storage file:.*file/deeper cannot be written: "):
        collect_ray.make_episode(setup_text(data), attempt(0), f"file://{tmp_path}/file/deeper")
    monkeypatch.setattr(collect_ray, "open_record", full_disk)
    collect_ray._opened.cache_clear()
    with pytest.raises(RunError, match=r"is full; free some space"):
        collect_ray.make_episode(setup_text(data), attempt(2), f"file://{tmp_path}/stored")


def test_storage_remembers_its_settings(tmp_path: Path) -> None:
    storage = Storage(f"file://{tmp_path}/stored")
    assert storage.settings() is None
    (tmp_path / COLLECTION_FILE).write_text(COLLECTION.model_dump_json())
    storage.put_settings(tmp_path / COLLECTION_FILE)
    assert storage.settings() == COLLECTION
    (tmp_path / "stored" / COLLECTION_FILE).write_text("{")
    with pytest.raises(UsageError, match="not what this version writes"):
        storage.settings()
    with pytest.raises(UsageError, match="no address of storage"):
        Storage("nonsense://bucket/data")


@pytest.mark.parametrize("address", ["stored", "file://stored", "./stored/"])
def test_nodes_get_an_address_that_does_not_depend_on_where_they_run(
    address: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec")
    monkeypatch.chdir(tmp_path)
    storage = Storage(address)
    (tmp_path / "node").mkdir()
    monkeypatch.chdir(tmp_path / "node")
    collect_ray.make_episode(setup_text(data), attempt(0), str(storage))
    assert [number for number, _ in storage.records("push", range(5))] == [0]


def gone(*_: object, **__: object) -> Any:
    raise OSError("Connection refused\nat 10.0.0.1")


@pytest.mark.parametrize("fails", ["wait", "cluster_resources", "remote"])
def test_whatever_ray_raises_is_a_sentence(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function = SimpleNamespace(remote=gone if fails == "remote" else lambda *_: "reference")
    ray = SimpleNamespace(
        wait=gone if fails == "wait" else lambda *_, **__: ([], []),
        cluster_resources=gone if fails == "cluster_resources" else lambda: {"CPU": 2.0},
        remote=lambda **_: lambda _: function,
        exceptions=SimpleNamespace(RayError=RuntimeError),
        cancel=gone,
        shutdown=gone,
    )
    monkeypatch.setattr(cluster, "_connect", lambda _: ray)
    found = cluster.Cluster("here", (), print)
    try:
        with pytest.raises(RunError, match=r"^The cluster .*: Connection refused"):
            found.submit("time:sleep", found.workers).result(20)
    finally:
        found.close()


class Here:
    """In place of a cluster: every call is made at once, in this process."""

    def __init__(
        self, address: str, packages: tuple[str, ...], tell: Callable[[str], None], *, on_gpus: bool = False
    ) -> None:
        assert (address, on_gpus) == ("here", False)
        self.workers = 2
        self.calls: list[int] = []
        Here.last = self

    last: Here

    def submit(self, function: str, *arguments: Any) -> Future[Any]:
        module, name = function.split(":")
        future: Future[Any] = Future()
        self.calls.append(len(arguments[-1] or ()))
        try:
            sent = pickle.loads(pickle.dumps(arguments))  # noqa: S301 - our own
            future.set_result(getattr(importlib.import_module(module), name)(*sent))
        except HpvqaError as error:
            future.set_exception(error)
        return future

    def close(self) -> None:
        self.calls.append(0)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("cluster"))


@pytest.mark.parametrize("conditions", ["plain", "multiview,swap,plain"])
def test_a_cluster_answers_as_this_process_does(
    conditions: str, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate_ray, "Cluster", Here)
    wanted = run(dataset, Looking(), tmp_path / "ours", conditions=conditions)
    there = run(dataset, Looking(), tmp_path / "theirs", conditions=conditions, cluster=ClusterChoice("here"))
    without = {"seconds": 0.0}
    assert [row.model_copy(update=without) for row in there] == [row.model_copy(update=without) for row in wanted]
    keys = [[(line["condition"], line["file_name"]) for line in lines(tmp_path / name)] for name in ("ours", "theirs")]
    assert sorted(keys[0]) == sorted(keys[1])
    *calls, closed = Here.last.calls
    assert (sum(calls), closed) == (len(wanted), 0)
    assert all(size >= 16 for size in calls[:-1])


def test_a_node_without_the_data_set_says_so(dataset: Dataset, tmp_path: Path) -> None:
    away = tmp_path / "dataset"
    shutil.copytree(dataset.root, away)
    trials = plan(select(open_dataset(away), "eval", load_prompt("paper")), [PLAIN])
    shutil.rmtree(away / "eval")
    with pytest.raises(UsageError, match=r"There is no .*; put the data set into a folder that all nodes share"):
        evaluate_ray.answer_there(pickle.dumps(Looking()), str(tmp_path), SMALL, 0, trials)


def test_processes_on_nodes_take_no_modules_from_the_folder_they_work_in(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    ray = SimpleNamespace(
        init=lambda **options: given.update(options), _private=SimpleNamespace(worker=SimpleNamespace())
    )
    monkeypatch.setitem(sys.modules, "ray", ray)  # type: ignore[arg-type]
    assert cluster._connect(cluster.AUTO) is ray
    assert given["runtime_env"]["env_vars"]["PYTHONSAFEPATH"] == "1"


def hpvqa(*args: object) -> list[str]:
    return [sys.executable, "-m", "hpvqa", *map(str, args)]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--address", "10.0.0.1:6379"], "--address is for --executor ray"),
        (["--storage", "s3://bucket/data"], "--storage is for --executor ray"),
        (["--executor", "ray", "--storage", "s3://bucket/data", "--estimate"], "--estimate looks at folders"),
        (["--executor", "ray", "--backend", "isaac"], "--executor ray is for the embedded simulator"),
    ],
)
@pytest.mark.slow
def test_options_that_do_not_go_together(args: list[str], sentence: str, tmp_path: Path) -> None:
    done = subprocess.run(hpvqa("collect", "--out", tmp_path / "data", *args), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: {sentence}")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:1", "ray://10.0.0.1:10001"])
def test_no_cluster_is_a_sentence(address: str) -> None:
    pytest.importorskip("ray")
    from hpvqa.cluster import Cluster

    with pytest.raises(HpvqaError, match=r"^(No Ray cluster answers at|.* is no address of a Ray cluster)"):
        Cluster(address, (), print)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    fake = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    for _ in range(2):
        fake.add_node(num_cpus=1)
    yield fake
    fake.shutdown()


def start(nodes: Any, data: Path, *args: object) -> subprocess.Popen[str]:
    options = ("--no-video", "--seed", 3, "--out", data, "--executor", "ray", "--address", nodes.address, *args)
    return subprocess.Popen(
        hpvqa("collect", "push", "drop", "--episodes", 3, *options, "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.slow
def test_a_node_dies_and_nothing_is_lost(nodes: Any, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    work = start(nodes, theirs)
    wait_for(lambda: len(list(theirs.glob(".partial/*/*/*"))) == 3, seconds=120)
    nodes.remove_node(next(iter(nodes.worker_nodes)), allow_graceful=False)
    stdout, stderr = work.communicate(timeout=PATIENCE)
    assert work.returncode == 0, stderr
    tasks = json.loads(stdout)["tasks"]
    assert [task["made"] for task in tasks.values()] == [3, 3]
    assert "is done again" in stderr
    assert "raylet" not in stderr
    command = hpvqa("collect", "push", "drop", "--episodes", 3, "--no-video", "--seed", 3, "--out", ours)
    subprocess.run(command, check=True, capture_output=True)
    assert_same_episodes(ours, theirs)
    assert list((theirs / ".partial").iterdir()) == []

    # Interrupted, and with storage in place of a shared folder, they are the same.
    stored = tmp_path / "stored"
    there = ("--storage", f"file://{stored}")
    work = start(nodes, tmp_path / "settings", *there)
    wait_for(lambda: len(list(find_episodes(stored))) > 0, seconds=120)
    os.killpg(work.pid, signal.SIGINT)
    stdout, stderr = work.communicate(timeout=PATIENCE)
    assert work.returncode == 130, stderr
    first = sum(task["made"] for task in json.loads(stdout)["tasks"].values())
    assert 0 < first == len(list(find_episodes(stored))) < 6
    work = start(nodes, tmp_path / "settings", *there)
    stdout, stderr = work.communicate(timeout=PATIENCE)
    assert work.returncode == 0, stderr
    assert sum(task["already"] for task in json.loads(stdout)["tasks"].values()) == first
    assert_same_episodes(ours, stored)
    assert list(find_episodes(tmp_path / "settings")) == []


@pytest.mark.slow
def test_rows_are_answered_alike(nodes: Any, dataset: Dataset, tmp_path: Path) -> None:
    def answers(out: Path, *args: object) -> list[dict[str, Any]]:
        asked = ("--dataset", dataset.root, "--split", "all", "--model", "pixels", "--out", out, *args)
        subprocess.run(hpvqa("eval", *asked), capture_output=True)
        return [{**line, "seconds": 0} for line in lines(out)]

    there = answers(tmp_path / "theirs", "--executor", "ray", "--address", nodes.address)
    assert there == answers(tmp_path / "ours")
    assert len(there) >= 16


@pytest.mark.slow
def test_nodes_that_cannot_work_are_named(nodes: Any, tmp_path: Path) -> None:
    from hpvqa.cluster import Cluster

    (tmp_path / "hpvqa").mkdir()
    (tmp_path / "hpvqa" / "__init__.py").write_text("__version__ = '0.0.1'")
    for name in ("errors", "versions"):
        (tmp_path / "hpvqa" / f"{name}.py").write_text("HpvqaError = UsageError = Exception\nversions_of = dict")
    cluster = Cluster(nodes.address, (), print)
    try:
        with pytest.raises(RunError, match="processes of the cluster died of the same work"):
            cluster.submit("os:_exit", 3).result(120)
        with pytest.raises(RunError, match=r"The cluster failed: .*No module named"):
            cluster.submit("no.such:thing").result(120)
        nodes.add_node(num_cpus=1, env_vars={"PYTHONPATH": str(tmp_path)})
        with pytest.raises(UsageError, match=r"^On node .*: hpvqa is 0\.0\.1 there; install version"):
            wait_for(
                lambda: any(call.result(120) for call in [cluster.submit("time:sleep", 0.5) for _ in range(4)]), 120
            )
    finally:
        begin = time.monotonic()
        cluster.close()
    assert time.monotonic() - begin < 30
