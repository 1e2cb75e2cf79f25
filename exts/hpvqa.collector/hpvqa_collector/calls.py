"""Short questions to the ``hpvqa`` command, answered with JSON, asked beside the user interface."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_AT_ONCE = 3


@dataclass(frozen=True)
class Reply:
    """What a call came to.

    Attributes:
        data: What it printed; None if it failed.
        error: Why it failed, in one sentence; None if it did not.
    """

    data: Any = None
    error: str | None = None


OnReply = Callable[[Reply], None]


class Calls:
    """Runs calls in threads; their replies are handed over by `poll`, in the thread that calls it.

    Args:
        environ: Gives the environment of the command.
        folder: Its working directory.
    """

    def __init__(self, environ: Callable[[], Mapping[str, str]], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="hpvqa-call")
        self._replies: queue.SimpleQueue[tuple[str, int, OnReply, Reply | Exception]] = queue.SimpleQueue()
        self._newest: dict[str, int] = {}
        self._running: dict[subprocess.Popen[str], str] = {}
        self._lock = threading.Lock()
        self._closed = False

    def ask(
        self,
        kind: str,
        command: Sequence[str],
        on_reply: OnReply,
        timeout: float = 120.0,
        folder: Path | None = None,
    ) -> None:
        """Start a call. Of several of one kind only the newest is answered.

        Args:
            kind: What it is about.
            command: Command line that prints JSON.
            on_reply: Gets the reply.
            timeout: How long it may take [s].
            folder: Its working directory, if not the usual one.
        """
        environ = dict(self._environ())
        self.do(kind, lambda: self._call(kind, command, environ, timeout, folder or self._folder), on_reply)

    def do(self, kind: str, work: Callable[[], Reply], on_reply: OnReply) -> None:
        """Do something that may take a while in a thread; the rest is as with `ask`.

        Args:
            kind: What it is about.
            work: Is done in the thread.
            on_reply: Gets what it returned.
        """
        number = self._newest[kind] = self._newest.get(kind, 0) + 1

        def answer() -> None:
            reply: Reply | Exception
            try:
                reply = work() if self._newest.get(kind) == number else Reply(error="outdated")
            except Exception as error:
                reply = error
            self._replies.put((kind, number, on_reply, reply))

        self._threads.submit(answer)

    def drop(self, kind: str) -> None:
        """End a call that may be running; it is not answered."""
        self._newest[kind] = self._newest.get(kind, 0) + 1
        with self._lock:
            running = [process for process, what in self._running.items() if what == kind]
            for process in running:
                process.kill()
        for process in running:
            process.wait()

    def poll(self) -> None:
        """Hand over the replies that have come."""
        while not self._replies.empty():
            kind, number, on_reply, reply = self._replies.get()
            if isinstance(reply, Exception):
                raise reply
            if self._newest.get(kind) == number:
                on_reply(reply)

    def close(self) -> None:
        """End all calls; no reply follows."""
        with self._lock:
            self._closed = True
            for process in self._running:
                process.kill()
        self._newest.clear()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _call(
        self, kind: str, command: Sequence[str], environ: Mapping[str, str], timeout: float, folder: Path
    ) -> Reply:
        with self._lock:
            if self._closed:
                return Reply(error="closed")
            try:
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=environ,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    encoding="utf-8",
                    errors="replace",
                    start_new_session=True,
                )
            except OSError as error:
                return Reply(error=f"{command[0]} cannot be started: {error.strerror}")
            self._running[process] = kind
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return Reply(error=f"hpvqa {command[1]} did not answer within {timeout:g} seconds")
        finally:
            with self._lock:
                del self._running[process]
        return _reply(command, process.returncode, out, err)


def _reply(command: Sequence[str], code: int, out: str, err: str) -> Reply:
    try:
        data = json.loads(out)
    except ValueError:
        data = None
    # A call may fail in part, as a question to several cameras does, and still have much to say.
    if data is not None:
        return Reply(data)
    return Reply(error=sentence(err, code))


def sentence(text: str, code: int) -> str:
    """What a command said went wrong: its last error, else its last line, else its exit code."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in reversed(lines):
        if line.startswith("Error: "):
            return line.removeprefix("Error: ")
    if lines:
        return lines[-1]
    if code == -9:
        return "hpvqa was ended by the system, most likely because memory ran out"
    return f"hpvqa ended with exit code {code} and no word"
