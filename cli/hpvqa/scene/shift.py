"""What collections for testing change: one thing that a model must not depend on, episode by episode."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hpvqa.plain import Model


class Shift(Model):
    """Marks a collection as for testing only, and says what tasks change in it.

    What it changes besides, such as the rig or the lamp, stands where every recipe has it. With the same seed, each
    episode is the one of the same number in a collection without a shift, but for what is changed.
    """

    name: str = Field(
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40, description="What rows and reports call it."
    )
    values: Literal["usual", "beyond"] = Field(
        default="usual", description="Hidden values as always, or from ranges that each task has outside of these."
    )
    friction: Literal["usual", "rougher"] = Field(
        default="usual", description="Friction as always, or as much higher as each task says."
    )
    colors: Literal["usual", "vivid"] = Field(
        default="usual", description="Colours of things as always, or such as are never drawn otherwise."
    )
