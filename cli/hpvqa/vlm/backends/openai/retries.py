"""When a request is sent again, and after what wait."""

from __future__ import annotations

import random
import re
import time
from email.utils import parsedate_to_datetime

_FIRST, _LONGEST = 0.5, 8.0
"""Waits before the first retry, and at most [s]; each is twice the one before."""
_CHANCE = 0.25
"""By up to this share waits are shorter, so that clients that failed together do not come back together."""
PATIENCE = 120.0
"""Longest wait that a server may ask for [s]; one that wants more time is not asked again."""


def may_pass(status: int) -> bool:
    """Whether a request that was refused with this status code may be taken later."""
    return status in {408, 409, 429} or status >= 500


def wait_before(retry: int) -> float:
    """How long to wait before a retry where the server does not say [s].

    Args:
        retry: Its number, from 1 on.
    """
    return min(_FIRST * 2.0 ** (retry - 1), _LONGEST) * (1 - _CHANCE * random.random())  # noqa: S311 - no secret


def wanted_wait(retry_after: str | None) -> float | None:
    """How long a server wants to be left alone [s], by its header ``Retry-After``; None where that does not say.

    Args:
        retry_after: Seconds, or a date.
    """
    if retry_after is None:
        return None
    if re.fullmatch(r"\s*-?\d{1,9}(\.\d*)?\s*", retry_after):
        return max(float(retry_after), 0.0)
    try:
        return max(parsedate_to_datetime(retry_after).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return None
