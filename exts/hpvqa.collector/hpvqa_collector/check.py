"""Whether a value fits its setting. What only the collector can know (such as frame rates), it says itself."""

from __future__ import annotations

from typing import Any

from hpvqa_collector.errors import BadInputError
from hpvqa_collector.fields import Field

_LENGTHS = {"range": 2, "size": 2, "vector": 3, "quaternion": 4}


def checked(field: Field, value: Any) -> Any:
    """The value as a recipe has it.

    Raises:
        BadInputError: It does not fit; the message says what would.
    """
    if value is None:
        if field.optional:
            return None
        raise BadInputError(f"{field.title} must be given")
    if field.kind in _LENGTHS:
        return _several(field, value)
    if field.kind == "integer":
        return _in_range(field, _integer(field, value))
    if field.kind == "number":
        return _in_range(field, _number(field, value))
    if field.kind == "switch":
        return bool(value)
    if field.kind == "choice" and value not in field.choices:
        raise BadInputError(f"{field.title} is one of {', '.join(field.choices)}, not {value!r}")
    return value


def parsed(field: Field, text: str) -> Any:
    """The value of a setting that is typed as text; nothing leaves an optional one open.

    Raises:
        BadInputError: It is no such value.
    """
    text = text.strip()
    if not text and field.optional:
        return None
    return checked(field, text)


def _several(field: Field, value: Any) -> list[Any]:
    parts = list(value)
    if len(parts) != _LENGTHS[field.kind]:
        raise BadInputError(f"{field.title} has {_LENGTHS[field.kind]} values, not {len(parts)}")
    convert = _integer if field.kind == "size" else _number
    parts = [convert(field, part) for part in parts]
    if field.kind == "range" and parts[0] > parts[1]:
        raise BadInputError(f"{field.title} goes from low to high, not from {parts[0]:g} to {parts[1]:g}")
    if field.kind == "size" and any(part % 2 or part < 2 for part in parts):
        raise BadInputError(f"{field.title} needs an even width and height, not {parts[0]}x{parts[1]}")
    return parts


def _integer(field: Field, value: Any) -> int:
    try:
        # Not by way of a float, which cannot hold every seed.
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        raise BadInputError(f"{field.title} is a whole number, not {value!r}") from None
    if isinstance(value, float) and number != value:
        raise BadInputError(f"{field.title} is a whole number, not {value:g}")
    return number


def _number(field: Field, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise BadInputError(f"{field.title} is a number, not {value!r}") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise BadInputError(f"{field.title} is a number, not {value!r}")
    return number


def _in_range(field: Field, number: float) -> float:
    if field.minimum is not None and number < field.minimum:
        raise BadInputError(f"{field.title} must be at least {field.minimum:g}, not {number:g}")
    if field.maximum is not None and number > field.maximum:
        raise BadInputError(f"{field.title} must be at most {field.maximum:g}, not {number:g}")
    return number
