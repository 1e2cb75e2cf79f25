"""The answerer, and the event loop in which it keeps its connections."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import JsonValue

from hpvqa.errors import HpvqaError, MissingDependencyError, RunError, UsageError
from hpvqa.install import pip_install
from hpvqa.scene.spec import Side
from hpvqa.tasks.base import FORMS, Form
from hpvqa.vlm.backends.openai.api import Api, check_url
from hpvqa.vlm.backends.openai.dialect import Conversation
from hpvqa.vlm.backends.openai.drawn import Drawn
from hpvqa.vlm.backends.openai.failures import IncompleteError, RequestError
from hpvqa.vlm.backends.openai.packing import MediaFolder, Sent
from hpvqa.vlm.backends.openai.replies import ChatReply
from hpvqa.vlm.backends.openai.scores import Spoken, nothing_within
from hpvqa.vlm.backends.openai.served import Served, find_served
from hpvqa.vlm.backends.openai.trial import ServerSetup, expected, stretches, try_out
from hpvqa.vlm.families import Family
from hpvqa.vlm.options import ServerOptions
from hpvqa.vlm.prompt import CHOICES
from hpvqa.vlm.protocol import Answer, Query, Resampling
from hpvqa.vlm.reading import read
from hpvqa.vlm.scoring import MassCheck
from hpvqa.vlm.thoughts import cut_off, spoken

_ROUNDS = 4
"""Queries at once, in requests at once: the slowest request of a batch keeps the others waiting, so not too few."""
T = TypeVar("T")


@dataclass(frozen=True)
class _Connection:
    """What is there between loading and closing."""

    background: Background
    api: Api
    slots: asyncio.Semaphore
    media: MediaFolder | None


class OpenAIAnswerer:
    """Asks a server, several queries at a time.

    Args:
        options: What the user says.
        words: All words that queries will choose from, if their probabilities are wanted.

    Raises:
        UsageError: The options contradict each other, or the address or the key cannot be one.
        MissingDependencyError: The client is not installed.
    """

    given_frames = True
    forms: Sequence[Form] = FORMS
    privileged = False
    distributions = ("av", "numpy")

    def __init__(self, options: ServerOptions, words: Sequence[Side] = CHOICES) -> None:
        if importlib.util.find_spec("httpx2") is None:
            raise MissingDependencyError(f"Servers are asked with the package httpx2; run: {pip_install('openai')}")
        self._url = check_url(options.server)
        if options.key is not None and not re.fullmatch(r"[!-~]+", options.key.get_secret_value()):
            raise UsageError("The key in the environment must be letters, digits and signs of ASCII without spaces")
        if options.transport == "file" and (options.media is None or not options.media.is_dir()):
            raise UsageError("--transport file needs --media, a folder that exists and that the server may read")
        if options.transport != "file" and options.media is not None:
            raise UsageError("--media is for --transport file")
        self.batch_size = _ROUNDS * options.concurrency
        self._options, self._words = options, words
        self._open: _Connection | None = None
        self._served: Served | None = None
        self._chat: Conversation | None = None
        self._setup: ServerSetup | None = None
        self._mass: MassCheck | None = None

    @property
    def name(self) -> str:
        """The model's name on the server, or where it is as long as that is not known."""
        return self._served.model if self._served else self._options.model or self._url

    @property
    def family(self) -> Family | None:
        """The model's family; None where the server does not tell, or was not tried yet."""
        return self._served.family if self._served else None

    @property
    def resampling(self) -> Resampling:
        """Whether the server keeps all frames; known once it was tried."""
        return self._setup.resampling if self._setup else "unknown"

    @property
    def details(self) -> Mapping[str, JsonValue]:
        """Everything that answers depend on; complete once the server was tried."""
        options, served, setup = self._options, self._served, self._setup
        spoken = setup is not None and isinstance(setup.method, Spoken | Drawn)
        how = options.scoring if setup is None or options.scoring == "sample" else "generate" if spoken else "logprobs"
        return {
            "url": self._url,
            "transport": options.transport,
            "served_model": served.model if served else None,
            "server": served.kind if served else None,
            "server_version": served.version if served else None,
            "family": served.family.name if served and served.family else None,
            "scoring": how,
            "scored": setup.method.name if setup else None,
            "max_new_tokens": options.max_new_tokens if spoken else None,
            **options.spoken_details,
            **(self._chat.dialect.details if self._chat else {}),
        }

    def load(self, tell: Callable[[str], None]) -> None:
        """Connect, unless it is connected, and try the server out.

        Raises:
            UsageError: The server has no such model, or several.
            RunError: It is down, refuses the key or the transport, or is no such server.
        """
        if self._open is not None:
            return
        options = self._options
        # It and the semaphore belong to the loop in which they are first used.
        api = Api(self._url, options)
        media = MediaFolder(options.media) if options.media else None
        connection = _Connection(Background(), api, asyncio.Semaphore(options.concurrency), media)
        self._open, self._mass = connection, MassCheck(tell)
        try:
            connection.background.run(self._prepare(connection, tell))
        except BaseException:
            self.close()
            raise
        if media is not None:
            media.clear()

    async def _prepare(self, connection: _Connection, tell: Callable[[str], None]) -> None:
        served = await find_served(connection.api, self._url, self._options.model)
        chat = Conversation(connection.api, served.model)
        put = None if connection.media is None else connection.media.put
        self._setup = await try_out(chat, served, self._options, put, tell, self._words)
        self._served, self._chat = served, chat

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Ask about all queries, and wait for all answers.

        Raises:
            RunError: The server has gone, or refuses the key.
        """
        connection = self._open
        if connection is None:
            raise RunError("The server was not loaded")
        start = time.perf_counter()
        try:
            found = connection.background.run(self._answer_all(connection, queries))
        finally:
            if connection.media is not None:
                connection.media.clear()
        failed = [error for error in found if isinstance(error, RequestError)]
        if failed and len(failed) == len(queries) and all(error.hopeless for error in failed):
            raise RunError(f"{failed[0]}; once it answers, go on with the same command")
        seconds = (time.perf_counter() - start) / max(len(queries), 1)
        answers = [Answer(None, error=str(item)) if isinstance(item, HpvqaError) else item for item in found]
        for answer in answers:
            if answer.logprobs is not None and self._mass is not None:
                self._mass.check(answer.logprobs, answer.text)
        return [replace(answer, seconds=seconds) for answer in answers]

    async def _answer_all(self, connection: _Connection, queries: Sequence[Query]) -> list[Answer | HpvqaError]:
        return await asyncio.gather(*(self._answer_one(connection, query) for query in queries))

    async def _answer_one(self, connection: _Connection, query: Query) -> Answer | HpvqaError:
        assert self._chat is not None  # noqa: S101 - it was loaded
        assert self._setup is not None  # noqa: S101
        ask, setup = self._chat, self._setup

        async def chat(sent: Sent, **fields: Any) -> ChatReply:
            if setup.frames_each is None or not sent.frames:
                return await ask(sent, **fields)
            reply = await ask(sent, **fields, return_token_ids=True)
            if stretches(reply.prompt_token_ids) != expected(sent.frames, setup.frames_each):
                raise IncompleteError(
                    "The server left out frames of this query; use --transport images, or start vLLM with "
                    "--trust-request-mm-kwargs"
                )
            return reply

        try:
            # Encoded only when it is its turn, so that only few encoded clips are in memory; in a thread, so that
            # replies are read meanwhile.
            async with connection.slots:
                sent = await asyncio.to_thread(setup.packing.pack, query)
                if query.unit is not None:
                    return await setup.spoken.number(chat, sent, query.unit)
                return await setup.method.answer(chat, sent, query.choices)
        except HpvqaError as error:
            return error

    def speak(self, query: Query, on_text: Callable[[str], None]) -> Answer:
        """Let the model say what it wants, and pass it on while it comes.

        Args:
            query: The query.
            on_text: Takes what was said since the last call, in another thread.

        Returns:
            All that was said; where it broke off, with an error.

        Raises:
            RunError: The server has gone, or refuses the key.
        """
        connection = self._open
        if connection is None:
            raise RunError("The server was not loaded")
        start = time.perf_counter()
        said: list[str] = []

        def heard(text: str) -> None:
            said.append(text)
            on_text(text)

        error = None
        try:
            connection.background.run(self._listen(connection, query, heard))
        except RequestError as failed:
            if failed.hopeless:
                raise
            error = str(failed)
        except UsageError as failed:
            error = str(failed)
        text = "".join(said)
        if error is None and not (spoken(text) or "").strip():
            most = self._options.longest
            error = nothing_within(most) if self._options.thinking is None else cut_off(most)
        found = read("" if error else text, query)
        return Answer(text=text, seconds=time.perf_counter() - start, error=error, **found)

    async def _listen(self, connection: _Connection, query: Query, heard: Callable[[str], None]) -> None:
        assert self._chat is not None  # noqa: S101 - it was loaded
        assert self._setup is not None  # noqa: S101
        sent = await asyncio.to_thread(self._setup.packing.pack, query)
        body = self._chat.dialect.body(self._chat.model, sent, {"max_tokens": self._options.longest})
        # Where the prompt has begun the thought, the reply lacks its beginning, unless thoughts are told apart.
        how = self._setup.spoken
        mark = (how.spoken if isinstance(how, Drawn) else how).begun
        async with aclosing(connection.api.stream("/chat/completions", body)) as pieces:
            async for piece in pieces:
                mark = "" if piece.thinks else mark
                if piece.text:
                    heard(mark + piece.text)
                    mark = ""

    def close(self) -> None:
        """Close the connections; loading opens others."""
        connection, self._open = self._open, None
        if connection is None:
            return
        connection.background.run(connection.api.close())
        connection.background.close()
        if connection.media is not None:
            connection.media.close()


class Background:
    """Runs coroutines, from its making until it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hpvqa-server", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and wait for what it returns or raises; if waiting is interrupted, it is cancelled."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Cancel what still runs, and stop."""
        self.run(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _finish(self) -> None:
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()
