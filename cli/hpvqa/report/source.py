"""A run as a report sees it, whatever it was read from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hpvqa.dataset.load import Dataset
from hpvqa.evaluate.folder import RunSettings
from hpvqa.evaluate.parts import UNTRAINED, parts_of
from hpvqa.evaluate.prediction import Estimate, Prediction, Reply
from hpvqa.files import inside, is_file


@dataclass(frozen=True)
class Run:
    """Answers of one model.

    Attributes:
        name: What it is called in tables, unlike any other run of the report.
        files: What it was read from: its folder, or files in the public original's form.
        settings: Its ``run.json``; None for files of the public original.
        predictions: The latest answer to every row that asks to compare, under every condition.
        estimates: The same of rows that ask for values.
        notes: Sentences that a reader should see.
        missing: How many rows have no answer yet; None where the data set is not at hand to tell.
        dataset: The data set that it is about; None where it is not at hand.
    """

    name: str
    files: tuple[Path, ...]
    settings: RunSettings | None
    predictions: tuple[Prediction, ...]
    estimates: tuple[Estimate, ...] = ()
    notes: tuple[str, ...] = ()
    missing: int | None = None
    dataset: Dataset | None = None

    @cached_property
    def conditions(self) -> dict[str, list[Prediction]]:
        """Answers by condition, the one without any change first; views that were not trained on are apart."""
        return parts_of(self.predictions, {} if self.settings is None else self.settings.views)

    @cached_property
    def values(self) -> dict[str, list[Estimate]]:
        """Values likewise."""
        return parts_of(self.estimates, {} if self.settings is None else self.settings.views)

    @property
    def main_condition(self) -> str:
        """The condition that a run is judged by: plain if it has that one, else the first of :attr:`conditions`."""
        return next(iter(self.conditions or self.values))

    @property
    def main(self) -> list[Prediction]:
        """The answers that a run is judged by."""
        return self.conditions.get(self.main_condition, [])

    @property
    def tasks(self) -> list[str]:
        """Its tasks, in the order in which they appear."""
        return list(dict.fromkeys(reply.task for reply in (*self.predictions, *self.estimates)))

    @property
    def model(self) -> str:
        """What answered."""
        return self.name if self.settings is None else self.settings.model

    @property
    def base(self) -> str:
        """The model without its adapter: its fingerprint where that is known, since a model may have several names."""
        fingerprint = None if self.settings is None else self.settings.details.get("fingerprint")
        return self.model if fingerprint is None else str(fingerprint)

    @property
    def adapter(self) -> str | None:
        """The adapter that was put on the model; None without one."""
        adapter = None if self.settings is None else self.settings.details.get("adapter")
        return None if adapter is None else str(adapter)

    @property
    def shift(self) -> str | None:
        """What its episodes change for testing; None: nothing."""
        return next((prediction.shift for prediction in self.predictions if prediction.shift is not None), None)

    @property
    def fingerprint(self) -> str | None:
        """The data set's; None where it is not known."""
        return None if self.settings is None else self.settings.fingerprint

    @property
    def marks(self) -> tuple[str, ...]:
        """Words that stand beside its name wherever its numbers are shown."""
        if self.settings is None:
            return ()
        marks = {
            "privileged": self.settings.privileged,
            "resampling unknown": self.settings.resampling == "unknown",
            # Else these are apart, under conditions of their own.
            UNTRAINED: self.main_condition.endswith(UNTRAINED),
        }
        return tuple(mark for mark, holds in marks.items() if holds)

    def clip(self, reply: Reply) -> Path | None:
        """The video of a row; None where there is none to show."""
        if self.dataset is None:
            return None
        try:
            path = inside(self.dataset.root, f"{reply.split}/{reply.clip}")
        except ValueError:
            return None
        return path if is_file(path) else None
