"""The card of a LeRobotDataset, ``README.md``."""

from __future__ import annotations

from pathlib import Path

import yaml

from hpvqa.dataset.card import CARD_FILE
from hpvqa.files import write_text
from hpvqa.tasks.base import Task

VERSION = "v3.0"

_TEXT = """# LeRobotDataset {version}

{episodes} episodes ({frames} frames) of a simulated Franka Panda, exported by hpvqa: {title}.

```python
from lerobot.datasets.lerobot_dataset import LeRobotDataset

episodes = LeRobotDataset("hpvqa/{task}", root="path/to/this/folder", video_backend="pyav")
```

- `observation.state`: the angles of the seven joints [rad], and how far the gripper is closed (0 to 1).
- `observation.images.*`: the recorded clips, copied without encoding them again.
- {language}
- {action}
- Columns of `meta/episodes` say what each episode hides: `answer`, `value_*` (in {unit}), `seed`, `source`, `episode`.
"""
_LANGUAGE = {
    True: "`language_events`: the questions (style `vqa`) on the last frame of each episode, for each camera. LeRobot "
    "0.4 does not read them: export with `--no-language` for it.",
    False: "The questions are left out, for older versions of LeRobot.",
}


_ACTION = {
    True: "`action`: what the robot was told at each frame: where the point between its fingers should be (x, y, z "
    "[m]; quaternion w, x, y, z), and how far the gripper should be closed (0 to 1).",
    False: "There is no `action`: an older hpvqa recorded these episodes, without what the robot was told.",
}


def write_card(root: Path, task: Task, episodes: int, frames: int, *, commanded: bool, language: bool) -> None:
    """Write the card of so many episodes and frames of a task.

    Args:
        root: Folder of the data set.
        task: The task.
        episodes: How many.
        frames: Of all of them together.
        commanded: Whether there is an ``action``.
        language: Whether there are the questions.
    """
    front = {
        "language": ["en"],
        "task_categories": ["robotics", "visual-question-answering"],
        "tags": ["LeRobot", "physical-reasoning"],
        "configs": [{"config_name": "default", "data_files": "data/*/*.parquet"}],
    }
    text = _TEXT.format(
        version=VERSION,
        episodes=episodes,
        frames=frames,
        title=task.title[:1].lower() + task.title[1:],
        task=task.name,
        unit=task.unit or "no unit",
        language=_LANGUAGE[language],
        action=_ACTION[commanded],
    )
    write_text(root / CARD_FILE, f"---\n{yaml.safe_dump(front, sort_keys=False, width=120)}---\n{text}")
