"""A recorded episode, played back on the stage."""

from __future__ import annotations

from functools import partial
from typing import Any

import omni.ui as ui

from hpvqa_collector.options import HELP, SPEEDS
from hpvqa_collector.ui import stage
from hpvqa_collector.ui.rows import button, in_columns, option_row, row, say
from hpvqa_collector.ui.sections.base import Section
from hpvqa_collector.ui.style import GAP, ROW_HEIGHT

_COLUMNS = 3


class ReplaySection(Section):
    """An episode that was chosen under Episodes, at any of its moments."""

    title = "Replay"
    rebuilt_on = ("replay",)
    refreshed_on = ("moment",)

    def build(self) -> None:
        """What to press while there is no episode; else its moment, what changes it, and its cameras."""
        self._shown: tuple[Any, ui.Button, ui.Label] | None = None
        self._showing = False
        playback = self.collector.playback
        if playback.episode is None:
            words = "The episode is being read..." if playback.waiting else "Press Replay beside an episode."
            ui.Label(words, height=0, name="faint", identifier="replay.none")
            return
        outcome = playback.episode["record"]["outcome"]
        words = "usable" if outcome["ok"] else f"failed: {outcome['reason']}"
        ui.Label(
            f"{playback.name}: {words}",
            height=0,
            name="good" if outcome["ok"] else "bad",
            word_wrap=True,
            identifier="replay.episode",
        )
        with row("Time [s]", "The moment that is shown."):
            slider = ui.FloatSlider(
                min=0.0,
                max=playback.times[-1],
                format="%.2f",
                tooltip="The moment that is shown; drag to see another one.",
                identifier="replay.time",
            )
            slider.model.add_value_changed_fn(self._dragged)
        with ui.HStack(height=ROW_HEIGHT, spacing=GAP):
            play = button("Play", playback.play, "Play on, or pause; at the end, from the start.", "replay.play")
            for text, rows, where in (("<", -1, "before"), (">", 1, "after")):
                step = partial(playback.step, rows)
                button(text, step, f"Show the frame {where} this one.", f"replay.{where}", width=30)
            button("Remove", self._erase, "Take the episode off the stage.", "replay.remove", width=90)
        moment = ui.Label("", height=0, name="faint", identifier="replay.moment")
        option_row(self.collector, "replay_speed", "Speed", "choice", HELP["replay_speed"], SPEEDS)
        ui.Label("Look through", height=0, name="faint", tooltip="Lets the viewport see what the camera recorded.")
        in_columns(list(playback.cameras), _COLUMNS, self._camera)
        self._shown = slider.model, play, moment

    def refresh(self) -> None:
        """Show which moment it is."""
        if self._shown is None:
            return
        model, play, moment = self._shown
        playback = self.collector.playback
        self._showing = True
        model.set_value(playback.time)
        self._showing = False
        play.text = "Pause" if playback.playing else "Play"
        frame = f"frame {playback.row + 1} of {len(playback.times)}"
        say(moment, f"{frame}; {playback.event}" if playback.event else frame)

    def _dragged(self, model: ui.AbstractValueModel) -> None:
        if not self._showing:
            self.collector.playback.seek(model.as_float)

    def _camera(self, name: str) -> None:
        look = partial(self._look, self.collector.playback.cameras[name])
        button(name, look, f"Let the viewport look through {name}.", f"replay.look.{name}")

    def _look(self, path: str) -> None:
        self.collector.attempt(lambda: stage.look_through(path))

    def _erase(self) -> None:
        self.collector.playback.forget()
        self.collector.attempt(stage.erase)
        self.collector.tell("replay")
