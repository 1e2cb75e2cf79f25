"""Runs over a small data set, for the tests of evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hpvqa.dataset.build import build
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.evaluate.conditions import parse_conditions
from hpvqa.evaluate.folder import RunSettings
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.ray import ClusterChoice
from hpvqa.evaluate.run import evaluate, run_settings
from hpvqa.evaluate.select import Rows, select
from hpvqa.main import main
from hpvqa.recipe import Recipe
from hpvqa.vlm.choice import Look
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.protocol import Answerer
from tests.factories import make_data, quiet

SMALL = FrameSampling(resolution=None)


def make_dataset(place: Path) -> Dataset:
    """A data set of eight episodes of two tasks, in a new folder."""
    build(make_data(place / "data", push=8, drop=8), place / "dataset", quiet(), recipe=Recipe())
    return open_dataset(place / "dataset")


def settings_of(dataset: Dataset, answerer: Answerer, **changes: Any) -> RunSettings:
    rows = Rows.model_validate(
        {"split": "all", **{name: changes.pop(name) for name in Rows.model_fields if name in changes}}
    )
    given = {"backend": "baseline", "model": answerer.name, "seed": 1, **changes}
    look = Look(load_prompt("paper"), given.pop("frames", SMALL), views=given.pop("views", {}))
    return run_settings(dataset, answerer, rows, look, **given)


def run(
    dataset: Dataset,
    answerer: Answerer,
    out: Path,
    *,
    limit: int | None = None,
    workers: int = 1,
    conditions: str = "plain",
    restart: bool = False,
    cluster: ClusterChoice | None = None,
    **changes: Any,
) -> list[Prediction]:
    settings = settings_of(dataset, answerer, limit=limit, **changes)
    chosen = select(dataset, settings.split, load_prompt("paper"), task=settings.task, camera=settings.camera)
    wanted = parse_conditions(conditions)
    how = {"conditions": wanted, "workers": workers, "cluster": cluster, "restart": restart}
    return evaluate(chosen[:limit], answerer, out, settings, quiet(), **how)


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]


def hpvqa(*args: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    return int(stop.value.code or 0)
