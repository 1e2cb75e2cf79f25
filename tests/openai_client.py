"""A client of a stand-in server: answerers that are closed at the end, and small clips to ask about."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from hpvqa.vlm.backends.openai import OpenAIAnswerer
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.options import ServerOptions
from hpvqa.vlm.protocol import Answer, Query
from tests.servers import StandIn
from tests.tiny_models import frames_of

KEY = "sk-very-secret-4711"
GONE = {"error": {"message": "the engine is dead"}}


def bright(value: int, count: int = 3) -> Frames:
    rng = np.random.default_rng(value)
    return frames_of(rng.integers(value - 20, value + 20, (count, 32, 48, 3)).astype(np.uint8))


UNEVEN = frames_of(bright(200).images, (0, 7, 40))


class Loaded:
    """Answerers that are closed at the end, and what they told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._open: list[OpenAIAnswerer] = []

    def __call__(self, server: StandIn | str, **options: Any) -> OpenAIAnswerer:
        url = server if isinstance(server, str) else server.url
        answerer = OpenAIAnswerer(ServerOptions(server=url, **{"retries": 2, "concurrency": 4, **options}))
        self._open.append(answerer)
        answerer.load(self.told.append)
        if isinstance(server, StandIn):
            server.forget()
        return answerer

    def close(self) -> None:
        for answerer in self._open:
            answerer.close()


@pytest.fixture
def load() -> Iterator[Loaded]:
    loaded = Loaded()
    yield loaded
    loaded.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long would have been waited before each retry."""
    found: list[float] = []

    async def sleep(seconds: float) -> None:
        found.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr("hpvqa.vlm.backends.openai.api.sleep", sleep)
    return found


def parts(request: dict[str, Any]) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = request["messages"][-1]["content"]
    return content


def vllm(
    load: Loaded, query: Query, options: dict[str, Any] | None = None, **behaviour: Any
) -> tuple[OpenAIAnswerer, Answer, dict[str, Any]]:
    with StandIn(owned_by="vllm", **behaviour) as server:
        answerer = load(server, **(options or {}))
        (answer,) = answerer.answer([query])
        return answerer, answer, server.requests[-1]
