"""Damage to the content of a file: to its bytes, and to its structure where it is JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, -(2**63), 10**400, 1e308, -1e308, 5e-324, float("nan"), float("inf")),
    *("", " ", "\0", "\ud800", "../../../etc/passwd", "/etc/passwd", "..", ".", "a/../../b", "x" * 300, "x" * 100_000),
    *("\x1b[2J", "[bold]", "left", "right", "é左", "/dev/zero", "NaN", "1e999", "%s%n", "null", "2026-11-27"),
    *([], {}, [[]], [None], {"": None}, [0] * 1000, {"left": 1}),
)
TOKENS = (
    b"\xff\xfe",
    b"\x00" * 16,
    b"NaN",
    b"9" * 400,
    b"1e400",
    b"[" * 3000,
    b'{"a":' * 3000,
    b"\\ud800",
    b"../",
    b"\xef\xbb\xbf",
)


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Other content than ``data``, from it."""
    if rng.random() < 0.6:
        changed = _structure(data, rng)
        if changed is not None:
            return changed
    for _ in range(int(rng.integers(1, 4))):
        data = _bytes(data, rng)
    return data


def _bytes(data: bytes, rng: np.random.Generator) -> bytes:
    if not data:
        return bytes(rng.integers(0, 256, 16, dtype=np.uint8))
    i, j = sorted(int(n) for n in rng.integers(0, len(data) + 1, 2))
    # Most formats keep what matters in their first bytes.
    if rng.random() < 0.4:
        i, j = i % 64, min(j, i % 64 + 8)
    match int(rng.integers(6)):
        case 0:
            flipped = bytearray(data)
            for at in rng.integers(0, len(data), int(rng.integers(1, 9))):
                flipped[at] ^= 1 << int(rng.integers(8))
            return bytes(flipped)
        case 1:
            return data[:i]
        case 2:
            return data[:i] + data[j:]
        case 3:
            return data[:i] + data[i:j] * int(rng.integers(2, 5)) + data[j:]
        case 4:
            return data[:i] + TOKENS[int(rng.integers(len(TOKENS)))] + data[i:]
        case _:
            return data[:i] + bytes(rng.integers(0, 256, j - i if j - i < 4096 else 4096, dtype=np.uint8)) + data[j:]


def _structure(data: bytes, rng: np.random.Generator) -> bytes | None:
    """JSON, or one of its lines, with one value replaced, removed, added or wrapped; None if it is no JSON."""
    lines = data.splitlines()
    number = int(rng.integers(len(lines))) if lines else 0
    for whole in (True, False):
        try:
            parsed = json.loads(data if whole else lines[number])
        except (ValueError, IndexError, RecursionError):
            continue
        text = json.dumps(_changed(parsed, rng)).encode()
        return text if whole else b"\n".join([*lines[:number], text, *lines[number + 1 :]]) + b"\n"
    return None


def _changed(value: Any, rng: np.random.Generator) -> Any:
    keys: Sequence[Any] = (
        list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    if not keys or rng.random() < 0.1:
        return _instead(value, rng)
    copy = value.copy()
    key = keys[int(rng.integers(len(keys)))]
    action = rng.random()
    if action < 0.08:
        del copy[key]
    elif action < 0.12 and isinstance(copy, dict):
        copy[str(rng.integers(1000))] = NASTY[int(rng.integers(len(NASTY)))]
    elif action < 0.16 and isinstance(copy, dict):
        copy[["../../x", "\0", "", "x" * 300][int(rng.integers(4))]] = copy.pop(key)
    else:
        copy[key] = _changed(value[key], rng)
    return copy


def _instead(value: Any, rng: np.random.Generator) -> Any:
    choice = rng.random()
    if choice < 0.1:
        for _ in range(int(rng.integers(1, 60))):
            value = [value]
        return value
    if choice < 0.2 and isinstance(value, str) and value:
        at = int(rng.integers(len(value)))
        return value[:at] + str(NASTY[int(rng.integers(14, len(NASTY)))])[:50] + value[at:]
    return NASTY[int(rng.integers(len(NASTY)))]
