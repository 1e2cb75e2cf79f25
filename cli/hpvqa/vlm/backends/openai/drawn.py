"""Several answers to a query, drawn by the server: for models whose probabilities are not told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hpvqa.scene.spec import Side
from hpvqa.vlm.backends.openai.failures import IncompleteError, RequestError
from hpvqa.vlm.backends.openai.packing import Sent
from hpvqa.vlm.backends.openai.replies import ChatReply
from hpvqa.vlm.backends.openai.scores import Chat, Spoken
from hpvqa.vlm.protocol import Answer
from hpvqa.vlm.samples import counted


@dataclass(frozen=True)
class Drawn:
    """The model speaks several times, and its words are read and counted.

    Attributes:
        spoken: How a reply is read.
        samples: How many answers are drawn.
        together: Whether one request may ask for several, so that the prompt is paid for once.
    """

    spoken: Spoken
    samples: int
    together: bool
    name = "drawn texts"

    async def answer(self, chat: Chat, sent: Sent, choices: Sequence[Side]) -> Answer:
        """As many requests as it takes."""
        return await self._count(chat, sent, lambda reply: self.spoken.choice(reply, choices), choices)

    async def number(self, chat: Chat, sent: Sent, unit: str) -> Answer:
        """The same, for a number in a unit."""
        return await self._count(chat, sent, lambda reply: self.spoken.value(reply, unit), ())

    async def _count(
        self, chat: Chat, sent: Sent, read: Callable[[ChatReply], Answer], choices: Sequence[Side]
    ) -> Answer:
        found: list[Answer] = []
        while len(found) < self.samples:
            more = {"n": self.samples - len(found)} if self.together and self.samples - len(found) > 1 else {}
            reply = await chat(sent, max_tokens=self.spoken.most, draw=True, **more)
            found += [_answer(one, read) for one in reply.each[: self.samples - len(found)]]
        return counted(found, choices)


def _answer(reply: ChatReply, read: Callable[[ChatReply], Answer]) -> Answer:
    """What one reply says; one that says nothing is an error of its own, which the others do not share."""
    try:
        return read(reply)
    except IncompleteError as error:
        # Its tokens were generated, too.
        return Answer(error=str(error), answer_tokens=reply.answer_tokens)


async def draws_together(chat: Chat, sent: Sent, refused: set[int]) -> bool:
    """Whether a server gives several answers to one request.

    Args:
        chat: Asks the model.
        sent: A query to try it with.
        refused: Status codes of requests that a server understands and does not take.

    Raises:
        RequestError: It does not answer, for now.
    """
    try:
        return len((await chat(sent, max_tokens=1, draw=True, n=2)).choices) > 1
    except RequestError as error:
        if error.status not in refused:
            raise
        return False
