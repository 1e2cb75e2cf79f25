"""What stands beside the steps: descriptions of single pictures, and short questions about single steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hpvqa.explore.agents.words import shown, told
from hpvqa.explore.samples.claims import claim, write
from hpvqa.explore.samples.fields import listed, written
from hpvqa.explore.samples.situation import Boxes, Situation
from hpvqa.explore.samples.thought import Thought

CAPTION_SYSTEM = "You see a table with a robot arm."
CAPTION_TEXTS = (
    "Describe what stands on the table, each thing with its box.",
    "Which things are to be seen? Give the box of each.",
    "Name all things in the picture, from left to right, and say where they are.",
)
SINGLE_SYSTEM = (
    "You see a table with a robot arm through a viewer that can move. Some things may be hidden. You are asked about "
    "what was seen so far."
)
_SINGLES = 2
"""Short questions a step."""


@dataclass(frozen=True)
class Short:
    """A short question.

    Attributes:
        asks: What it is about.
        text: What is asked after the pictures.
        reply: The answer.
    """

    asks: str
    text: str
    reply: str


def caption(situation: Situation, boxes: Boxes, rng: np.random.Generator) -> Short:
    """A description of the newest picture, from left to right.

    Args:
        situation: The step.
        boxes: What is seen in the picture.
        rng: Chooses the words.
    """
    looks = _looks(situation)
    things = sorted(boxes, key=lambda name: boxes[name])
    claims = [claim("shown", look=looks[name], at=boxes[name]) for name in things] or [claim("bare")]
    text = CAPTION_TEXTS[int(rng.integers(len(CAPTION_TEXTS)))]
    return Short("caption", text, " ".join(write(found, rng) for found in claims))


def shorts(situation: Situation, thought: Thought, rng: np.random.Generator) -> list[Short]:
    """Some short questions about a step, whose answers its thought says."""
    turn = situation.turn
    lines = [*told(turn.brief), *(line for number in range(len(turn.shots)) for line in shown(turn, number))]
    questions = list(_questions(situation, thought, rng))
    chosen = sorted(rng.permutation(len(questions))[:_SINGLES].tolist())
    return [Short(questions[n].asks, "\n".join([*lines, questions[n].text]), questions[n].reply) for n in chosen]


def _questions(situation: Situation, thought: Thought, rng: np.random.Generator) -> Iterator[Short]:
    certain = any(found.kind == "certain" for found in thought["uncertain"])
    yield Short("suffices", "Is the answer to the question certain? Reply yes or no.", "yes" if certain else "no")
    unseen = [
        place for found in thought["uncertain"] if found.kind in ("open", "idle") for place in found.values["places"]
    ]
    ask = "Which places where something may be hidden were not seen so far? Name them, or reply none."
    yield Short("unseen", ask, listed(unseen, "and") if unseen else "none")
    actions = [found for found in thought["gains"] if not found.values["text"].startswith("Answer: ")]
    if actions:
        option = actions[int(rng.integers(len(actions)))].values
        ask = f'How much would "{option["text"]}" tell at once about the answer, beside the other actions?'
        ask = f"{ask} Reply none, some or most."
        yield Short("gain", ask, option["gain"])
    things = Counter(_looks(situation)[name] for name in (situation.boxes[-1] if situation.boxes else {}))
    single = [found for found in thought["seen"] if found.kind == "thing" and things[found.values["look"]] == 1]
    if single:
        thing = single[int(rng.integers(len(single)))].values
        ask = f"Where is the {thing['look']} in the newest picture? Reply with its box."
        yield Short("where", ask, written(thing["at"]))


def _looks(situation: Situation) -> dict[str, str]:
    scene = situation.scene
    items = {item.thing.name: item.look.words for item in scene.items}
    hidden = zip(scene.places, scene.looks, strict=True)
    return items | {place.name: look.words for place, look in hidden if look is not None}
