"""Writing a recipe as YAML, in the form of the shipped ones.

Kit's Python may have no YAML library. Reading is left to the collector.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
"""What YAML would not read as text."""
_HIDDEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
"""What YAML does not take as it is, or takes for the end of a line."""
_WIDE = 112


def to_yaml(data: Mapping[str, Any], comment: str = "") -> str:
    """A mapping as YAML text, ending with a line break."""
    head = f"# {comment}\n" if comment else ""
    return head + "".join(f"{line}\n" for line in _block(data))


def write_yaml(path: Path, data: Mapping[str, Any], comment: str = "") -> None:
    """Write a mapping to a file, as a whole or not at all."""
    draft = path.with_name(path.name + ".partial")
    draft.write_text(to_yaml(data, comment), encoding="utf-8")
    draft.replace(path)


def _block(data: Mapping[str, Any]) -> Iterator[str]:
    for key, value in data.items():
        flow = _flow(value)
        if not isinstance(value, (dict, list)) or not value or (len(flow) < _WIDE and not _deep(value)):
            yield f"{_scalar(key)}: {flow}"
        elif isinstance(value, dict):
            yield f"{_scalar(key)}:"
            yield from (f"  {line}" for line in _block(value))
        else:
            yield f"{_scalar(key)}:"
            yield from (f"  - {_flow(item)}" for item in value)


def _deep(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value
    return any(isinstance(part, dict) for part in parts)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(part) for part in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if plain else _HIDDEN.sub(_escape, json.dumps(value, ensure_ascii=False))
    if isinstance(value, float):
        text = repr(value)
        # YAML 1.1 reads 1e-05 as text, and 1.0e-05 as a number.
        return text if "e" not in text or "." in text else text.replace("e", ".0e")
    return json.dumps(value)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
