"""What the studio costs with 2,000 episodes: processor time and memory of the server, and of a browser that scrolls.

Needs Chromium. Two pushes in seven views are recorded first (or name a data folder), and stand there a thousand times
each, under numbers of their own. Times are of the processor, but for what one sees: those between two frames (16.7 ms
at 60 a second), and how long pictures take to come where one stops. Prints all figures as one line of JSON last.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from benchmarks.processes import parent_and_spent
from benchmarks.recorded import run
from tests.chromium import Tab, browser

from hpvqa.files import write_json
from hpvqa.record.episode import RECORD_FILE, episode_dir, find_episodes, read_episode

EPISODES = 2000
FRAMES = 300
"""So many are scrolled."""
STEPS = {"looked_at": 30, "flown_past": 150}
"""So far in each of them [CSS pixels]: two and ten screens a second, at 60 frames a second. The first has pictures."""
SCROLL = """
new Promise((done) => {{
  const times = [];
  const step = (now) => {{
    times.push(now);
    scrollBy({{ top: {step}, behavior: "instant" }});
    if (times.length > {frames}) done(times); else requestAnimationFrame(step);
  }};
  requestAnimationFrame(step);
}})
"""
DRAWN = """
[...document.querySelectorAll(".card")].filter((card) => {
  const { top, bottom } = card.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}).every((card) => card.querySelector("img")?.complete)
"""
"""Whether all pictures that one sees are there."""


def multiply(data: Path, many: Path) -> None:
    """A data folder of 2,000 episodes, whose clips are links."""
    many.mkdir()
    (many / "hpvqa.json").write_bytes((data / "hpvqa.json").read_bytes())
    for number, folder in enumerate(islice(cycle(find_episodes(data)), EPISODES)):
        record = read_episode(folder)
        copy = episode_dir(many, record.spec.task, number)
        copy.mkdir(parents=True)
        for path in folder.iterdir():
            if path.name != RECORD_FILE:
                (copy / path.name).hardlink_to(path)
        spec = record.spec.model_copy(update={"index": number})
        sealed = record.model_copy(update={"spec": spec}).sealed()
        write_json(copy / RECORD_FILE, sealed.model_dump(mode="json"))


def peak(process: int) -> float:
    """Most memory that a process had [MB]."""
    (line,) = (line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def busy(tab: Tab) -> float:
    """How long the main thread of the page has worked [s]."""
    metrics = tab.call("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def looked_at(url: str) -> dict[str, float]:
    """What the pages cost a browser."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, browser(Path(profile)) as tab:
        tab.call("Performance.enable")
        tab.size(1280, 900)
        before = busy(tab)
        tab.open(url)
        tab.wait("document.querySelectorAll('.card').length")
        found = {"open_page_s": busy(tab) - before}
        for name, step in STEPS.items():
            before = busy(tab)
            times = np.array(tab.run(SCROLL.format(step=step, frames=FRAMES))) / 1e3
            found[f"{name}_ms_a_frame"] = 1e3 * (busy(tab) - before) / FRAMES
            found[f"{name}_between_median_ms"] = 1e3 * float(np.median(np.diff(times)))
            found[f"{name}_between_p99_ms"] = 1e3 * float(np.quantile(np.diff(times), 0.99))
        before = time.perf_counter()
        tab.wait(DRAWN)
        found["pictures_after_s"] = time.perf_counter() - before
        before = busy(tab)
        tab.run("document.querySelector('.card a').click()")
        tab.wait("episode.player && episode.player.views.every((view) => view.shown === 0)")
        assert tab.complaints == []
        return {**found, "open_episode_s": busy(tab) - before}


def measure(data: Path, folder: Path) -> dict[str, float | str]:
    many = folder / "many"
    multiply(data, many)
    words = [sys.executable, "-m", "hpvqa", "studio", str(many)]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split()[1]
        found: dict[str, float | str] = {"load": os.getloadavg()[0], "start_s": parent_and_spent(server.pid)[1]}
        connection = HTTPConnection(urlsplit(url).netloc)
        connection.request("GET", "/data/index.js")
        found["list_kb"] = len(connection.getresponse().read()) / 1e3
        connection.close()
        found["list_s"] = parent_and_spent(server.pid)[1] - float(found["start_s"])
        found |= looked_at(url)
        return {**found, "server_s": parent_and_spent(server.pid)[1], "memory_mb": peak(server.pid)}
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    run(__doc__, ["push", "--episodes", "2", "--resolution", "224x224", "--fps", "5"], measure)
