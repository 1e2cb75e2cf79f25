"""Videos as files that a server on the same machine, or on the same network drive, may read."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from pathlib import Path

from hpvqa.errors import RunError


class MediaFolder:
    """A folder of its own in one that the server may read; it disappears with all that is in it.

    Args:
        parent: The folder that the server may read.

    Raises:
        RunError: Nothing can be written there.
    """

    def __init__(self, parent: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="hpvqa-", dir=parent.resolve()))
            # The server may run as someone else.
            self._folder.chmod(0o755)
        except OSError as error:
            raise RunError(f"{parent} cannot be written: {error.strerror or error}") from None

    def put(self, data: bytes) -> str:
        """Write a video, named by its content, unless it is there.

        Returns:
            Its address.

        Raises:
            RunError: The disk does not take it.
        """
        path = self._folder / f"{hashlib.sha256(data).hexdigest()[:32]}.mp4"
        with self._lock:
            if not path.exists():
                try:
                    path.write_bytes(data)
                except OSError as error:
                    path.unlink(missing_ok=True)
                    raise RunError(f"{path} cannot be written: {error.strerror or error}") from None
        return path.as_uri()

    def clear(self) -> None:
        """Delete all videos that are still there."""
        for path in self._folder.glob("*"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)
