"""A run of the collector: started, watched, stopped, and found again after the panel was closed."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from hpvqa_collector.calls import sentence
from hpvqa_collector.errors import BadInputError
from hpvqa_collector.process import ChildProcess
from hpvqa_collector.progress import Progress, ProgressFile

ACTIVE = ("running", "paused", "stopping", "ending")
_KEPT = 10
"""So many logs of earlier runs are kept."""
_PATIENCE = 10.0
"""How long a run that was told to drop its episodes may take until it is killed [s]: longer than hpvqa itself gives
Isaac Sim until it kills that (5 s)."""


class Run:
    """The run that the panel shows.

    ``state`` is ``idle``, ``running``, ``paused``, ``stopping`` (running episodes may finish), ``ending`` (they are
    dropped), ``finished``, ``stopped`` or ``failed``.

    Args:
        folder: Where files about runs lie.
        clock: A clock that never goes back [s].
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._child: ChildProcess | None = None
        self._events = ProgressFile(folder / "none")
        self._deadline = float("inf")
        self._paused_at = 0.0
        self.state = "idle"
        self.error = ""
        self.progress = Progress()
        self.data: Path | None = None
        self.log: Path | None = None
        self._stop_file: Path | None = None

    @property
    def active(self) -> bool:
        """Whether a child is at work."""
        return self.state in ACTIVE

    @property
    def _note(self) -> Path:
        return self._folder / "run.json"

    def start(self, command: Sequence[str], environ: Mapping[str, str], data: Path, name: str) -> None:
        """Start collecting.

        Args:
            command: ``hpvqa collect`` with its arguments; where to write progress and when to stop is added.
            environ: Its environment.
            data: The data folder.
            name: What to call the run's files.

        Raises:
            BadInputError: A run is at work, or the command cannot be started.
        """
        if self.active:
            raise BadInputError("A run is at work; stop it first")
        files = self._folder / "runs" / name
        self._prune()
        files.mkdir(parents=True)
        self._watch(files, data)
        more = ["--progress-file", str(files / "progress.jsonl"), "--stop-file", str(files / "stop")]
        try:
            self._child = ChildProcess.start([*command, *more], environ, self._folder, files / "collect.log")
        except OSError as error:
            raise BadInputError(f"{command[0]} cannot be started: {error.strerror}") from None
        self.state = "running"
        # Written so that no moment passes in which the run is there and cannot be found again.
        note = {"pid": self._child.pid, "started": self._child.started, "files": str(files), "data": str(data)}
        draft = self._note.with_suffix(".partial")
        draft.write_text(json.dumps(note), encoding="utf-8")
        draft.replace(self._note)

    def find(self) -> bool:
        """Take up the run of an earlier session, at work or over; returns whether there is one."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            self._child = ChildProcess(note["pid"], note["started"])
            self._watch(Path(note["files"]), Path(note["data"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return False
        stopping = self._stop_file is not None and self._stop_file.exists()
        self.state = "stopping" if stopping else "running"
        if self._child.paused():
            self.state, self._paused_at = "paused", self._clock()
        self.poll()
        return True

    def pause(self) -> None:
        """Hold a run where it is, or let it go on."""
        if self._child is not None and self.state == "running":
            self._child.pause()
            self.state, self._paused_at = "paused", self._clock()
        elif self._child is not None and self.state == "paused":
            self._child.resume()
            self.state = "running"
            self.progress.skip(self._clock() - self._paused_at)

    def stop(self) -> None:
        """Stop: first let the running episodes finish, when asked again drop them, then end the child at once."""
        if self._child is None or self._stop_file is None:
            return
        if self.state == "paused":
            self.pause()
        if self.state == "running":
            self._stop_file.touch()
            self.state = "stopping"
        elif self.state == "stopping":
            self._child.terminate()
            self._deadline = self._clock() + _PATIENCE
            self.state = "ending"
        elif self.state == "ending":
            self._child.kill()

    def poll(self) -> bool:
        """Look at the child and its progress; returns whether anything has changed."""
        if self._child is None or not self.active:
            return False
        # In this order: a child that is over has written all of its events.
        alive = self._child.alive()
        events = self._events.new_events()
        for event in events:
            self.progress.take(event)
        if alive:
            if self._clock() > self._deadline:
                self._child.kill()
            return bool(events)
        self._finish(self._child.exit_code)
        return True

    def leave(self, *, end: bool) -> None:
        """The panel goes away: end the child, its finished episodes are kept, or let it go on."""
        if self._child is None or not self.active or not end:
            return
        if self._stop_file is not None:
            # A file and a signal are two requests: the running episodes are dropped.
            self._stop_file.touch()
        self._child.terminate()
        self._child.resume()
        if not self._child.wait(_PATIENCE):
            self._child.kill()
            self._child.wait(1.0)
        self.poll()

    def _watch(self, files: Path, data: Path) -> None:
        self.data = data
        self.log = files / "collect.log"
        self._stop_file = files / "stop"
        self._events = ProgressFile(files / "progress.jsonl")
        self._deadline = float("inf")
        self.progress = Progress()
        self.error = ""

    def _finish(self, code: int | None) -> None:
        self._child = None
        self._note.unlink(missing_ok=True)
        status = self.progress.status
        if status == "finished" and code in (0, None):
            self.state = "finished"
        elif status == "interrupted" or (self.state == "ending" and status is None):
            self.state = "stopped"
        else:
            self.state = "failed"
            self.error = self.progress.reason or self._last_words(code)

    def _last_words(self, code: int | None) -> str:
        text = ""
        with suppress(OSError):
            if self.log is not None:
                text = self.log.read_text(encoding="utf-8", errors="replace")[-20_000:]
        killed = code == -9 or (code is None and not text)
        return (
            "hpvqa was ended by the system, most likely because memory ran out" if killed else sentence(text, code or 0)
        )

    def _prune(self) -> None:
        runs = sorted((self._folder / "runs").glob("*"))
        for old in runs[: max(len(runs) - _KEPT + 1, 0)]:
            shutil.rmtree(old, ignore_errors=True)
