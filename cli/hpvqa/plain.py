"""Plain data: the base of all models of files, what is wrong with data in words, and how JSON and YAML are read."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import VERSION, BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from hpvqa.errors import UsageError

_DIGITS = 40
"""Most digits of a whole number; 64 bits need 20, and what is longer breaks arithmetic further on."""

_NAMED = 2
"""An error names at most so many places that may have been meant."""

_DEPTH = 100
"""Most brackets in brackets of YAML."""

DEFERRED = tuple(map(int, VERSION.split(".")[:2])) >= (2, 14)
"""Whether validators are made when they are first needed: most commands need few, and all take a sixth of a short
command's time. In earlier versions of pydantic, threads that need one at the same time get in each other's way."""


class Model(BaseModel):
    """Base of all plain-data models: immutable, strict about unknown keys, and all its numbers are finite."""

    model_config = ConfigDict(extra="forbid", defer_build=DEFERRED, frozen=True, allow_inf_nan=False)

    @classmethod
    def model_rebuild(
        cls,
        *,
        force: bool = False,
        raise_errors: bool = True,
        _parent_namespace_depth: int = 0,
        _types_namespace: Any = None,
    ) -> bool | None:
        """Build what validates, with the names of the module alone.

        Pydantic would look into the frames of the callers, too, and CPython 3.13.0 crashes on some of them.
        """
        return super().model_rebuild(
            force=force, raise_errors=raise_errors, _parent_namespace_depth=0, _types_namespace=_types_namespace
        )


M = TypeVar("M", bound=BaseModel)

_MUST_BE = {
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "finite_number": "a finite number",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("string_type", "string_unicode", "path_type"), "text"),
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a mapping of keys and values"),
    "literal_error": "{expected}",
    "string_pattern_mismatch": "text of the form {pattern}",
    "string_too_short": "text of at least {min_length} characters",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
}
"""What a value must be, by pydantic's name of the error."""


def validated(model: type[M], data: object, source: str, names: Mapping[str, str] | None = None) -> M:
    """Turn plain data that a user wrote into a model.

    Args:
        model: The model.
        data: Its keys and values.
        source: What to call the data in an error.
        names: What the user calls a value that was not written in the source, such as an option, by its dotted path.

    Raises:
        UsageError: A key is unknown or a value is not possible; the message says what is.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        words = explain(error, names, model)
        named = any(words.startswith(name) for name in (names or {}).values())
        raise UsageError(words if named else f"{source} {'' if _unknown(error) else 'is not valid: '}{words}") from None


def explain(
    error: ValidationError, names: Mapping[str, str] | None = None, model: type[BaseModel] | None = None
) -> str:
    """The first thing that is wrong, in words: where, what there is, and what is allowed.

    Args:
        error: What pydantic found.
        names: What a user calls a value, such as an option, by its dotted path.
        model: What was validated, to find the place that an unknown key was meant for.
    """
    first = error.errors()[0]
    where = _path(first["loc"])
    if _unknown(error):
        # Whatever it is called: it is no kind of a value.
        parents, key = _path(first["loc"][:-1]), str(first["loc"][-1])
        place = f" in {'.'.join(parents)}" if parents else ""
        hint = "" if model is None else f"; {_meant(model, parents, key)}"
        return f"has an unknown key {key!r}{place}{hint}"
    alike = [other for other in error.errors() if _path(other["loc"]) == where]
    phrases = [_must_be(other) for other in alike if other["type"] in _MUST_BE]
    name = _named(where, names or {})
    if phrases and first["type"] in _MUST_BE:
        return f"{name or 'it'} must be {' or '.join(dict.fromkeys(phrases))}, not {_shown(first['input'])}"
    if first["type"] == "missing":
        return f"{name or 'a value'} is missing"
    message = _message(first)
    return f"{name}: {message}" if name else message


def _unknown(error: ValidationError) -> bool:
    return error.errors()[0]["type"] == "extra_forbidden"


def _path(where: Sequence[str | int]) -> list[str]:
    """Where an error is, without what pydantic calls the kinds of a value that may be of several."""
    kinds = {"str", "int", "float", "bool", "none"}
    return [str(part) for part in where if isinstance(part, int) or not ("[" in part or part in kinds)]


def _named(where: Sequence[str], names: Mapping[str, str]) -> str:
    path = ".".join(where)
    return next((name for key, name in names.items() if f"{path}.".startswith(f"{key}.")), path)


def _must_be(error: ErrorDetails) -> str:
    limits = error.get("ctx", {}).items()
    return _MUST_BE[error["type"]].format(**{name: f"{x:g}" if isinstance(x, float) else x for name, x in limits})


def _message(error: ErrorDetails) -> str:
    if error["type"] == "json_invalid":
        return f"it is not JSON ({error['ctx']['error']})"
    message = error["msg"].removeprefix("Value error, ")
    return message if message.startswith("H.264") else message[:1].lower() + message[1:]


def _shown(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _meant(model: type[BaseModel], parents: Sequence[str], key: str) -> str:
    """Words for the place that an unknown key was probably meant for, anywhere in a model."""
    here = _keys(model, parents)
    prefix = "".join(f"{part}." for part in parents)
    places = {f"{prefix}{name}": name for name in here} | dict(_places(model))
    likeness = {path: difflib.SequenceMatcher(None, key, name).ratio() for path, name in places.items()}
    best = max(likeness.values(), default=0.0)
    if best < 0.6:
        return f"known are: {', '.join(sorted(here))}"
    found = [path for path, value in likeness.items() if value == best]
    near = next((places[path] for path in found if path.startswith(prefix) and places[path] in here), None)
    if near is not None and near != key:
        return f"did you mean {near!r}?"
    inside = [path for path in found if path.startswith(prefix)] or found
    more = ", for instance" if len(inside) > _NAMED else ""
    return f"did you mean {' or '.join(inside[:_NAMED])}{more}?"


def _places(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every key of a model and of the models in it: its dotted path, and its name."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}", name
        for part in models_in(field.annotation):
            yield from _places(part, f"{prefix}{name}.")


def _keys(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """The keys that may stand at a place; parts of it that name no key are those of a list, a mapping or a union."""
    for part in path:
        if part in model.model_fields:
            model = next(models_in(model.model_fields[part].annotation, inside=True), model)
    return list(model.model_fields)


def models_in(annotation: Any, *, inside: bool = False) -> Iterator[type[BaseModel]]:
    """The models that a field may hold.

    Args:
        annotation: The type of the field.
        inside: Whether to look into lists and mappings, too.
    """
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    if inside or getattr(annotation, "__origin__", None) not in (list, tuple, dict):
        for part in get_args(annotation):
            yield from models_in(part, inside=inside)


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

    class Loader(yaml.SafeLoader):
        def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
            # For each token, the scanner looks at all brackets that are open.
            if self.flow_level >= _DEPTH:
                raise RecursionError
            super().fetch_flow_collection_start(token)

    try:
        return yaml.load(text.decode() if isinstance(text, bytes) else text, Loader)  # noqa: S506 - a safe one
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
