"""All scores of a run."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from hpvqa.explore.runs.conditions import CONDITIONS
from hpvqa.explore.runs.record import Played
from hpvqa.explore.scores.calibration import Calibration, calibration
from hpvqa.explore.scores.figure import Figure, ratio, share
from hpvqa.explore.scores.gain import Gain, StepGain, gain, per_step
from hpvqa.explore.scores.judgement import Judgement, first_judgement, judgements
from hpvqa.plain import Model


class Answers(Model):
    """How good the final answers are; a scene without an answer is not answered correctly."""

    correct: Figure = Field(description="ACC_FA: correct answers.")
    correct_insufficient: Figure | None = Field(description="The same where the first view does not suffice.")
    justified: Figure = Field(description="Correct answers that followed from what was seen.")
    lucky: Figure = Field(description="Correct answers that did not.")
    both_twins: Figure | None = Field(description="Pairs of twins where both answers are correct.")
    excess: Figure | None = Field(
        description="Decisions beyond those of an ideal observer, on average over justified answers."
    )
    unanswered: int = Field(description="Scenes that ended without an answer.")


class Scores(Model):
    """All scores of some scenes that one agent played."""

    scenes: int
    decisions: int
    unreadable: int = Field(description="Decisions that were no valid choice; each cost a step.")
    mishaps: int = Field(description="Scenes in which something went wrong with the robot.")
    first: Figure | None = Field(description="ACC_ISJ; null where the agent may not act.")
    judgements: tuple[Judgement, ...] = Field(description="Over all decisions, then at each step.")
    gain: Gain | None
    gain_by_step: tuple[StepGain, ...] = Field(description="Decision by decision; none where the agent may not act.")
    answers: Answers
    calibration: Calibration | None
    robot_seconds: Figure | None = Field(description="How long the robot was at work, a scene [s].")


def measure(played: Sequence[Played], condition: str) -> Scores:
    """The scores of a run.

    Args:
        played: Its scenes; at least one.
        condition: How they were played.
    """
    acts = CONDITIONS[condition].acts
    decisions = [step for one in played for step in one.decisions]
    clusters = [one.cluster for one in played]
    robot = [sum(step.robot_seconds for step in one.decisions) for one in played]
    return Scores(
        scenes=len(played),
        decisions=len(decisions),
        unreadable=sum(step.letter is None for step in decisions),
        mishaps=sum(any(step.mishap for step in one.steps) for one in played),
        first=first_judgement(played) if acts else None,
        judgements=judgements(played) if acts else (),
        gain=gain(played) if acts else None,
        gain_by_step=per_step(played) if acts else (),
        answers=_answers(played),
        calibration=calibration(played),
        robot_seconds=ratio(robot, [1.0] * len(played), clusters),
    )


def justified(one: Played) -> bool:
    """Whether a scene was answered correctly, and the answer followed from what was seen."""
    return one.correct and one.decisions[-1].privileged.sufficient


def _answers(played: Sequence[Played]) -> Answers:
    clusters = [one.cluster for one in played]
    hard = [one for one in played if not one.ending.sufficient]
    sure = [one for one in played if justified(one)]
    correct, followed, lucky = (
        share(true, clusters)
        for true in (
            [one.correct for one in played],
            [justified(one) for one in played],
            [one.correct and not justified(one) for one in played],
        )
    )
    assert correct is not None and followed is not None and lucky is not None  # noqa: S101, PT018 - there are scenes
    pairs = twins(played)
    return Answers(
        correct=correct,
        correct_insufficient=share([one.correct for one in hard], [one.cluster for one in hard]),
        justified=followed,
        lucky=lucky,
        both_twins=share([a.correct and b.correct for a, b in pairs], [a.cluster for a, _ in pairs]),
        excess=ratio(
            [len(one.steps) - one.ending.planned for one in sure], [1.0] * len(sure), [one.cluster for one in sure]
        ),
        unanswered=sum(one.ending.said is None for one in played),
    )


def twins(played: Sequence[Played]) -> list[tuple[Played, Played]]:
    """The pairs of scenes with one layout and question and two answers."""
    numbered = {(one.ending.family, one.ending.index): one for one in played}
    return [
        (one, numbered[one.ending.family, one.ending.twin])
        for one in played
        if one.ending.index < one.ending.twin and (one.ending.family, one.ending.twin) in numbered
    ]
