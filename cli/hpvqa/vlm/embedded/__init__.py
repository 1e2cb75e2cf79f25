"""The model that comes with the package, as data beside this file: ``base``, and an ``adapter`` that was trained on it.

docs/embedded.md says how both were made.
"""

from __future__ import annotations

from pathlib import Path

BASE = "embedded-base"
"""What the base is called: it has learnt to see, and nothing of what is hidden."""
ADAPTED = "embedded"
"""What the base with the adapter is called."""
NAMES = (ADAPTED, BASE)
HERE = Path(__file__).parent


def base_folder() -> Path:
    """The folder of the base."""
    return HERE / "base"


def adapter_folder() -> Path:
    """The folder of the adapter."""
    return HERE / "adapter"


def place_of(model: str) -> str:
    """Where the model of a name is; what is no name of the embedded model stays as it is."""
    return str(base_folder()) if model in NAMES else model


def base_of(model: str) -> str | None:
    """The name of the base, which is what adapters of either embedded model belong on; None for another model."""
    return BASE if model in NAMES else None


def own_adapter(model: str) -> Path | None:
    """The adapter that the name of a model includes; None if it includes none."""
    return adapter_folder() if model == ADAPTED else None


def shown(folder: Path) -> str:
    """What to write down of an adapter's folder: the shipped one has a name, and its place is this machine's own."""
    return ADAPTED if folder == adapter_folder() else str(folder)
