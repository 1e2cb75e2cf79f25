"""Whether an episode bears out its label, and the measured evidence."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from hpvqa.plain import Model
from hpvqa.scene.spec import SIDES


class Measurement(Model):
    """What the hidden property did to each thing, from physics states and events."""

    quantity: str
    values: dict[str, float] = Field(description="By the name of the thing.")

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_version(cls, data: Any) -> Any:
        """Episodes of version 1 had a field for each side."""
        if isinstance(data, dict) and "values" not in data and data.keys() >= set(SIDES):
            kept = {key: value for key, value in data.items() if key not in SIDES}
            return {**kept, "values": {side: data[side] for side in SIDES}}
        return data

    def of(self, name: str) -> float:
        """The value of one thing."""
        return self.values[name]


class Outcome(Model):
    """Whether an episode went as its label says, and the measured evidence."""

    ok: bool
    reason: str | None = Field(default=None, description="Why the episode failed, in words.")
    measurement: Measurement | None = None
