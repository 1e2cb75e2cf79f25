"""How requests are put: servers differ in what they call the length of an answer, and in what they let be chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hpvqa.vlm.backends.openai.api import Api
from hpvqa.vlm.backends.openai.packing import Sent
from hpvqa.vlm.backends.openai.replies import ChatReply

_NO_TEMPERATURE = re.compile(
    r"temperature.{0,80}(support|only|allowed)|(support|recogni[sz]ed).{0,40}temperature", re.I
)
_TOO_SHORT = re.compile(r"max(_\w+)?_tokens.*(minimum|at least|>=|greater)", re.I)
_LEAST = 16


@dataclass(frozen=True)
class Dialect:
    """How requests to a server are put.

    Attributes:
        length: What the length of an answer is called.
        least: The shortest that can be asked for [tokens].
        temperature: At which the server draws; 0: it takes the likeliest; None: its own, which is not told.
    """

    length: str = "max_tokens"
    least: int = 1
    temperature: int | None = 0

    def body(self, model: str, sent: Sent, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The body of a request for a chat completion.

        Args:
            model: Name of the model.
            sent: The query.
            fields: Further fields; ``max_tokens`` is put as the server wants it, and ``draw`` says that an answer is
                to be drawn at temperature 1.
        """
        others = {name: value for name, value in fields.items() if name not in {"max_tokens", "draw"}}
        length = {self.length: max(fields["max_tokens"], self.least)}
        temperature = 1 if fields.get("draw") and self.temperature == 0 else self.temperature
        drawn = {} if temperature is None else {"temperature": temperature}
        return {"model": model, "messages": sent.messages, **drawn, **length, **sent.fields, **others}

    def after(self, refusal: str) -> Dialect | None:
        """How to put a request that was refused; None if that is not about how it was put.

        Args:
            refusal: What the server said.
        """
        if self.length == "max_tokens" and "max_completion_tokens" in refusal:
            return replace(self, length="max_completion_tokens")
        if self.least == 1 and _TOO_SHORT.search(refusal):
            return replace(self, least=_LEAST)
        if self.temperature != 1 and _NO_TEMPERATURE.search(refusal):
            # Some take none but their own, some take it only if it is named.
            return replace(self, temperature=None if self.temperature == 0 else 1)
        return None

    @property
    def details(self) -> dict[str, Any]:
        """What answers depend on, beyond what all servers do."""
        return {} if self.temperature == 0 else {"temperature": self.temperature or "the server's own"}


@dataclass
class Conversation:
    """Asks one model of a server.

    Attributes:
        api: The connection.
        model: Name of the model.
        dialect: How requests are put; what is learnt of it is written here.
    """

    api: Api
    model: str
    dialect: Dialect = Dialect()

    async def __call__(self, sent: Sent, **fields: Any) -> ChatReply:
        """Send one request for a chat completion.

        Args:
            sent: The query.
            fields: Further fields of the request.

        Raises:
            RequestError: There is no reply, or none that can be understood.
        """
        return await self.api.post("/chat/completions", self.dialect.body(self.model, sent, fields), ChatReply)
