"""The bytes of a reply, as they come, so many and for so long at most; and the events of one that comes in pieces."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

MOST = 1 << 23
"""No reply is longer, unpacked [bytes]: the tokens of the longest prompts take a quarter of it."""
ENOUGH = 1 << 14
"""Of a reply that tells of an error, so much is read [bytes]."""
ENCODING = "gzip"
"""What we take."""
_GZIP = 16 + zlib.MAX_WBITS
_LINE_END = re.compile(rb"\r\n|\n|\r(?=[^\n])")
"""A carriage return that is the last byte so far may be half of one."""


class WireError(Exception):
    """A reply is too long, or not encoded as it says."""


@dataclass(frozen=True)
class Incoming:
    """A reply that has begun; to be closed.

    Attributes:
        reply: It.
        end: When it must be over, on the event loop's clock [s].
    """

    reply: Any
    end: float

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """What comes, unpacked.

        Raises:
            WireError: It is longer than 8 MiB, or encoded in another way than it says.
            TimeoutError: It is not over in time.
            TransportError: The connection is lost.
        """
        encoding = self.reply.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in {"identity", "gzip", "x-gzip", ""}:
            raise WireError("not encoded as it was asked to be")
        unpacker = zlib.decompressobj(_GZIP) if "gzip" in encoding else None
        size = 0
        async with aclosing(self.reply.aiter_raw()) as raw:
            while True:
                async with asyncio.timeout_at(self.end):
                    chunk = await anext(raw, None)
                if chunk is None:
                    return
                if unpacker is not None:
                    try:
                        chunk = unpacker.decompress(chunk, MOST + 1 - size)
                    except zlib.error:
                        raise WireError("not encoded as it says") from None
                size += len(chunk)
                if size > MOST:
                    raise WireError(f"longer than {MOST >> 20} MiB")
                yield chunk

    async def whole(self) -> bytes:
        """All of it, or of one that tells of an error its beginning; then it is closed.

        Raises:
            WireError, TimeoutError, TransportError: As above.
        """
        found, size = [], 0
        try:
            async with aclosing(self.chunks()) as chunks:
                async for chunk in chunks:
                    found.append(chunk)
                    size += len(chunk)
                    if not self.reply.is_success and size > ENOUGH:
                        break
        finally:
            await self.reply.aclose()
        return b"".join(found)


async def read_events(chunks: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """The data of each event, as soon as it is there.

    Lines are told apart here, in bytes: to Python more characters end a line than to this format, such as U+2028, which
    JSON may hold as it is.

    Args:
        chunks: What comes over the wire, cut anywhere.
    """
    held, data = list[bytes](), list[bytes]()
    async for chunk in chunks:
        held.append(chunk)
        if b"\n" not in chunk and b"\r" not in chunk:
            # However small the pieces of a long line are, it is looked through once.
            continue
        *lines, rest = _LINE_END.split(b"".join(held))
        held = [rest]
        for line in lines:
            field, _, value = line.partition(b":")
            if field == b"data":
                data.append(value.removeprefix(b" "))
            elif not line and data:
                yield b"\n".join(data).decode("utf-8", errors="replace")
                data.clear()
