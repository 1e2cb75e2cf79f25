"""Server-sent events: a reply that comes piece by piece."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator

_LINE_END = re.compile(rb"\r\n|\n|\r(?=[^\n])")
"""A carriage return that is the last byte so far may be half of one."""


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
