"""The key that a server wants to see."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from hpvqa.errors import UsageError

GIVEN = ("HPVQA_API_KEY", "VLLM_API_KEY")
"""Where a key is looked for, in this order. It is never an option: those can be seen by everyone on the machine."""
TAKEN = "VLLM_API_KEY"
"""Where vLLM looks for it."""
SHORTEST = 8
"""Characters; a shorter one is guessed."""


@dataclass(frozen=True)
class ApiKey:
    """A key.

    Attributes:
        value: What it is.
        made: Whether it was made up here, so that nobody knows it yet.
    """

    value: SecretStr
    made: bool = False

    @classmethod
    def of(cls, value: str, *, made: bool = False) -> ApiKey:
        """A key from its text."""
        return cls(SecretStr(value), made)


def choose_key(environ: Mapping[str, str], *, local: bool) -> ApiKey | None:
    """The key from the environment, or one made up where others can reach the server, or none.

    Raises:
        UsageError: The key in the environment is no good.
    """
    for name in GIVEN:
        value = environ.get(name, "")
        if not value:
            continue
        if len(value) < SHORTEST or not value.isascii() or not value.isprintable() or " " in value:
            raise UsageError(
                f"The key in {name} must be at least {SHORTEST} letters, digits or signs without spaces; leave it out "
                "to get one made up"
            )
        return ApiKey.of(value)
    return None if local else ApiKey.of(secrets.token_urlsafe(24), made=True)
