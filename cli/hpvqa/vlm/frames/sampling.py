"""How the frames that a model sees are chosen: one description for training, evaluation, serving and asking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from hpvqa.plain import Model
from hpvqa.record.fitting import Fit, Size, inner_size

Sampler = Literal["uniform", "dense", "motion", "events"]
Pixels = Annotated[int, Field(ge=1, le=4096)]

PAPER_FPS = 2.0
"""Frames a second that the paper's models see."""
DENSE_FPS = 8.0
"""Four times as many, over a stretch of a quarter of the clip: at the same cost, a bounce is seen in several frames."""


FRAME_OPTIONS = {
    "sampler": "--sampler",
    "fps": "--fps",
    "count": "--frames",
    "resolution": "--resolution",
    "fit": "--fit",
}
"""The option that sets each field."""


class FrameSampling(Model):
    """Which frames of a clip a model sees; written into every run and every adapter."""

    sampler: Sampler = Field(
        default="uniform",
        description="uniform: spread evenly over the whole clip; dense: one stretch of consecutive frames at the given "
        "rate, where most moves; motion: closer together where more moves, first and last frame included; "
        "events: those at recorded events (privileged: a camera does not know them), and others evenly between.",
    )
    fps: float = Field(
        default=PAPER_FPS,
        gt=0,
        le=240,
        description=f"Frames a second; by default {PAPER_FPS:g} as the paper's models see, {DENSE_FPS:g} with dense. "
        "Except with dense, only the number of frames follows from it, and only where that is not given.",
    )
    count: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="Number of frames, fewer where a clip has fewer; by default as many as uniform has at this rate, "
        f"with dense as many as at {PAPER_FPS:g} a second.",
    )
    resolution: tuple[Pixels, Pixels] | None = Field(
        default=(224, 224), description="Width and height of the frames [pixels]; null: as recorded."
    )
    fit: Fit = Field(
        default="pad",
        description="How clips of another shape are fitted into the frames: pad keeps their shape and adds grey bars; "
        "squeeze does not, as in earlier versions.",
    )

    @model_validator(mode="before")
    @classmethod
    def _dense_is_denser(cls, given: Any) -> Any:
        return {"fps": DENSE_FPS, **given} if isinstance(given, dict) and given.get("sampler") == "dense" else given

    @property
    def privileged(self) -> bool:
        """Whether the choice uses what a camera does not see."""
        return self.sampler == "events"

    def suits(self, sizes: Iterable[Size]) -> bool:
        """Whether clips of these sizes have the shape of the frames, so that nothing depends on how they are fitted."""
        wanted = self.resolution
        return wanted is None or all(inner_size(size, wanted) == wanted for size in sizes)


def squeezed_before(found: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """What a file says that a version wrote which squeezed all frames, and did not mention it.

    Args:
        found: What it says.
        names: What there is a choice of frames.
    """
    return {
        name: {"fit": "squeeze", **value} if name in names and isinstance(value, Mapping) else value
        for name, value in found.items()
    }
