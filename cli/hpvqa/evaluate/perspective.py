"""Whose left and right a model answers in: the robot's, as it is asked, or those of the picture.

From behind the robot both are the same. From the front they are opposite, so that a model which sees the event
perfectly but answers in the picture's left and right is always wrong there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field, computed_field

from hpvqa.dataset.rows import Cluster
from hpvqa.evaluate.bias import balanced
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.statistics.interval import Interval, accuracy_interval
from hpvqa.plain import Model
from hpvqa.scene.spec import other_side

View = Literal["front", "back"]
"""Whether a camera faces the robot, or looks from behind it."""


class Reading(Model):
    """How many answers are correct if left and right are taken in one of both ways."""

    correct: int
    accuracy: float
    interval: Interval
    balanced: float | None = Field(
        description="Mean of the accuracies of both true sides, so that a preference for one does not count; null if "
        "one has no row."
    )
    balanced_interval: Interval | None


class SeenFrom(Model):
    """The answered rows by the cameras of one view, or of both."""

    view: Literal["front", "back", "both"]
    n: int
    episodes: int
    robot: Reading = Field(description="With the robot's left and right, in which the truth is given.")
    picture: Reading = Field(description="With the picture's left and right.")


class Perspective(Model):
    """Whose left and right the answers to one task are given in."""

    task: str
    views: tuple[SeenFrom, ...] = Field(description="From the front, from the back, and both together.")
    episodes: int = Field(description="Episodes seen by a camera whose position is known.")
    picture_episodes: int = Field(description="Those where most answers are correct in the picture's left and right.")
    unknown: int = Field(description="Answered rows of cameras whose position is unknown; left out.")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def explains(self) -> bool:
        """Whether the picture's left and right explain the scores, and the robot's do not.

        From the front, answers go against the truth; in the picture's left and right they go with it; and from the back
        they do not go against it. All by balanced accuracy and its interval, which no preference for a side changes.
        """
        found = {seen.view: seen for seen in self.views}
        if found.keys() != {"front", "back", "both"}:
            return False
        front, back, both = found["front"].robot, found["back"].robot, found["both"].picture
        if front.balanced_interval is None or back.balanced is None or both.balanced_interval is None:
            return False
        return front.balanced_interval.high < 0.5 < both.balanced_interval.low and back.balanced >= 0.5

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sentence(self) -> str | None:
        """The finding in words; null where the picture's left and right do not explain the scores."""
        if not self.explains:
            return None
        found = {seen.view: seen for seen in self.views}
        front, both = found["front"], found["both"]
        interval = both.picture.interval
        return (
            f"{self.task}: the answers are given in the picture's left and right, not the robot's. Read so, "
            f"{both.picture.correct} of {both.n} are correct ({both.picture.accuracy:.2f}, 95 % {interval.low:.2f} to "
            f"{interval.high:.2f}), most of them in {self.picture_episodes} of {self.episodes} episodes; in the "
            f"robot's, {both.robot.correct} ({both.robot.accuracy:.2f}), and from the front, where both are opposite, "
            f"{front.robot.correct} of {front.n} ({front.robot.accuracy:.2f})."
        )


def perspectives(
    predictions: Sequence[Prediction], view: Callable[[Prediction], View | None], *, seed: int = 0
) -> list[Perspective]:
    """Whose left and right the answers are given in, task by task; nothing of a task without a known camera.

    Args:
        predictions: The rows, under one condition.
        view: From where a row was seen; None where that is not known, or from the side.
        seed: Seed of the intervals that are found by bootstrap.
    """
    found = []
    for task in dict.fromkeys(row.task for row in predictions):
        rows = [(row, view(row)) for row in predictions if row.task == task and row.error is None]
        known = [(row, seen) for row, seen in rows if seen is not None]
        if known:
            episodes, most = _most(known)
            found.append(
                Perspective(
                    task=task,
                    views=tuple(_views(known, seed)),
                    episodes=episodes,
                    picture_episodes=most,
                    unknown=len(rows) - len(known),
                )
            )
    return found


def _views(known: Sequence[tuple[Prediction, View]], seed: int) -> list[SeenFrom]:
    groups: dict[Literal["front", "back", "both"], list[tuple[Prediction, View]]] = {
        "front": [pair for pair in known if pair[1] == "front"],
        "back": [pair for pair in known if pair[1] == "back"],
        "both": list(known),
    }
    return [
        SeenFrom(
            view=name,
            n=len(pairs),
            episodes=len({row.cluster for row, _ in pairs}),
            robot=_reading([row for row, _ in pairs], seed),
            picture=_reading([in_picture(*pair) for pair in pairs], seed),
        )
        for name, pairs in groups.items()
        if pairs
    ]


def _reading(rows: Sequence[Prediction], seed: int) -> Reading:
    correct = [row.is_correct for row in rows]
    interval = accuracy_interval(correct, [row.cluster for row in rows], seed=seed)
    assert interval is not None  # noqa: S101 - there is a row
    mean, mean_interval = balanced(rows, seed)
    return Reading(
        correct=sum(correct),
        accuracy=sum(correct) / len(correct),
        interval=interval,
        balanced=mean,
        balanced_interval=mean_interval,
    )


def in_picture(row: Prediction, view: View) -> Prediction:
    """The row, judged by the picture's left and right; its true answer stays that of the episode."""
    truth = other_side(row.answer) if view == "front" else row.answer
    return row.model_copy(update={"is_correct": row.prediction == truth})


def _most(known: Sequence[tuple[Prediction, View]]) -> tuple[int, int]:
    """How many episodes there are, and in how many most answers are correct in the picture's left and right."""
    episodes: dict[Cluster, list[bool]] = {}
    for row, view in known:
        episodes.setdefault(row.cluster, []).append(in_picture(row, view).is_correct)
    return len(episodes), sum(2 * sum(correct) > len(correct) for correct in episodes.values())
