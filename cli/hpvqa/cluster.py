"""Calls on the nodes of a Ray cluster: whatever a node takes with it when it dies is done again elsewhere."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from hpvqa import __version__
from hpvqa.errors import HpvqaError, MissingDependencyError, RunError, UsageError
from hpvqa.install import pip_install
from hpvqa.processes import ONE_THREAD, SAFE_PATH
from hpvqa.versions import versions_of

CRASHES = 3
"""How often a process may die of one call, with its node or alone, before that ends the run."""
POLL = 0.1
"""How often new calls are looked for while others run [s]."""
ANSWER = 10.0
"""How long a cluster may take to answer [s]."""
COUNT = 1.0
"""How long a count of the cluster's cores holds [s]."""
AUTO = "auto"
"""The address of the cluster that RAY_ADDRESS names, or else that runs on this machine."""


@dataclass
class _Call:
    """A function that is called on some node, and whoever waits for it."""

    function: str
    arguments: tuple[Any, ...]
    future: Future[Any] = field(default_factory=Future)
    crashes: int = 0


class Cluster:
    """A Ray cluster as workers, each a core, or a GPU; nodes may come and go meanwhile.

    Args:
        address: Where it is, such as ``10.0.0.1:6379``, or :data:`AUTO`.
        packages: Those whose versions matter; nodes that have others are told of.
        tell: Takes sentences that a user should see, from any thread.
        on_gpus: Whether every call gets a GPU, if the cluster has any.

    Raises:
        MissingDependencyError: Ray is not installed.
        RunError: There is no such cluster.
    """

    def __init__(
        self, address: str, packages: tuple[str, ...], tell: Callable[[str], None], *, on_gpus: bool = False
    ) -> None:
        self._ray = _connect(address)
        self._tell, self._packages, self._here = tell, packages, versions_of(packages)
        self._strange: set[tuple[str, str]] = set()
        self._unit = "GPU" if on_gpus and self._resources().get("GPU") else "CPU"
        wanted = {"num_gpus": 1} if self._unit == "GPU" else {"num_cpus": 1}
        # A process keeps its simulator or model for the next call. Ray's own retries would count lost nodes, too.
        self._remote = self._ray.remote(max_retries=0, max_calls=0, **wanted)(_caller())
        self._calls: dict[Any, _Call] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._counted, self._count = -COUNT, 1
        self._thread = threading.Thread(target=self._wait, name="cluster", daemon=True)
        self._thread.start()

    @property
    def workers(self) -> int:
        """How many calls run at a time, now; at least 1, for a cluster may grow.

        Raises:
            RunError: The cluster is gone.
        """
        now = time.monotonic()
        if now - self._counted > COUNT and not self._ended.is_set():
            found = int(self._resources().get(self._unit, 0))
            if not found and self._count:
                self._tell(f"The cluster has no {self._unit} now; waiting for a node")
            self._counted, self._count = now, found
        return max(self._count, 1)

    def submit(self, function: str, *arguments: Any) -> Future[Any]:
        """Have a function of this package called on some node, again if that is lost.

        Args:
            function: Its module and name, with a colon between them.
            arguments: What it is given; it is pickled.
        """
        call = _Call(function, arguments)
        self._begin(call)
        return call.future

    def close(self) -> None:
        """Let go of the cluster; whatever still runs is ended."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join()
        with self._lock:
            running = list(self._calls)
        for reference in running:
            # A call may end by itself meanwhile, and the cluster may be gone.
            with suppress(Exception):
                self._ray.cancel(reference, force=True)
        with suppress(Exception):
            self._ray.shutdown()

    def _resources(self) -> dict[str, float]:
        try:
            return dict(self._ray.cluster_resources())
        except Exception as error:
            raise _gone(error) from error

    def _begin(self, call: _Call) -> None:
        try:
            reference = self._remote.remote(
                call.function, call.arguments, __version__, self._packages, dict(ONE_THREAD), _strange_folders()
            )
        except Exception as error:
            call.future.set_exception(RunError(f"The cluster does not take work: {_first_line(error)}"))
            return
        with self._lock:
            self._calls[reference] = call

    def _wait(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                running = list(self._calls)
            if not running:
                self._ended.wait(POLL)
                continue
            try:
                done, _ = self._ray.wait(running, timeout=POLL)
            except Exception as error:
                # Whatever Ray raises: whoever waits must not wait for ever.
                done = []
                self._fail(_gone(error))
            for reference in done:
                with self._lock:
                    call = self._calls.pop(reference)
                try:
                    self._take(reference, call)
                except Exception as error:
                    call.future.set_exception(RunError(f"The cluster failed: {error!r}"))

    def _fail(self, error: HpvqaError) -> None:
        with self._lock:
            calls = list(self._calls.values())
            self._calls.clear()
        for call in calls:
            call.future.set_exception(error)

    def _take(self, reference: Any, call: _Call) -> None:
        lost = self._ray.exceptions
        try:
            said = self._ray.get(reference)
        except lost.NodeDiedError:
            self._tell("A node of the cluster is lost; what it was doing is done again")
            self._begin(call)
        except (lost.WorkerCrashedError, lost.OutOfMemoryError, lost.ObjectLostError) as error:
            self._crashed(call, isinstance(error, lost.OutOfMemoryError))
        except Exception as error:
            # What a function raised that is none of our errors is wrapped, with its text behind a traceback.
            call.future.set_exception(RunError(f"The cluster failed: {getattr(error, 'cause', None) or error!r}"))
        else:
            self._look_at_versions(said["node"], said["versions"])
            if said["error"] is None:
                call.future.set_result(said["result"])
            else:
                kind = UsageError if said["usage"] else RunError
                call.future.set_exception(kind(f"On node {said['node']}: {said['error']}"))

    def _crashed(self, call: _Call, of_memory: bool) -> None:
        call.crashes += 1
        why = ", for memory ran out" if of_memory else ""
        if call.crashes < CRASHES:
            self._tell(f"A process of the cluster died{why}; what it was doing is done again")
            self._begin(call)
            return
        call.future.set_exception(
            RunError(
                f"{CRASHES} processes of the cluster died of the same work{why or ', perhaps of too little memory'}; "
                "what is finished is kept, and the same command goes on"
            )
        )

    def _look_at_versions(self, node: str, there: Mapping[str, str]) -> None:
        for name in sorted(there.keys() | self._here.keys()):
            if there.get(name) != self._here.get(name) and (node, name) not in self._strange:
                self._strange.add((node, name))
                versions = there.get(name, "missing"), self._here.get(name, "missing")
                self._tell(f"{name} is {versions[0]} on node {node} and {versions[1]} here; results may differ")


def _caller() -> Callable[..., dict[str, Any]]:
    """The function that runs on nodes. Ray sends this one by value, for it must tell of nodes that have no hpvqa."""

    def call(
        function: str,
        arguments: tuple[Any, ...],
        version: str,
        packages: tuple[str, ...],
        environment: dict[str, str],
        strange: list[str],
    ) -> dict[str, Any]:
        import importlib
        import os
        import socket
        import sys

        os.environ.update(environment)
        # Ray adds the folder in which the command runs, whose files are nobody's modules.
        sys.path[:] = [path for path in sys.path if path not in strange]
        said: dict[str, Any] = {
            "node": socket.gethostname(), "versions": {}, "result": None, "error": None, "usage": True
        }  # fmt: skip
        try:
            import hpvqa
            from hpvqa.errors import HpvqaError, UsageError
            from hpvqa.versions import versions_of
        except ImportError as error:
            return {**said, "error": f"hpvqa is not installed there ({error}); install version {version}"}
        if hpvqa.__version__ != version:
            return {**said, "error": f"hpvqa is {hpvqa.__version__} there; install version {version}, as here"}
        said["versions"] = versions_of(packages)
        module, name = function.split(":")
        try:
            said["result"] = getattr(importlib.import_module(module), name)(*arguments)
        except HpvqaError as error:
            said.update(error=str(error), usage=isinstance(error, UsageError))
        return said

    return call


def _strange_folders() -> list[str]:
    """Folders that Ray adds to the nodes' search path for modules, though they are not on ours."""
    here = os.path.abspath(os.path.curdir)  # noqa: PTH100 - as Ray writes it
    return [] if here in sys.path else [here]


def _connect(address: str) -> Any:
    """Ray, connected."""
    try:
        import ray
    except ImportError:
        raise MissingDependencyError(f"A cluster needs Ray: {pip_install('ray')}") from None
    _check_address(address)
    environment = {**SAFE_PATH, **ONE_THREAD}
    # Messages of the cluster's own processes would get into our output, --json included; this is Ray's own switch.
    ray._private.worker._worker_logs_enabled = False
    with _handlers_kept():
        try:
            ray.init(
                address=address,
                runtime_env={"env_vars": environment},
                configure_logging=False,
                log_to_driver=False,
                logging_level="ERROR",
            )
        except (ConnectionError, TimeoutError, ValueError) as error:
            raise _none(address, error) from None
        except RuntimeError as error:
            raise RunError(f"The Ray cluster cannot be used: {_first_line(error)}") from None
    return ray


def _check_address(address: str) -> None:
    """Make sure that something answers: Ray itself would try for minutes.

    Raises:
        UsageError: It is no address.
        RunError: Nothing answers there.
    """
    if address == AUTO:
        return
    host, colon, port = address.rpartition(":")
    if not colon or not host or "/" in host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(
            f"{address!r} is no address of a Ray cluster such as 10.0.0.1:6379; run this on one of its nodes"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER).close()
    except OSError as error:
        raise _none(address, error) from None


def _none(address: str, error: Exception) -> RunError:
    where = "on this machine" if address == AUTO else f"at {address}"
    return RunError(
        f"No Ray cluster answers {where} ({_first_line(error)}); start one with `ray start --head`, or give --address"
    )


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Ray handles SIGTERM its own way, which would end a run without a word."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _gone(error: Exception) -> RunError:
    return RunError(
        f"The cluster is gone: {_first_line(error)}; what is finished is kept, and the same command goes on"
    )


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
