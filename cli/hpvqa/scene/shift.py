"""What collections for testing change: one thing that a model must not depend on, episode by episode."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hpvqa.plain import Model


class Shift(Model):
    """Marks a collection as for testing only, and says what tasks change in it.

    What it changes besides, such as the rig or the lamp, stands where every recipe has it. With the same seed, each
    episode is the one of the same number in a collection without a shift, but for what is changed.
    """

    name: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        max_length=40,
        description="What rows and reports call it; null: this is none, and models may be trained on the episodes.",
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

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if self.name is None and {self.values, self.friction, self.colors} != {"usual"}:
            raise ValueError("what changes something for testing needs a name")
        return self


UNSHIFTED = Shift()
"""Episodes as always."""
