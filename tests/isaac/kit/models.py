"""The stand-in's models: values and choices that widgets show, with those who watch them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from tests.isaac.kit.strict import KitError, World


class AbstractValueModel:
    """A value with those who watch it."""

    def __init__(self) -> None:
        self._fns: dict[int, tuple[str, Callable[[Any], None]]] = {}

    def _add(self, kind: str, fn: Callable[[Any], None]) -> int:
        if not callable(fn):
            raise KitError(f"{fn!r} is not callable")
        number = len(self._fns)
        self._fns[number] = (kind, fn)
        return number

    def add_value_changed_fn(self, fn: Callable[[Any], None]) -> int:
        return self._add("value", fn)

    def add_begin_edit_fn(self, fn: Callable[[Any], None]) -> int:
        return self._add("begin", fn)

    def add_end_edit_fn(self, fn: Callable[[Any], None]) -> int:
        return self._add("end", fn)

    def _call(self, kind: str) -> None:
        for known, fn in list(self._fns.values()):
            if known == kind:
                fn(self)

    def begin_edit(self) -> None:
        raise KitError("begin_edit tells nobody where Python calls it; only a widget does")

    def end_edit(self) -> None:
        raise KitError("end_edit tells nobody where Python calls it; only a widget does")

    def _typed(self, value: Any) -> None:
        """What a field does with what is typed into it; for tests alone."""
        self._call("begin")
        self.set_value(value)  # type: ignore[attr-defined]
        self._call("end")

    def _value_changed(self) -> None:
        self._call("value")

    def get_value_as_string(self) -> str:
        raise KitError(f"{type(self).__name__} has no text")

    def get_value_as_int(self) -> int:
        raise KitError(f"{type(self).__name__} has no whole number")

    def get_value_as_float(self) -> float:
        raise KitError(f"{type(self).__name__} has no number")

    def get_value_as_bool(self) -> bool:
        raise KitError(f"{type(self).__name__} is neither true nor false")

    as_string = property(lambda self: self.get_value_as_string())
    as_int = property(lambda self: self.get_value_as_int())
    as_float = property(lambda self: self.get_value_as_float())
    as_bool = property(lambda self: self.get_value_as_bool())


class ValueModel(AbstractValueModel):
    """A value that can be set."""

    ACCEPTS: tuple[type, ...] = (str,)
    KIND: Callable[[Any], Any] = str

    def __init__(self, value: Any) -> None:
        super().__init__()
        self._value = value

    def set_value(self, value: Any) -> None:
        World.check_thread()
        if not isinstance(value, self.ACCEPTS) or (isinstance(value, bool) and bool not in self.ACCEPTS):
            raise KitError(f"{type(self).__name__} cannot hold {value!r}")
        value = self.KIND(value)
        if value != self._value:
            self._value = value
            self._value_changed()

    def get_value_as_string(self) -> str:
        return str(self._value)

    def get_value_as_int(self) -> int:
        return int(self._value)

    def get_value_as_float(self) -> float:
        return float(self._value)

    def get_value_as_bool(self) -> bool:
        return bool(self._value)


class SimpleStringModel(ValueModel):
    def __init__(self, defaultValue: str = "") -> None:  # noqa: N803 - Kit's own name
        super().__init__(defaultValue)


class SimpleIntModel(ValueModel):
    ACCEPTS, KIND = (int,), int

    def __init__(self, default_value: int = 0) -> None:
        super().__init__(default_value)

    def set_value(self, value: Any) -> None:
        super().set_value(value)
        if not -(2**63) <= self._value < 2**63:
            raise KitError(f"{value} does not fit into 64 bits")


class SimpleFloatModel(ValueModel):
    ACCEPTS, KIND = (int, float), float

    def _typed(self, value: Any) -> None:
        # The model holds double precision, a field's keyboard single.
        (single,) = struct.unpack("f", struct.pack("f", value))
        super()._typed(single)

    def __init__(self, default_value: float = 0.0) -> None:
        super().__init__(default_value)


class SimpleBoolModel(ValueModel):
    ACCEPTS, KIND = (bool,), bool

    def __init__(self, default_value: bool = False) -> None:
        super().__init__(default_value)


class ItemModel:
    def __init__(self, index: int, items: tuple[str, ...]) -> None:
        self._index = SimpleIntModel(index)
        self._items = items
        self._fns: list[Callable[[Any, Any], None]] = []
        self._index.add_value_changed_fn(lambda _: [fn(self, None) for fn in list(self._fns)])

    def get_item_value_model(self, item: Any = None, column_id: int = 0) -> ValueModel:
        return self._index

    def get_item_children(self, item: Any = None) -> tuple[str, ...]:
        return self._items

    def add_item_changed_fn(self, fn: Callable[[Any, Any], None]) -> int:
        self._fns.append(fn)
        return len(self._fns)
