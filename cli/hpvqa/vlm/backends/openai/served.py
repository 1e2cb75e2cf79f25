"""Which model a server has, and which software it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from hpvqa.errors import HpvqaError, RunError, UsageError, nearest
from hpvqa.vlm.backends.openai.api import Api, root_of
from hpvqa.vlm.backends.openai.failures import IncompleteError, RequestError
from hpvqa.vlm.backends.openai.replies import Card, Cards, Version
from hpvqa.vlm.families import Family, find_family

ServerKind = Literal["vllm", "sglang", "other"]

_SEQUENCES_SINCE = (0, 32)
"""The first version of vLLM that was tested to keep the times of frames sent one by one; older ones may not."""

_SHOWN = 20
"""Of the names of a server's models, so many are shown."""


@dataclass(frozen=True)
class Served:
    """A model that is served.

    Attributes:
        model: The name by which it is asked for.
        kind: What serves it.
        version: Its version; None where it is not told.
        family: The model's family; None where it cannot be known from here.
    """

    model: str
    kind: ServerKind
    version: str | None = None
    family: Family | None = None

    @property
    def takes_times(self) -> bool:
        """Whether frames can be sent with their times."""
        match = re.match(r"(\d{1,6})\.(\d{1,6})", self.version or "")
        return self.kind == "vllm" and match is not None and (int(match[1]), int(match[2])) >= _SEQUENCES_SINCE


async def find_served(api: Api, url: str, model: str | None) -> Served:
    """Ask a server what it has.

    Args:
        api: The connection.
        url: The server's address.
        model: Name of a model there; None: the only one.

    Raises:
        UsageError: It has no such model, or several and none was named.
        RunError: It is down, refuses the key, or is no such server.
    """
    try:
        cards = (await api.get("/models", Cards)).data
    except RequestError as error:
        if model is not None and _lacks_list(error):
            return Served(model, "other")
        if error.status is None and error.hopeless:
            raise RunError(f"{error}; start one, for example with `hpvqa serve`, or give its --server") from None
        if error.status == 404:
            raise RunError(
                f"There is no OpenAI-compatible server at {url} (404); its address may end in /v1, or it lists no "
                "models and wants --model"
            ) from None
        if _lacks_list(error):
            raise RunError(f"{error}; if it is a server that does not list its models, add --model") from None
        raise
    card = _choose(cards, url, model)
    kind: ServerKind = "vllm" if card.owned_by == "vllm" else "sglang" if card.owned_by == "sglang" else "other"
    version = await _version(api, url) if kind == "vllm" else None
    return Served(card.id, kind, version, _family(card, cards) if kind == "vllm" else None)


def _lacks_list(error: RequestError) -> bool:
    """Whether a server does not say which models it has, though it may have some."""
    return isinstance(error, IncompleteError) or error.status in {400, 404, 405, 501}


def _choose(cards: list[Card], url: str, model: str | None) -> Card:
    names = [card.id for card in cards]
    if not names:
        raise UsageError(f"The server at {url} serves no model")
    if model is None and len(names) > 1:
        raise UsageError(f"The server at {url} serves several models; choose one with --model: {_some(names)}")
    for card in cards:
        # Google lists its models with a prefix, and takes them without.
        if model in (None, card.id, card.id.removeprefix("models/")):
            return card if model is None else card.model_copy(update={"id": model})
    raise UsageError(f"The server at {url} has no model {model!r}; {nearest(str(model), names)}")


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


async def _version(api: Api, url: str) -> str | None:
    try:
        return (await api.get(f"{root_of(url)}/version", Version)).version
    except RequestError:
        return None


def _family(card: Card, cards: list[Card]) -> Family | None:
    """Found where the server has its model from, which for an adapter is another model."""
    base = next((other for other in cards if other.id == card.parent), card)
    try:
        return find_family(base.root or base.id)
    except (HpvqaError, OSError, ValueError):
        # What a server says need not be a path.
        return None
