"""Rows of the form: a label, and the control of a setting with its tooltip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

import omni.ui as ui

from hpvqa_collector.check import checked, parsed
from hpvqa_collector.collector import Collector
from hpvqa_collector.fields import Field
from hpvqa_collector.options import HINTS
from hpvqa_collector.ui.style import GAP, LABEL_WIDTH, ROW_HEIGHT


@contextmanager
def row(label: str, tooltip: str) -> Any:
    """A line with a label, to put controls beside it."""
    with ui.HStack(height=ROW_HEIGHT, spacing=GAP):
        ui.Label(label, width=LABEL_WIDTH, tooltip=tooltip, elided_text=True)
        yield


def button(text: str, action: Callable[[], Any], tooltip: str, identifier: str, **more: Any) -> ui.Button:
    """A button."""
    return ui.Button(text, clicked_fn=action, tooltip=tooltip, identifier=identifier, height=ROW_HEIGHT, **more)


def in_columns(names: Sequence[str], columns: int, make: Callable[[str], None]) -> None:
    """Make something for each name, so many beside each other."""
    for start in range(0, len(names), columns):
        with ui.HStack(height=0, spacing=GAP):
            for name in names[start : start + columns]:
                make(name)
            for _ in range(len(names), start + columns):
                ui.Spacer()


def say(label: ui.Label, text: str, name: str | None = None) -> None:
    """Let a label say something, in the colours of a name; one that says nothing takes no room."""
    label.text, label.visible = text, bool(text)
    if name is not None:
        label.name = name


class Control:
    """The widgets of one value. After an edit they show what is stored, be it the new value or the old one.

    Args:
        field: What is shown.
        read: Gives the stored value.
        write: Stores a value; called inside `Collector.attempt`.
        collector: Is told of changes.
        identifier: Name of the widgets; several get numbers.
        topic: What `Collector.changed` is told.
        width: Of each widget [pixels]; 0: what is left.
        hint: What is written, faintly, where a text is empty.
    """

    def __init__(
        self,
        field: Field,
        read: Callable[[], Any],
        write: Callable[[Any], Any],
        collector: Collector,
        identifier: str = "",
        topic: str = "edited",
        width: int = 0,
        hint: str = "",
    ) -> None:
        self._hint_text, self._hint = hint, None
        self._width = {"width": width} if width else {}
        self._field, self._read, self._write = field, read, write
        self._collector, self._topic = collector, topic
        self._identifier = identifier or field.name
        self._models: list[Any] = []
        self._showing = False
        self._build()
        self.show()

    def show(self) -> None:
        """Show the stored value."""
        self._showing = True
        value = self._read()
        if self._field.kind == "choice":
            self._models[0].set_value(self._field.choices.index(value))
        elif len(self._models) > 1:
            for model, part in zip(self._models, value or [0.0] * len(self._models), strict=True):
                model.set_value(part)
        else:
            self._models[0].set_value("" if value is None else str(value) if self._as_text else value)
        self._showing = False
        self._show_hint()

    def hint(self, text: str) -> None:
        """Change what is written where a text is empty."""
        self._hint_text = text
        self._show_hint()

    def _show_hint(self) -> None:
        if self._hint is not None:
            say(self._hint, "" if self._models[0].as_string else self._hint_text)

    @property
    def _as_text(self) -> bool:
        return self._field.kind == "text" or self._field.optional

    def _build(self) -> None:
        field = self._field
        if field.kind == "choice":
            box = ui.ComboBox(0, *field.choices, tooltip=field.description, identifier=self._identifier)
            box.model.add_item_changed_fn(lambda *_: self._edited())
            self._models = [box.model.get_item_value_model()]
        elif field.kind == "switch":
            box = ui.CheckBox(tooltip=field.description, identifier=self._identifier, width=ROW_HEIGHT)
            box.model.add_value_changed_fn(lambda *_: self._edited())
            self._models = [box.model]
        elif field.kind in {"range", "size", "vector", "quaternion"}:
            count = {"range": 2, "size": 2, "vector": 3, "quaternion": 4}[field.kind]
            kind = ui.IntField if field.kind == "size" else ui.FloatField
            self._models = [self._typed(kind, f"{self._identifier}.{number}") for number in range(count)]
        elif self._as_text:
            with ui.ZStack():
                self._models = [self._typed(ui.StringField, self._identifier)]
                self._hint = ui.Label(
                    "", name="hint", tooltip=self._field.description, identifier=f"{self._identifier}.hint"
                )
            self._models[0].add_value_changed_fn(lambda *_: self._show_hint())
        else:
            self._models = [self._typed(ui.IntField if field.kind == "integer" else ui.FloatField, self._identifier)]

    def _typed(self, kind: Any, identifier: str) -> Any:
        widget = kind(tooltip=self._field.description, identifier=identifier, **self._width)
        widget.model.add_end_edit_fn(lambda *_: self._edited())
        return widget.model

    def _value(self) -> Any:
        kind, models = self._field.kind, self._models
        if kind == "choice":
            return self._field.choices[models[0].as_int]
        if kind == "switch":
            return models[0].as_bool
        if len(models) > 1:
            if kind == "size":
                return [model.as_int for model in models]
            stored = self._read() or [None] * len(models)
            return [_typed_number(model, part) for model, part in zip(models, stored, strict=True)]
        if self._as_text:
            return parsed(self._field, models[0].as_string)
        return models[0].as_int if kind == "integer" else _typed_number(models[0], self._read())

    def _edited(self) -> None:
        if self._showing:
            return

        def store() -> None:
            value = self._value()
            if value != self._read():
                self._write(value)
                self._collector.changed(self._topic)

        self._collector.attempt(store)
        self.show()


def _typed_number(model: Any, stored: float | None) -> float:
    """What a field holds. Its keyboard gives single precision: -0.2 becomes -0.20000000298."""
    value = float(model.as_float)
    return stored if value == stored else float(f"{value:.7g}")


def job_row(collector: Collector, field: Field, label: str = "", topic: str = "edited") -> Control:
    """The row of a setting of the job, with its unit."""
    unit = f" [{field.unit}]" if field.unit else ""
    with row((label or field.title) + unit, field.description):
        return Control(
            field,
            lambda: collector.job.get(field.path),
            lambda value: collector.job.set(field.path, value),
            collector,
            topic=topic,
            hint="none" if field.optional else "",
        )


def option_row(
    collector: Collector, name: str, label: str, kind: str, meaning: str, choices: Sequence[str] = ()
) -> Control:
    """The row of one of the panel's own options."""
    with row(label, meaning):
        return option_control(collector, name, label, kind, meaning, choices)


def option_control(
    collector: Collector,
    name: str,
    label: str,
    kind: str,
    meaning: str,
    choices: Sequence[str] = (),
    identifier: str = "",
    topic: str = "edited",
) -> Control:
    """The control of one of the panel's own options."""
    options = collector.options
    least = 0 if kind == "integer" else None
    field = Field((name,), label, meaning, kind, None, minimum=least, choices=tuple(choices))

    def write(value: Any) -> None:
        setattr(options, name, checked(field, value))

    return Control(
        field,
        lambda: getattr(options, name),
        write,
        collector,
        identifier or f"option.{name}",
        topic,
        hint=HINTS.get(name, ""),
    )
