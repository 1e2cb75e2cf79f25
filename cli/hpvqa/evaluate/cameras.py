"""Cameras by which answers go with the truth, or against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, computed_field

from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.statistics.independence import fisher_p
from hpvqa.evaluate.statistics.permutation import holm
from hpvqa.plain import Model
from hpvqa.scene.spec import SIDES

_SIGNIFICANT = 0.05


class CameraTest(Model):
    """Whether answers by one camera have to do with the truth; from valid answers, one an episode."""

    task: str
    camera: str
    n: int = Field(description="Valid answers.")
    hit_rate: float | None = Field(description="How often left is said where it is true; null if it never is.")
    false_alarm_rate: float | None = Field(
        description="How often left is said where right is true; null if it never is."
    )
    p: float = Field(description="Two-sided p of Fisher's exact test.")
    p_holm: float = Field(description="p corrected by Holm's method over the cameras of the task.")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def verdict(self) -> Literal["above", "below"] | None:
        """Whether answers are better or worse than chance at a level of 0.05; null if neither can be said."""
        if self.p_holm >= _SIGNIFICANT or self.hit_rate is None or self.false_alarm_rate is None:
            return None
        return "above" if self.hit_rate > self.false_alarm_rate else "below"


def camera_tests(predictions: Sequence[Prediction]) -> list[CameraTest]:
    """Test every camera of every task.

    Args:
        predictions: The rows, under one condition.
    """
    valid = [row for row in predictions if row.prediction is not None]
    found = []
    for task in dict.fromkeys(row.task for row in valid):
        cameras = dict.fromkeys(row.camera for row in valid if row.task == task)
        counts = [_said_left([row for row in valid if (row.task, row.camera) == (task, name)]) for name in cameras]
        ps = [fisher_p(*count) for count in counts]
        for camera, (hits, left, alarms, right), p, corrected in zip(cameras, counts, ps, holm(ps), strict=True):
            found.append(
                CameraTest(
                    task=task,
                    camera=camera,
                    n=left + right,
                    hit_rate=hits / left if left else None,
                    false_alarm_rate=alarms / right if right else None,
                    p=p,
                    p_holm=corrected,
                )
            )
    return found


def _said_left(rows: Sequence[Prediction]) -> tuple[int, int, int, int]:
    """Where left is true, how often it is said and how many rows there are; then the same where right is true."""
    of_sides = [[row.prediction == "left" for row in rows if row.answer == side] for side in SIDES]
    return sum(of_sides[0]), len(of_sides[0]), sum(of_sides[1]), len(of_sides[1])
