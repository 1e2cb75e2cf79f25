"""The events of a long activity; docs/progress.md describes them for programs that read them."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from hpvqa.plain import Model

EVENTS_VERSION: Final = 1

Status = Literal["finished", "interrupted", "failed"]


class _Event(Model):
    time: float = Field(description="When it happened, in seconds since 1970-01-01 UTC.")


class Start(_Event):
    """An activity begins."""

    event: Literal["start"] = "start"
    version: Literal[1] = EVENTS_VERSION
    activity: str = Field(description="What is being done, such as collect.")
    unit: str = Field(description="What is counted, such as episodes.")
    total: int = Field(ge=0, description="How many there will be in the end.")
    done: int = Field(ge=0, description="How many were there already.")


class Item(_Event):
    """One more item is done."""

    event: Literal["item"] = "item"
    name: str = Field(description="Which one; for an episode its folder, inside the data folder.")
    ok: bool = Field(description="Whether it can be used.")
    tries: int = Field(ge=1, description="How many attempts it took.")
    message: str | None = Field(description="Why its last failed attempt failed.")
    done: int = Field(ge=0, description="How many are done now.")
    total: int = Field(ge=0, description="How many there will be in the end.")


class Frames(_Event):
    """How many frames were rendered; at most once a second."""

    event: Literal["frames"] = "frames"
    frames: int = Field(ge=0, description="All frames of this activity so far.")
    per_second: float = Field(ge=0, description="Rate over the last ten of these events.")


class Note(_Event):
    """Something worth knowing."""

    event: Literal["note"] = "note"
    message: str


class Warn(_Event):
    """Something that may be wrong, though the work goes on."""

    event: Literal["warning"] = "warning"
    message: str


class Done(_Event):
    """The activity is over."""

    event: Literal["done"] = "done"
    status: Status
    message: str | None = Field(description="Why it failed.")
    done: int = Field(ge=0, description="How many are done.")
    total: int = Field(ge=0, description="How many there should be.")
    seconds: float = Field(ge=0, description="How long it took.")


Event = Start | Item | Frames | Note | Warn | Done
