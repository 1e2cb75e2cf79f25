"""What the panel remembers beside the job: where to, how many at a time, whom to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

SPEEDS = ("0.1", "0.25", "0.5", "1", "2", "4")
END, GO_ON = "end it", "let it go on"
WHEN = (END, GO_ON)
"""What becomes of a run when something closes."""


@dataclass
class Options:
    """Values that are no part of a recipe.

    Attributes:
        command: Command line of hpvqa; empty: the one that is found.
        data: The data folder.
        isaac: Where Isaac Lab or Isaac Sim is; empty: it is looked for.
        workers: Processes of the embedded simulator; 0: as many as hpvqa chooses.
        when_closing: What becomes of a run when Isaac Sim closes or the extension is switched off.
        when_stage_closes: What becomes of a run when the stage is closed.
        server: Address of a model's server.
        camera: Which camera's clip it is asked about; ``all`` for all.
        question: What it is asked; empty: the question of the task.
        preview_task: Task of the previewed episode; empty: the first one.
        preview_index: Number of the previewed episode.
        replay_speed: How fast an episode is played back; 1: as fast as it was.
        folded: Sections that are folded up.
    """

    command: str = ""
    data: str = ""
    isaac: str = ""
    workers: int = 0
    when_closing: str = END
    when_stage_closes: str = GO_ON
    server: str = "http://127.0.0.1:8000/v1"
    camera: str = "all"
    question: str = ""
    preview_task: str = ""
    preview_index: int = 0
    replay_speed: str = "1"
    folded: list[str] = field(default_factory=lambda: ["Randomization", "Cameras"])

    def stored(self) -> dict[str, Any]:
        """Everything, for the next session."""
        return asdict(self)

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Take over what an earlier session stored; what it does not say, or says in another type, stays."""
        for known in fields(self):
            value = stored.get(known.name)
            if type(value) is type(getattr(self, known.name)):
                setattr(self, known.name, value)


HELP = {
    "command": "Command line of hpvqa. Empty: that of the checkout or environment around this extension, of Kit's own "
    "Python, or on PATH.",
    "data": "Folder of the episodes: a new or empty one, or one to go on with.",
    "isaac": "isaaclab.sh, python.sh, a Python with Isaac Lab, or a folder with one of them. Empty: it is looked for.",
    "workers": "Processes of the embedded simulator. 0: one for each core.",
    "when_closing": "What becomes of a run when Isaac Sim closes or this extension is switched off or reloaded. "
    "A run that goes on is found again; finished episodes are always whole.",
    "when_stage_closes": "What becomes of a run when the stage is closed or another one is opened.",
    "server": "Address of a served model (hpvqa serve), as OpenAI clients take it.",
    "camera": "Whose clip the model sees: a camera's name, several between commas, or all.",
    "question": "What to ask. Empty: the question of the episode's task.",
    "preview_task": "Task of the episode that is previewed.",
    "preview_index": "Number of the episode that is previewed, as it will be recorded under this number.",
    "replay_speed": "How fast an episode is played back; 1: as fast as it was.",
}
"""What each option means; the tooltips."""

HINTS = {
    "command": "found by itself",
    "isaac": "found by itself",
    "camera": "all",
    "question": "the question of the task",
}
"""What an option means that is left empty."""
