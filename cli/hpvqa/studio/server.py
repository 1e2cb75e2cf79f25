"""The live pages: read-only, for this machine alone."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import unquote

from hpvqa.errors import HpvqaError
from hpvqa.files import open_regular
from hpvqa.loopback import Handler, Server
from hpvqa.studio.content import HOME, Pages

_PART = 2 << 20
"""Most that is sent of a clip where its end is left open [bytes]. A browser has six connections for a server, and holds
one for as long as it reads ahead: a seventh clip would wait for ever."""
_RANGE = re.compile(r"bytes=(\d{1,18})?-(\d{1,18})?")


class _Handler(Handler):
    site: Pages
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )

    def do_GET(self) -> None:  # noqa: N802 - as the standard library has it
        """A page, data, a picture, or part of a clip."""
        if (parts := self.called()) is None:
            return
        try:
            content = self.site.get(unquote(parts.path).removeprefix("/") or HOME)
        except HpvqaError as error:
            self.refuse(500, str(error))
            return
        if content is None:
            self.send(404, "text/plain; charset=utf-8", b"There is no such page")
        elif isinstance(content.body, bytes):
            self.send(200, content.kind, content.body)
        else:
            self._send_file(content.kind, content.body)

    do_HEAD = do_GET  # noqa: N815 - as the standard library has it

    def _send_file(self, kind: str, path: Path) -> None:
        """A file, or the part of it that is asked for: browsers seek in clips so."""
        with ExitStack() as stack:
            try:
                file = stack.enter_context(open_regular(path))
            except OSError:
                self.send(404, "text/plain; charset=utf-8", b"This clip cannot be read")
                return
            size = os.fstat(file.fileno()).st_size
            found = _part(self.headers.get("Range", ""), size)
            if found is None:
                self.send(416, "text/plain; charset=utf-8", b"", {"Content-Range": f"bytes */{size}"})
                return
            first, end = found
            whole = (first, end) == (0, size)
            more = {"Accept-Ranges": "bytes"} if whole else {"Content-Range": f"bytes {first}-{end - 1}/{size}"}
            self.head(200 if whole else 206, kind, end - first, more)
            if self.command != "HEAD" and end > first:
                self.wfile.flush()
                if self.connection.sendfile(file, first, end - first) < end - first:
                    # It has become shorter meanwhile, and only hanging up says so.
                    self.close_connection = True


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """First byte and end of what is sent; all of it where nothing sensible is asked for; None if nothing is there."""
    match = _RANGE.fullmatch(asked.strip())
    if match is None or match[1] == match[2] is None:
        return 0, size
    if match[1] is None:
        first, end = max(size - int(match[2]), 0), size
    else:
        first = int(match[1])
        end = min(first + _PART if match[2] is None else int(match[2]) + 1, size)
    return (first, end) if first < end or size == 0 else None


def open_server(site: Pages, port: int) -> Server:
    """Listen, and answer once it is started.

    Raises:
        RunError: The port is taken.
    """
    return Server(port, type("Handler", (_Handler,), {"site": site}))
