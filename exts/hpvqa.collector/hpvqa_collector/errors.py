"""What a user can get wrong in the panel."""

from __future__ import annotations


class BadInputError(Exception):
    """One sentence that says what to do."""
