"""Prompts that come with the package."""

from __future__ import annotations

import pytest

from hpvqa.tasks import TASKS
from hpvqa.vlm.prompt import load_prompt, prompt_names, swap_sides


def test_the_prompts_that_there_are() -> None:
    assert prompt_names() == ["paper", "robot-view"]
    assert len({load_prompt(name).sha256 for name in prompt_names()}) == 2


@pytest.mark.parametrize("name", ["paper", "robot-view"])
def test_a_prompt_is_called_as_its_file_is(name: str) -> None:
    assert load_prompt(name).name == name


def test_the_unambiguous_prompt_asks_the_same_question() -> None:
    paper, robot = load_prompt("paper"), load_prompt("robot-view")
    assert robot.system == paper.system
    for task in TASKS.values():
        assert robot.ask(task.question).endswith(task.question)
        assert "robot's own left and right, not those of the picture" in swap_sides(robot.ask(task.question)).replace(
            "right and left", "left and right"
        )


def test_what_it_says_of_cameras_stays_true_with_the_choices_in_the_other_order() -> None:
    said = load_prompt("robot-view").user
    for text in (said, swap_sides(said)):
        front, behind = (part.split("{question}")[0] for part in text.split("If the camera ")[1:])
        for side, other in (("left", "right"), ("right", "left")):
            assert f"robot's {side} is on the {other} of the picture" in front
            assert f"robot's {side} is on the {side} of the picture" in behind
