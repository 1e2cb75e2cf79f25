"""What a recipe can hold: as the command says, beside which packages with more tasks may be installed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hpvqa_collector.errors import BadInputError
from hpvqa_collector.fields import UnknownSchemaError
from hpvqa_collector.job import Job

_STRANGE = (UnknownSchemaError, BadInputError, LookupError, TypeError, AttributeError, ValueError)


class KnownSchema:
    """The schema that the form is made from.

    Args:
        shipped: The one that comes with the panel.
        file: Where the last one is kept, so that a session begins with the form that the one before it ended with.
    """

    def __init__(self, shipped: Mapping[str, Any], file: Path) -> None:
        self._file = file
        self._schema = shipped
        self._command: Sequence[str] = ()
        try:
            last = json.loads(file.read_text(encoding="utf-8"))
            Job(last)
            self._schema = last
        except (OSError, *_STRANGE):
            pass

    def job(self) -> Job:
        """A job with every default."""
        return Job(self._schema)

    def ask(self, command: Sequence[str]) -> bool:
        """Whether this command has yet to be asked; only if it is another one than before."""
        before, self._command = self._command, command
        return command != before

    def learn(self, schema: Any, job: Job) -> Job | None:
        """Take over what a command says.

        Returns:
            The same job in the new form; None if the form stays as it is.

        Raises:
            BadInputError: The panel cannot show it.
        """
        if schema == self._schema:
            return None
        try:
            found = Job(schema)
            found.load(job.recipe())
        except _STRANGE as error:
            raise BadInputError(f"The panel cannot show all settings of this hpvqa: {error}") from None
        draft = self._file.with_name(self._file.name + ".partial")
        draft.write_text(json.dumps(schema), encoding="utf-8")
        draft.replace(self._file)
        self._schema = schema
        return found
