"""Plain data: the base of all models of files, and how JSON and YAML that others wrote are read."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

_DIGITS = 40
"""Most digits of a whole number; 64 bits need 20, and what is longer breaks arithmetic further on."""


class Model(BaseModel):
    """Base of all plain-data models: immutable, strict about unknown keys, and all its numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def explain(error: ValidationError) -> str:
    """The first thing that is wrong, in words: where, and what."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def parse_json(text: str | bytes) -> Any:
    """The data of a JSON text that anybody may have written.

    Raises:
        ValueError: It is not JSON, not UTF-8, nested too deeply, or holds NaN, an infinity, a lone surrogate or a
            whole number of more than 40 digits.
    """
    try:
        data = json.loads(text, parse_constant=_no_constant, parse_int=_short_integer, parse_float=_finite)
        # A lone surrogate is JSON, but no text: nothing that holds one can be written or shown.
        json.dumps(data, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeError:
        raise ValueError("it is not UTF-8") from None
    return data


def parse_yaml(text: str | bytes) -> Any:
    """The data of a YAML text that anybody may have written.

    Raises:
        ValueError: It is not YAML, not UTF-8, or nested too deeply.
    """
    import yaml

    try:
        return yaml.safe_load(text.decode() if isinstance(text, bytes) else text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that can be used")


def _short_integer(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a number of {len(digits)} digits is too large")
    return int(digits)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:20]} is too large")
    return number
