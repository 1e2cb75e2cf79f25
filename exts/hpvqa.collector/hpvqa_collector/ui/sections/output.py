"""Where the episodes go, and what they will take."""

from __future__ import annotations

from pathlib import Path

import omni.ui as ui

from hpvqa_collector.desktop import open_path
from hpvqa_collector.options import HELP, WHEN
from hpvqa_collector.progress import duration, size
from hpvqa_collector.ui.rows import button, option_control, option_row, row
from hpvqa_collector.ui.sections.base import Section
from hpvqa_collector.ui.style import GAP, LABEL_WIDTH


class OutputSection(Section):
    """Where the episodes go, what is there already, and what the rest will take."""

    title = "Output"
    rebuilt_on = ("job",)
    refreshed_on = ("estimate", "edited", "run")

    def build(self) -> None:
        """The folder, its state, and what happens when something closes."""
        collector = self.collector
        with row("Folder", HELP["data"]):
            option_control(collector, "data", "Folder", "text", HELP["data"])
            button("...", self._choose, "Choose the folder.", "data.choose", width=28)
            button("Open", self._open, "Open the folder in the desktop.", "data.open", width=48)
        with ui.HStack(height=0, spacing=GAP):
            ui.Spacer(width=LABEL_WIDTH)
            self._state = ui.Label("", height=0, word_wrap=True, identifier="estimate", tooltip="Checked with hpvqa.")
        option_row(collector, "when_closing", "When Isaac Sim closes", "choice", HELP["when_closing"], WHEN)
        option_row(collector, "when_stage_closes", "When the stage closes", "choice", HELP["when_stage_closes"], WHEN)
        option_row(collector, "command", "hpvqa command", "text", HELP["command"])
        if collector.job.get(("backend",)) == "isaac":
            option_row(collector, "isaac", "Isaac Lab", "text", HELP["isaac"])

    def refresh(self) -> None:
        """Show the newest estimate, or that it must wait."""
        self._state.text, self._state.name = self._words()

    def _words(self) -> tuple[str, str]:
        collector, found = self.collector, self.collector.estimate
        if collector.run.active:
            return "A run is at work; what is left to make is counted when it is over.", "faint"
        if collector.problem:
            return collector.problem, "bad"
        if found is None:
            return "Asking hpvqa ...", "faint"
        if found["busy"]:
            return "Another run is writing to this folder; wait until it ends, or choose another folder.", "bad"
        tasks = found["tasks"].values()
        asked, there = (sum(task[key] for task in tasks) for key in ("asked", "already"))
        if asked <= there:
            return f"All {asked} episodes are there already.", "good"
        words = f"{there} of {asked} episodes are there; the other {asked - there} take about {size(found['bytes'])}"
        words += f" and {duration(found['seconds'])}." if found["seconds"] is not None else "."
        if found["bytes"] > found["free_bytes"]:
            return f"{words} That is more than the {size(found['free_bytes'])} that are free on this disk.", "bad"
        return f"{words} {size(found['free_bytes'])} are free.", "faint"

    def _choose(self) -> None:
        collector = self.collector

        def chosen(path: Path) -> None:
            collector.options.data = str(path)
            collector.changed("job")

        self.dialogs.ask("Choose the folder of the episodes", "Choose", chosen, collector.home)

    def _open(self) -> None:
        collector = self.collector
        collector.attempt(lambda: open_path(collector.data, collector.environ))
