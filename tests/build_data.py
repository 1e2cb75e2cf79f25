"""Data folders and builds, for the tests of data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hpvqa.dataset.build import Built, build
from hpvqa.main import main
from hpvqa.recipe import Recipe
from tests.factories import quiet


def make(data: Path, out: Path, **options: Any) -> Built:
    return build(data, out, quiet(), **{"recipe": Recipe(), **options})


def hpvqa(*args: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    return int(stop.value.code or 0)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
