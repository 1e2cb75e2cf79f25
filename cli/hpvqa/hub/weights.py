"""A model of others from the Hugging Face hub, in the cache that all programs of its client share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hpvqa.hub.errors import told

if TYPE_CHECKING:
    from huggingface_hub import HfApi


def fetch_model(api: HfApi, name: str, patterns: Sequence[str]) -> Path:
    """The folder of a model; what is not in the cache is downloaded.

    Without a network, what is in the cache must do.

    Args:
        api: The Hub's client.
        name: ``owner/name``.
        patterns: Which files are wanted, such as ``*.json``.

    Raises:
        UsageError: There is none, or it may not be used with this login.
        RunError: The Hub cannot be reached, refuses or breaks off.
    """
    with told(name):
        return Path(api.snapshot_download(name, allow_patterns=list(patterns)))
