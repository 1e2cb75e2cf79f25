"""Requests to a server: retries, and errors as sentences."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from hpvqa.errors import RunError
from hpvqa.vlm.options import ServerOptions

R = TypeVar("R", bound=BaseModel)

_LONGEST = 300
"""Of what a server says, so much is repeated [characters]."""


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
    the server names: no connection, a timeout, and the status codes 408, 409, 429 and from 500 on. The library does so.

    Args:
        url: The server's address.
        options: Key, retries and timeout.

    Attributes:
        url: The server's address.
    """

    def __init__(self, url: str, options: ServerOptions) -> None:
        from openai import AsyncOpenAI, Omit

        self.url = url
        self._key = options.key
        self._retries = options.retries
        self._timeout = options.timeout
        # The library would send what the environment says of an account elsewhere; and it wants a key, even if the
        # server does not.
        self._headers: dict[str, Any] = {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
        if options.key is None:
            self._headers["Authorization"] = Omit()
        self._client = AsyncOpenAI(
            api_key="none" if options.key is None else options.key.get_secret_value(),
            base_url=url,
            timeout=options.timeout,
            max_retries=options.retries,
        )

    async def get(self, path: str, kind: type[R]) -> R:
        """Ask for something; this is not tried again, so that a server that is down is noticed at once.

        Args:
            path: Below the server's address, or a whole address.
            kind: What to expect.

        Raises:
            RequestError: There is no reply.
            IncompleteError: There is another one.
        """
        return await self._request("get", path, kind, retries=0)

    async def post(self, path: str, body: dict[str, Any], kind: type[R]) -> R:
        """Send something.

        Raises:
            RequestError: There is no reply, even after retries.
            IncompleteError: There is another one.
        """
        return await self._request("post", path, kind, retries=self._retries, body=body)

    async def stream(self, path: str, body: dict[str, Any], kind: type[R]) -> AsyncIterator[R]:
        """Send something that is replied to piece by piece.

        Raises:
            RequestError: The reply does not begin, even after retries, or breaks off.
            IncompleteError: There is another one.
        """
        from httpx2 import HTTPError
        from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError, AsyncStream

        options = {"headers": self._headers, "max_retries": self._retries}
        try:
            pieces = await self._client.post(
                path,
                cast_to=object,
                body={**body, "stream": True},
                options=options,
                stream=True,
                stream_cls=AsyncStream[object],
            )
        except APITimeoutError:
            raise self._late("post") from None
        except APIConnectionError as error:
            raise self._unreachable(error, "post") from None
        except APIStatusError as error:
            raise self._refused(error, "post") from None
        try:
            async for piece in pieces:
                yield kind.model_validate(piece)
        except ValidationError:
            raise self._strange(path, "pieces of another kind") from None
        except (APIError, HTTPError, ValueError) as error:
            reason = _short(self._without_key(str(error))) or type(error).__name__
            raise RequestError(f"The server at {self.url} broke off in the middle of its answer ({reason})") from None
        finally:
            await pieces.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _request(self, method: str, path: str, kind: type[R], *, retries: int, **body: Any) -> R:
        from openai import APIConnectionError, APIStatusError, APITimeoutError

        options = {"headers": self._headers, "max_retries": retries}
        try:
            reply = await getattr(self._client, method)(path, cast_to=object, options=options, **body)
        except APITimeoutError:
            raise self._late(method) from None
        except APIConnectionError as error:
            raise self._unreachable(error, method) from None
        except APIStatusError as error:
            raise self._refused(error, method) from None
        except ValueError:
            raise self._strange(path, "no JSON") from None
        try:
            return kind.model_validate(reply)
        except ValidationError as error:
            fields = (".".join(map(str, detail["loc"])) for detail in error.errors()[:3])
            raise self._strange(path, ", ".join(filter(None, fields)) or "no object") from None

    def _strange(self, path: str, reason: str) -> IncompleteError:
        return IncompleteError(
            f"The server at {self.url} does not reply to {path} as the OpenAI interface says ({reason})"
        )

    def _late(self, method: str) -> RequestError:
        return RequestError(
            f"The server at {self.url} did not answer within {self._timeout:g} s{self._tried(method)}; "
            "lower --concurrency"
        )

    def _unreachable(self, error: Exception, method: str) -> RequestError:
        reason = _short(self._without_key(str(error.__cause__ or error)))
        return RequestError(
            f"The server at {self.url} cannot be reached ({reason}){self._tried(method)}", hopeless=True
        )

    def _refused(self, error: Any, method: str) -> RequestError:
        status = int(error.status_code)
        said = _short(self._without_key(_message(error.body) or str(error)))
        if status == 401 and self._key is None:
            text = f"The server at {self.url} wants a key (401); set the environment variable HPVQA_API_KEY"
        elif status in {401, 403}:
            text = f"The server at {self.url} does not accept the key ({status}: {said}); set HPVQA_API_KEY"
        elif status == 429:
            text = f"The server takes no more requests (429: {said}){self._tried(method)}; lower --concurrency"
        elif status >= 500 or status in {408, 409}:
            text = f"The server failed ({status}: {said}){self._tried(method)}; its log may say more"
        else:
            text = f"The server refuses the request ({status}: {said})"
        return RequestError(text, status, hopeless=status in {401, 403}, said=said)

    def _without_key(self, text: str) -> str:
        return hide(text, self._key)

    def _tried(self, method: str) -> str:
        return f", asked {self._retries + 1} times" if method == "post" and self._retries else ""


def hide(text: str, key: SecretStr | None) -> str:
    """A text without a key in it: servers like to repeat what they refuse."""
    secret = "" if key is None else key.get_secret_value()
    return text.replace(secret, "***") if secret else text


def _message(body: object) -> str:
    """What servers say is wrong: ``{"error": {"message": ...}}``, of which the library gives the inside, or less."""
    if isinstance(body, dict):
        inside = body.get("error") or body.get("message") or body.get("detail") or ""
        return _message(inside) if isinstance(inside, dict) else str(inside)
    return body if isinstance(body, str) else ""


def _short(text: str) -> str:
    line = re.sub(r"\s+", " ", text).strip().rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
