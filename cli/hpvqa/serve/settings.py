"""What a user says about a server that is to be started."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from hpvqa.hosts import is_local
from hpvqa.plain import Model
from hpvqa.vlm.options import VllmOptions

MAX_VIDEOS = 9
"""Videos of one query: an agent that explores has seen so many views at its last decision."""


class ServeSettings(Model):
    """A server that is to be started."""

    model: VllmOptions
    host: str = Field(default="127.0.0.1", description="Address to listen at; any but this machine's own needs a key.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen at; 0: a free one.")
    media: Path | None = Field(
        default=None, description="The only folder whose videos may be asked about as file://; null: none."
    )
    context: int | None = Field(
        default=None,
        ge=64,
        description="Longest prompt and answer, videos included [tokens]; null: what the model and the memory allow.",
    )
    thinking: bool = Field(
        default=False, description="Let the model think, where a client does not say; hpvqa itself says so each time."
    )
    timeout: float = Field(default=900.0, gt=0, description="Longest wait until it answers [s].")

    @property
    def url(self) -> str:
        """Where it is asked, from this machine."""
        return f"http://{_written(_reachable(self.host))}:{self.port}/v1"

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_local(self.host)


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - nothing is bound


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host
