"""Ranges of the nuisance variables: what differs between episodes but must not tell the answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from hpvqa.plain import Model


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"a range goes from low to high, not from {bounds[0]} to {bounds[1]}")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""A uniform range (low, high)."""


class Randomization(Model):
    """Nuisance variables that every task shares. The defaults are the paper's."""

    start_jitter: float = Field(
        default=0.01, ge=0, le=0.02, description="Objects start within ± this of their place, in x and in y [m]."
    )
    light_x: Range = Field(default=(-2.0, 2.0), description="Position of the lamp, x [m].")
    light_y: Range = Field(default=(-2.0, 2.0), description="Position of the lamp, y [m].")
    light_z: Range = Field(default=(2.0, 2.0), description="Height of the lamp above the table [m].")
    object_colors: Literal["shared", "independent"] = Field(
        default="shared",
        description="Whether both objects of an episode share one colour, so that no visible cue differs.",
    )
    object_contrast: float = Field(
        default=50.0, ge=0, le=60, description="Least CIE 1976 colour difference between an object and the table."
    )
    look: Literal["plain", "materials"] = Field(
        default="plain",
        description="What the room looks like: plain surfaces of any colour, or wood, fabric and plastic in the "
        "colours that they come in; no object then looks like the floor or a wall either.",
    )
