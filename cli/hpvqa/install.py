"""How to install this package with an extra: from where this copy came, for no package index has it.

Whoever follows an error message must not fetch the package of a stranger who took the name.
"""

from __future__ import annotations

import importlib.metadata
import json
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit


def pip_install(extra: str = "") -> str:
    """The command that installs this package.

    Args:
        extra: The extra to install with it.
    """
    brackets = f"[{extra}]" if extra else ""
    checkout, package = Path(__file__).resolve().parents[2], Path(__file__).resolve().parent
    if package == checkout / "cli" / "hpvqa" and (checkout / "pyproject.toml").is_file():
        return f"pip install -e {shlex.quote(f'{checkout}{brackets}')}"
    source = _source()
    if source is None:
        return f"pip install {shlex.quote(f'.{brackets}')} in a checkout of hpvqa"
    if source.startswith("/"):
        return f"pip install {shlex.quote(f'{source}{brackets}')}"
    return f"pip install {shlex.quote(f'hpvqa{brackets} @ {source}')}"


def _source() -> str | None:
    """What pip installed this package from: a path or an address; None if it does not say (PEP 610)."""
    try:
        text = importlib.metadata.distribution("hpvqa").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        return None
    if text is None:
        return None
    found = json.loads(text)
    address = urlsplit(found["url"])
    if address.scheme == "file":
        return unquote(address.path)
    if "vcs_info" in found:
        return f"{found['vcs_info']['vcs']}+{found['url']}@{found['vcs_info']['commit_id']}"
    return str(found["url"])
