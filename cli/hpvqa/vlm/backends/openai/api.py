"""Requests to a server: retries, and errors as sentences."""

from __future__ import annotations

import json
import re
from asyncio import sleep
from collections.abc import AsyncIterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError

from hpvqa.errors import RunError, UsageError
from hpvqa.vlm.backends.openai.address import NO_ADDRESS, is_local
from hpvqa.vlm.backends.openai.events import read_events
from hpvqa.vlm.backends.openai.retries import PATIENCE, may_pass, wait_before, wanted_wait
from hpvqa.vlm.options import ServerOptions

R = TypeVar("R", bound=BaseModel)

_LONGEST = 300
"""Of what a server says, so much is repeated [characters]."""
_END = "[DONE]"
"""What follows the last piece of a reply that comes piece by piece."""


class RequestError(RunError):
    """A request failed for good.

    Attributes:
        status: The server's status code; None where there was no reply.
        hopeless: Whether all other requests would fail, too: the server has gone, or refuses the key.
        said: What the server said.
    """

    def __init__(self, message: str, status: int | None = None, *, hopeless: bool = False, said: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.hopeless = hopeless
        self.said = said


class IncompleteError(RequestError):
    """A reply lacks what was asked for."""


class Api:
    """A connection to a server.

    What may pass by itself is tried again, after waits that grow and have some chance in them, or after the time that
    the server names: no connection, a timeout, and the status codes 408, 409, 429 and from 500 on. A server on this
    machine is asked directly, whatever proxies the environment names.

    Args:
        url: The server's address.
        options: Key, retries and timeout.

    Attributes:
        url: The server's address.

    Raises:
        UsageError: The address is none, or the environment names a proxy that cannot be used.
    """

    def __init__(self, url: str, options: ServerOptions) -> None:
        import httpx2

        self.url = url
        self._key = options.key
        self._retries = options.retries
        self._timeout = options.timeout
        try:
            httpx2.URL(url)
        except httpx2.InvalidURL:
            raise UsageError(NO_ADDRESS) from None
        parts = urlsplit(url)
        headers = {} if options.key is None else {"Authorization": f"Bearer {options.key.get_secret_value()}"}
        try:
            self._client = httpx2.AsyncClient(
                headers=headers,
                timeout=options.timeout,
                # We make no more requests at once than the user wants.
                limits=httpx2.Limits(),
                trust_env=not is_local(parts.hostname or ""),
                # Without TLS there is nothing to verify, and reading all certificates takes a while.
                verify=parts.scheme == "https",
            )
        except (ImportError, ValueError, httpx2.InvalidURL):
            raise UsageError(
                "The proxy that the environment names cannot be used; correct HTTP_PROXY, HTTPS_PROXY or ALL_PROXY, or "
                f"put {parts.hostname} into NO_PROXY"
            ) from None

    async def get(self, path: str, kind: type[R]) -> R:
        """Ask for something; this is not tried again, so that a server that is down is noticed at once.

        Args:
            path: Below the server's address, or a whole address.
            kind: What to expect.

        Raises:
            RequestError: There is no reply.
            IncompleteError: There is another one.
        """
        return self._understood(await self._send("GET", path, retries=0), path, kind)

    async def post(self, path: str, body: dict[str, Any], kind: type[R]) -> R:
        """Send something.

        Raises:
            RequestError: There is no reply, even after retries.
            IncompleteError: There is another one.
        """
        return self._understood(await self._send("POST", path, retries=self._retries, body=body), path, kind)

    async def stream(self, path: str, body: dict[str, Any], kind: type[R]) -> AsyncIterator[R]:
        """Send something that is replied to piece by piece.

        Raises:
            RequestError: The reply does not begin, even after retries, or breaks off.
            IncompleteError: There is another one.
        """
        from httpx2 import HTTPError

        reply = await self._send("POST", path, retries=self._retries, body={**body, "stream": True}, piecemeal=True)
        try:
            if reply.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "text/event-stream":
                raise self._strange(path, "not piece by piece")
            async for data in read_events(reply.aiter_bytes()):
                if data == _END:
                    return
                piece = _parsed(data)
                if isinstance(piece, dict) and piece.get("error"):
                    raise self._broken(_message(piece) or data)
                yield kind.model_validate_json(data)
        except ValidationError:
            raise self._strange(path, "pieces of another kind") from None
        except HTTPError as error:
            raise self._broken(str(error) or type(error).__name__) from None
        finally:
            await reply.aclose()
        raise self._broken("the connection ended")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _send(
        self, method: str, path: str, *, retries: int, body: dict[str, Any] | None = None, piecemeal: bool = False
    ) -> Any:
        """The reply to a request that was taken; with ``piecemeal`` only its beginning, to be closed.

        Raises:
            RequestError: There is none, even after retries.
        """
        from httpx2 import DecodingError, TransportError

        address = path if "://" in path else f"{self.url}{path}"
        request = self._client.build_request(method, address, json=body)
        for tries in range(1, retries + 2):
            wait = wait_before(tries)
            try:
                reply = await self._client.send(request, stream=piecemeal)
                if reply.is_success:
                    return reply
                await reply.aread()
                await reply.aclose()
            except TransportError as error:
                failed = self._lost(error, tries)
            except DecodingError:
                raise self._strange(path, "not as it says that it is encoded") from None
            else:
                failed = self._refused(reply, tries)
                wanted = wanted_wait(reply.headers.get("Retry-After"))
                if not may_pass(reply.status_code) or (wanted is not None and wanted > PATIENCE):
                    raise failed
                wait = wanted or wait
            if tries > retries:
                break
            await sleep(wait)
        raise failed

    def _understood(self, reply: Any, path: str, kind: type[R]) -> R:
        try:
            return kind.model_validate_json(reply.content)
        except ValidationError as error:
            details = error.errors()
            fields = ", ".join(filter(None, (".".join(map(str, detail["loc"])) for detail in details[:3])))
            raise self._strange(
                path, fields or ("no JSON" if details[0]["type"] == "json_invalid" else "no object")
            ) from None

    def _strange(self, path: str, reason: str) -> IncompleteError:
        return IncompleteError(
            f"The server at {self.url} does not reply to {path} as the OpenAI interface says ({reason})"
        )

    def _broken(self, reason: str) -> RequestError:
        said = _short(self._without_key(reason))
        return RequestError(f"The server at {self.url} broke off in the middle of its answer ({said})")

    def _lost(self, error: Exception, tries: int) -> RequestError:
        from httpx2 import ConnectTimeout, TimeoutException

        if isinstance(error, ConnectTimeout):
            reason = f"no connection within {self._timeout:g} s"
        elif isinstance(error, TimeoutException):
            return RequestError(
                f"The server at {self.url} did not answer within {self._timeout:g} s{_asked(tries)}; lower "
                "--concurrency"
            )
        else:
            reason = _short(self._without_key(str(error))) or "the connection was lost"
        return RequestError(f"The server at {self.url} cannot be reached ({reason}){_asked(tries)}", hopeless=True)

    def _refused(self, reply: Any, tries: int) -> RequestError:
        status = int(reply.status_code)
        said = _short(self._without_key(_message(_parsed(reply.text)) or reply.text.strip() or reply.reason_phrase))
        if status == 401 and self._key is None:
            text = f"The server at {self.url} wants a key (401); set the environment variable HPVQA_API_KEY"
        elif status in {401, 403}:
            text = f"The server at {self.url} does not accept the key ({status}: {said}); set HPVQA_API_KEY"
        elif status == 429:
            text = f"The server takes no more requests (429: {said}){_asked(tries)}; lower --concurrency"
        elif status >= 500 or status in {408, 409}:
            text = f"The server failed ({status}: {said}){_asked(tries)}; its log may say more"
        elif reply.is_redirect:
            there = _short(self._without_key(reply.headers["Location"]))
            text = f"The server at {self.url} has moved to {there} ({status}); give --server its new address"
        else:
            text = f"The server refuses the request ({status}: {said})"
        return RequestError(text, status, hopeless=status in {401, 403}, said=said)

    def _without_key(self, text: str) -> str:
        return hide(text, self._key)


def _asked(tries: int) -> str:
    return f", asked {tries} times" if tries > 1 else ""


def hide(text: str, key: SecretStr | None) -> str:
    """A text without a key in it: servers like to repeat what they refuse."""
    secret = "" if key is None else key.get_secret_value()
    return text.replace(secret, "***") if secret else text


def _parsed(text: str) -> object:
    """What JSON says, or the text itself where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _message(body: object) -> str:
    """What servers say is wrong: ``{"error": {"message": ...}}``, or less."""
    if isinstance(body, dict):
        inside = body.get("error") or body.get("message") or body.get("detail") or ""
        return _message(inside) if isinstance(inside, dict) else str(inside)
    return ""


def _short(text: str) -> str:
    line = re.sub(r"\s+", " ", text).strip().rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
