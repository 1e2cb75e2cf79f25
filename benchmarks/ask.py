"""What `hpvqa ask` takes beside the model: from the command's start to its end, and for one more episode while it runs.

Run with no arguments on an otherwise idle machine; takes a minute on two cores without a GPU. Episodes are recorded
first, 640×480 and seven views (or name a data folder). The server is the tests' stand-in: it decodes what it is sent,
and answers at once; the time in which it is at work on a request counts as the model's own. Prints all figures as one
line of JSON last.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.recorded import run
from tests.servers import StandIn

from hpvqa.ask.episodes import open_episode
from hpvqa.ask.question import make_question
from hpvqa.ask.run import Asker
from hpvqa.dataset.load import Dataset
from hpvqa.dataset.manifest import Manifest
from hpvqa.record.episode import find_episodes
from hpvqa.vlm.choice import ModelChoice, choose_look, open_answerer

ROUNDS = 9


class TimedStandIn(StandIn):
    """A stand-in that knows when it was at work."""

    def __init__(self) -> None:
        super().__init__()
        self.work: list[tuple[float, float]] = []

    def _complete(self, *request: Any) -> None:
        begin = time.perf_counter()
        super()._complete(*request)
        self.work.append((begin, time.perf_counter()))

    def seconds(self) -> float:
        """How long it was at work on at least one request since the last call."""
        total, until = 0.0, 0.0
        for begin, end in sorted(self.work):
            total += max(0.0, end - max(begin, until))
            until = max(until, end)
        self.work = []
        return total


def commands(server: TimedStandIn, episode: Path, cameras: str) -> list[tuple[float, float]]:
    """Seconds of a command, and those of the server in it."""
    words = [sys.executable, "-m", "hpvqa", "ask", episode, "--camera", cameras, "--server", server.url]
    found = []
    for _ in range(ROUNDS):
        server.seconds()
        begin = time.perf_counter()
        subprocess.run([str(word) for word in words], check=True, capture_output=True)
        found.append((time.perf_counter() - begin, server.seconds()))
    return found


def further(server: TimedStandIn, episode: Path, cameras: tuple[str, ...]) -> list[tuple[float, float]]:
    """Seconds of an episode more, as with --watch, and those of the server in it."""
    choice = ModelChoice(backend="openai", server=server.url)
    look, record, found = choose_look(choice), open_episode(episode), []
    nothing = Dataset(episode, Manifest(source="", split_seed=0, files={}), "")
    with closing(open_answerer(choice, nothing, seed=0, environ={})) as answerer:
        question = make_question(None, look.prompt, None)
        asker = Asker(answerer, look, question, cameras, lambda text: None)
        asker.ask(episode, record)
        for _ in range(ROUNDS):
            server.seconds()
            begin = time.perf_counter()
            asker.ask(episode, record)
            found.append((time.perf_counter() - begin, server.seconds()))
    return found


def measure(data: Path, folder: Path) -> dict[str, float]:
    episode = next(iter(find_episodes(data)))
    camera = open_episode(episode).cameras[0].camera.name
    found = {}
    with TimedStandIn() as server:
        for name, taken in {
            "command_one_camera": commands(server, episode, camera),
            "command_all_cameras": commands(server, episode, "all"),
            "further_one_camera": further(server, episode, (camera,)),
            "further_all_cameras": further(server, episode, ()),
        }.items():
            found[f"{name}_s"] = statistics.median(whole for whole, _ in taken)
            found[f"{name}_over_server_s"] = statistics.median(whole - own for whole, own in taken)
    return found


if __name__ == "__main__":
    run(__doc__, ["push", "--episodes", "1", "--resolution", "640x480"], measure)
