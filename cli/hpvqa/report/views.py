"""From where a row of a run was seen: by the pose of its camera where that is known, else by the camera's name."""

from __future__ import annotations

from collections.abc import Callable

from hpvqa.errors import HpvqaError
from hpvqa.evaluate.perspective import View
from hpvqa.evaluate.prediction import Prediction
from hpvqa.report.source import Run
from hpvqa.scene.camera import faces_robot


def views_of(run: Run) -> Callable[[Prediction], View | None]:
    """What says from where a row of the run was seen; it answers None where that is not known, or from the side."""
    poses = _poses(run)

    def view(prediction: Prediction) -> View | None:
        key = (prediction.split, prediction.clip)
        return poses[key] if key in poses else view_by_name(prediction.camera)

    return view


def view_by_name(camera: str) -> View | None:
    """What a name such as front_left_narrow says; None if it names neither the front nor the back, or both."""
    words = set(camera.lower().split("_"))
    front, back = "front" in words, "back" in words
    return None if front == back else "front" if front else "back"


def _poses(run: Run) -> dict[tuple[str, str], View | None]:
    """By split and clip, for the rows of the run's data set whose cameras are recorded."""
    if run.dataset is None:
        return {}
    found: dict[tuple[str, str], View | None] = {}
    try:
        for split in dict.fromkeys(prediction.split for prediction in run.predictions):
            for row in run.dataset.comparisons(split):
                if row.calibration is not None:
                    facing = faces_robot(row.calibration.camera)
                    found[split, row.file_name] = None if facing is None else "front" if facing else "back"
    except HpvqaError:
        # What is wrong with the data set is said where its clips are read.
        return {}
    return found
