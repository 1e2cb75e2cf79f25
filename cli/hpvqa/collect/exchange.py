"""How a pool and one child talk: a socket with a name, which gets through any wrapper script and any flood of logs."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Client, Connection
from queue import SimpleQueue

from hpvqa.collect.messages import REPLY, Batch, Reply, Setup

_SHORT = 80
"""The name of a socket has less than 108 bytes, of which the folder may take so many."""


class Exchange:
    """The pool's end. Whatever is sent before the child has come waits for it.

    Args:
        setup: What the child is told first.
    """

    def __init__(self, setup: Setup) -> None:
        # Only this user may look into the folder. Data folders, and some for temporary files, have names too long for
        # a socket.
        where = None if len(os.fsencode(tempfile.gettempdir())) < _SHORT else "/tmp"  # noqa: S108 - see above
        self._folder = tempfile.TemporaryDirectory(prefix="hpvqa-", dir=where)
        self.address = f"{self._folder.name}/child"
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(self.address)
        self._server.listen(1)
        self._connection: Connection | None = None
        self._waiting = [setup.model_dump_json().encode()]

    def send(self, batch: Batch) -> None:
        """Hand over the next batch."""
        self._send(batch.model_dump_json().encode())

    def stop(self) -> None:
        """Let the child end after its batch."""
        self._send(b"")

    def replies(self, seconds: float) -> list[Reply]:
        """What the child has said since the last call; waits for it, if need be, but no longer than so long."""
        if self._connection is None:
            self._accept(seconds)
            return []
        found: list[Reply] = []
        try:
            while self._connection.poll(0 if found else seconds):
                found.append(REPLY.validate_json(self._connection.recv_bytes()))
        except (EOFError, ConnectionError):
            # The child has ended, or is about to.
            time.sleep(0 if found else seconds)
        return found

    def close(self) -> None:
        """Hang up. A child that was not asked to stop ends at once."""
        self._stop_listening()
        if self._connection is not None:
            self._connection.close()

    def _send(self, message: bytes) -> None:
        if self._connection is None:
            self._waiting.append(message)
            return
        # Whoever waits for replies learns that the child has ended.
        with suppress(ConnectionError):
            self._connection.send_bytes(message)

    def _accept(self, seconds: float) -> None:
        self._server.settimeout(seconds)
        try:
            accepted, _ = self._server.accept()
        except TimeoutError:
            return
        self._stop_listening()
        self._connection = Connection(accepted.detach())
        for message in self._waiting:
            self._send(message)

    def _stop_listening(self) -> None:
        self._server.close()
        self._folder.cleanup()


class ChildExchange:
    """The child's end. The child ends at once when the pool does, whatever it is doing then.

    Args:
        address: Where the pool listens.
    """

    def __init__(self, address: str) -> None:
        self._connection = Client(address, "AF_UNIX")
        self.setup = Setup.model_validate_json(self._connection.recv_bytes())
        self._batches: SimpleQueue[Batch | None] = SimpleQueue()
        threading.Thread(target=self._receive, name="pool", daemon=True).start()

    def next_batch(self) -> Batch | None:
        """Wait for the next batch; None when there will be none."""
        return self._batches.get()

    def reply(self, message: Reply) -> None:
        """Say something."""
        self._connection.send_bytes(message.model_dump_json().encode())

    def _receive(self) -> None:
        # In a thread, for starting a simulator may take minutes, and one that hangs never comes back. Episodes appear
        # by one rename, and a later run removes what is unfinished, so that any moment will do.
        try:
            while message := self._connection.recv_bytes():
                self._batches.put(Batch.model_validate_json(message))
        except (EOFError, OSError):
            os._exit(1)
        self._batches.put(None)
