"""Asking a served model about an episode."""

from __future__ import annotations

from typing import Any

import omni.ui as ui

from hpvqa_collector.options import HELP
from hpvqa_collector.ui.rows import button, option_control, option_row, row, say
from hpvqa_collector.ui.sections.base import Section
from hpvqa_collector.ui.style import GAP


class AskSection(Section):
    """Ask a model about the episode that was just recorded."""

    title = "Ask"
    refreshed_on = ("answer",)

    def build(self) -> None:
        """Whom and what to ask, and what comes back."""
        collector = self.collector
        option_row(collector, "server", "Server", "text", HELP["server"])
        option_row(collector, "camera", "Camera", "text", HELP["camera"])
        with row("Question", HELP["question"]):
            option_control(collector, "question", "Question", "text", HELP["question"])
        with ui.HStack(height=0, spacing=GAP):
            self._ask = button("Ask about the newest episode", self._newest, "Send its clip to the model.", "ask")
            self._reveal = button(
                "Reveal truth", collector.reveal, "Show the correct answer and the hidden values.", "reveal", width=110
            )
        self._about = ui.Label("", height=0, name="faint", word_wrap=True, identifier="ask.about")
        self._answer = ui.Label("", height=0, word_wrap=True, identifier="ask.answer")
        self._truth = ui.Label("", height=0, name="good", word_wrap=True, identifier="ask.truth")

    def refresh(self) -> None:
        """Show the answer."""
        collector, answer = self.collector, self.collector.answer
        self._ask.enabled = not collector.asking
        self._reveal.enabled = answer is not None and "truth" in answer and not collector.revealed
        say(self._about, "" if answer is None else f"{answer['task']} {answer['index']}: {answer['question']}")
        if collector.asking:
            say(self._answer, "Asking ...", "faint")
        elif answer is None:
            say(self._answer, collector.answer_error, "bad")
        else:
            say(self._answer, "\n".join(answer_lines(answer)), "")
        shown = answer is not None and collector.revealed
        say(self._truth, truth_line(answer["truth"]) if shown and answer is not None else "")

    def _newest(self) -> None:
        self.collector.ask_about = None
        self.collector.attempt(self.collector.ask)


def answer_lines(answer: dict[str, Any]) -> list[str]:
    """What each camera's clip was answered with, and all of them together."""
    lines = []
    for view in answer["answers"]:
        if view["error"]:
            lines.append(f"{view['camera']}: no answer, {view['error']}")
        elif view["choice"] is None:
            lines.append(f"{view['camera']}: {view['text'].strip()}")
        else:
            lines.append(f"{view['camera']}: {view['choice']}{_probabilities(view)}")
    pooled = answer.get("pooled")
    if pooled is not None and len(answer["answers"]) > 1:
        lines.append(f"all together: {pooled['choice']}{_probabilities(pooled)}")
    return lines


def _probabilities(found: dict[str, Any]) -> str:
    if found["p_left"] is None:
        return ""
    return f"   (left {found['p_left']:.3f}, right {found['p_right']:.3f})"


def truth_line(truth: dict[str, Any]) -> str:
    """The correct answer and the hidden values."""
    hidden = next((key, value) for key, value in truth.items() if isinstance(value, dict))
    values = ", ".join(f"{side} {value:.3f}" for side, value in hidden[1].items())
    return f"Truth: {truth['answer']} ({hidden[0]}: {values})"
