"""Serving: start, wait until it answers, keep running, stop."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hpvqa.errors import RunError
from hpvqa.plain import parse_json
from hpvqa.serve.command import server_command, server_environment
from hpvqa.serve.key import ApiKey
from hpvqa.serve.plan import Plan
from hpvqa.serve.process import ServerProcess
from hpvqa.serve.trouble import diagnose, last_error

_INTERVAL = 0.25
"""Time between two looks at the server [s]."""
_SILENCE = 15.0
"""Longest time without a word while it starts [s]."""
_LONGEST = 1 << 20
"""Of what answers on the server's port, so much is read [bytes]."""
_STAGES = (
    (r"Starting to load model", "Loading the model"),
    (r"checkpoint shards:\s+(\d+)%", "Loading the weights, {}%"),
    (r"Loading weights took", "Measuring the memory"),
    (r"KV cache size", "Getting ready for queries"),
)
"""What the log says, and what that means; the later the further."""


@dataclass(frozen=True)
class Serving:
    """A server that answers.

    Attributes:
        url: Its address.
        name: The name to ask for.
        pid: Its process.
        log: The file that it writes to.
        key: What it wants to see, if anything.
    """

    url: str
    name: str
    pid: int
    log: Path
    key: ApiKey | None


def serve(
    plan: Plan,
    key: ApiKey | None,
    environ: Mapping[str, str],
    log: Path,
    *,
    tell: Callable[[str], None],
    on_ready: Callable[[Serving], None],
    stopped: Callable[[], bool],
) -> bool:
    """Run a server until it is to stop. Nothing of it is left then, however this ends.

    Args:
        plan: What is to be served, on a port that is free.
        key: What the server shall want to see.
        environ: The environment of this process.
        log: File for what the server writes.
        tell: Takes how far it is.
        on_ready: Called once it answers.
        stopped: Whether it is to stop.

    Returns:
        Whether it has answered before it was to stop.

    Raises:
        RunError: It does not start, or ends by itself; the message says what to do where that is known.
    """
    process = ServerProcess(server_command(plan, key), server_environment(environ, key, gpu=plan.gpu), log)
    ready = False
    try:
        tell(f"Starting vLLM with {plan.name}; its log is {log}")
        ready = _wait(process, plan, key, tell, stopped)
        if ready:
            assert process.pid is not None  # noqa: S101 - it answers
            on_ready(Serving(plan.settings.url, plan.asked, process.pid, log, key))
        while ready and not stopped():
            if process.exit_code is not None:
                raise _ended(process, "has ended by itself")
            time.sleep(_INTERVAL)
        tell("Stopping the server")
        return ready
    finally:
        process.stop()


def _wait(
    process: ServerProcess, plan: Plan, key: ApiKey | None, tell: Callable[[str], None], stopped: Callable[[], bool]
) -> bool:
    """Wait until the server answers, and not another one on its port; False if it is to stop before."""
    begin = told = time.perf_counter()
    stage = "Starting"
    while not stopped():
        if process.exit_code is not None:
            raise _ended(process, "did not start")
        if {plan.name, plan.asked} <= _models(plan.settings.url, key):
            return True
        now = time.perf_counter()
        if now - begin > plan.settings.timeout:
            raise RunError(
                f"The server did not answer within {plan.settings.timeout:g} s; see its log, {process.log}, or raise "
                "--timeout"
            )
        latest = _stage(process.tail()) or stage
        if latest != stage or now - told > _SILENCE:
            stage, told = latest, now
            tell(f"{stage} ({now - begin:.0f} s)")
        time.sleep(_INTERVAL)
    return False


def _stage(log: str) -> str | None:
    for pattern, words in reversed(_STAGES):
        found = re.findall(pattern, log)
        if found:
            return words.format(found[-1])
    return None


def _models(url: str, key: ApiKey | None) -> set[str]:
    """Names of the models that the server has; none as long as it does not answer."""
    parts = urlsplit(url)
    # Straight to it: a proxy that the environment names is not for this machine.
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5.0)
    headers = {} if key is None else {"Authorization": f"Bearer {key.value.get_secret_value()}"}
    try:
        connection.request("GET", f"{parts.path}/models", headers=headers)
        reply = connection.getresponse()
        data = parse_json(reply.read(_LONGEST))["data"] if reply.status == 200 else []
        return {str(card["id"]) for card in data}
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return set()
    finally:
        connection.close()


def _ended(process: ServerProcess, what: str) -> RunError:
    log, code = process.tail(), process.exit_code
    reason = diagnose(log, code)
    said = last_error(log)
    if reason is None:
        reason = f"it said: {said}" if said else f"exit code {code}"
    return RunError(f"The server {what}: {reason}. All that it said is in {process.log}")
