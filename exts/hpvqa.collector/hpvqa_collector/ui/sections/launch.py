"""Starting and stopping a run, and how far it is."""

from __future__ import annotations

import time

import omni.ui as ui

from hpvqa_collector.desktop import open_path
from hpvqa_collector.progress import duration
from hpvqa_collector.ui.rows import button, say
from hpvqa_collector.ui.sections.base import Section
from hpvqa_collector.ui.style import GAP, ROW_HEIGHT

_STOP = {
    "running": ("Stop", "Let the running episodes finish, then stop."),
    "stopping": ("Drop them", "Do not wait for the running episodes; finished ones are kept."),
    "ending": ("Kill", "End the collector at once; finished episodes are kept."),
}
_PAUSE = {
    False: ("Pause", "Hold the run where it is; it keeps its memory, and the GPU's."),
    True: ("Resume", "Let the run go on."),
}
_STATES = {
    "idle": ("Ready", "faint"),
    "running": ("Collecting", "good"),
    "paused": ("Paused", "warning"),
    "stopping": ("The running episodes are being finished", "warning"),
    "ending": ("Stopping", "warning"),
    "finished": ("Finished", "good"),
    "stopped": ("Stopped; Generate episodes goes on where it stopped", "warning"),
    "failed": ("Failed", "bad"),
}


class ShareModel(ui.AbstractValueModel):
    """The value of the bar; a model of Kit's own would write the share as a number with many digits."""

    def __init__(self) -> None:
        super().__init__()
        self._done = self._total = 0

    def show(self, done: int, total: int) -> None:
        """Show that so many of all are done."""
        if (done, total) != (self._done, self._total):
            self._done, self._total = done, total
            self._value_changed()

    def get_value_as_float(self) -> float:
        """The share that is done."""
        return self._done / self._total if self._total else 0.0

    def get_value_as_string(self) -> str:
        """What is written on the bar."""
        # Where this is empty, the bar writes a percentage of its own.
        return f"{self._done} of {self._total}" if self._total else " "


class LaunchSection(Section):
    """Start, watch and stop."""

    title = "Launch"
    refreshed_on = ("run", "estimate", "job")

    def build(self) -> None:
        """Two buttons, a bar, and what there is to say."""
        collector = self.collector
        with ui.HStack(height=30, spacing=GAP):
            self._generate = ui.Button(
                "Generate episodes",
                name="primary",
                clicked_fn=lambda: collector.attempt(collector.generate),
                tooltip="Collect all episodes that are not in the folder yet.",
                identifier="generate",
            )
            self._pause = ui.Button(
                "Pause", width=80, clicked_fn=collector.pause, tooltip=_PAUSE[False][1], identifier="pause"
            )
            self._stop = ui.Button(
                "Stop",
                name="stop",
                width=110,
                clicked_fn=collector.stop,
                tooltip=_STOP["running"][1],
                identifier="stop",
            )
        self._share = ShareModel()
        ui.ProgressBar(self._share, height=ROW_HEIGHT, tooltip="Episodes that are done.", identifier="progress")
        self._state = ui.Label("", height=0, identifier="state", tooltip="What the collector is doing.")
        self._detail = ui.Label(
            "",
            height=0,
            name="faint",
            identifier="detail",
            tooltip="Counted by the collector, estimated from its pace.",
        )
        self._error = ui.Label(
            "", height=0, name="bad", word_wrap=True, identifier="error", tooltip="The last thing that went wrong."
        )
        with ui.HStack(height=0, spacing=GAP):
            button("Open log", self._open_log, "Open what the collector said.", "log.open", width=90)
            tooltip = "Open what Isaac Sim said in the run."
            self._kit_log = button("Open Kit's log", self._open_kit_log, tooltip, "log.kit", width=120)

    def refresh(self) -> None:
        """Show the state of the run."""
        run, progress = self.collector.run, self.collector.run.progress
        self._generate.enabled = not run.active and not self.collector.problem
        self._pause.enabled = run.state in {"running", "paused"}
        self._pause.text, tooltip = _PAUSE[run.state == "paused"]
        self._pause.set_tooltip(tooltip)
        self._stop.enabled = run.active
        self._stop.text, tooltip = _STOP.get(run.state, _STOP["running"])
        self._stop.set_tooltip(tooltip)
        self._share.show(progress.done, progress.total)
        say(self._state, *_STATES[run.state])
        say(self._detail, self._numbers())
        say(self._error, run.error or progress.problem or self.collector.problem)
        self._kit_log.visible = self.collector.job.get(("backend",)) == "isaac"

    def _numbers(self) -> str:
        progress = self.collector.run.progress
        if not progress.total:
            return ""
        words = [f"{progress.done} of {progress.total} episodes"]
        if progress.failed:
            words.append(f"{progress.failed} failed")
        if progress.frames_per_second:
            words.append(f"{progress.frames_per_second:.0f} frames/s")
        remaining = progress.remaining(time.time())
        if remaining is not None and self.collector.run.state in {"running", "stopping"}:
            words.append(f"about {duration(remaining)} left")
        return " · ".join(words)

    def _open_log(self) -> None:
        collector = self.collector
        collector.attempt(lambda: open_path(collector.run.log, collector.environ))

    def _open_kit_log(self) -> None:
        collector = self.collector
        collector.attempt(lambda: open_path(collector.kit_log, collector.environ))
