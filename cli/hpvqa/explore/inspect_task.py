"""Scenes as a task of Inspect (inspect.aisi.org.uk), ``hpvqa/explore``, so that others bring their own agents.

An agent chooses by calling the tool ``choose`` with a letter; it gets the next picture and the next options. The task's
own solver does nothing but ask the model again until the scene is over. It also understands a model that writes its
letter in place of calling the tool.
"""

from __future__ import annotations

import base64
import weakref
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from anyio import to_thread
from inspect_ai import Task, task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, ContentImage, ContentText
from inspect_ai.scorer import (
    CORRECT,
    INCORRECT,
    Metric,
    SampleScore,
    Score,
    Scorer,
    Target,
    Value,
    accuracy,
    metric,
    scorer,
    stderr,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import Tool, tool

from hpvqa.errors import HpvqaError
from hpvqa.explore.agents.words import SYSTEM, offered, read_letter, shown, told
from hpvqa.explore.protocol import Decision, Shot
from hpvqa.explore.runs.conditions import Condition, get_condition
from hpvqa.explore.runs.course import Course, encoded
from hpvqa.explore.runs.folder import Split
from hpvqa.explore.runs.record import Ending, Played, StepRecord
from hpvqa.explore.runs.run import open_stage, select
from hpvqa.explore.runs.stage import Stage
from hpvqa.explore.scene import FAMILIES, Scene
from hpvqa.explore.scores.measure import measure
from hpvqa.explore.world import Outcome

Content = list[ContentText | ContentImage]
_ASKED = "Choose one option: call the tool with its letter."
_OVER = "The scene is over."
_STILLS = 8
"""Of a clip, so many pictures are shown, for not every provider takes videos."""


@task
def explore(
    worlds: str = "worlds",
    split: Split = "all",
    limit: int | None = None,
    condition: str = "active",
    workers: int = 1,
) -> Task:
    """Partly hidden scenes: act until what was seen suffices, then answer.

    Args:
        worlds: Folder of the scenes.
        split: Types of layouts: all, held-out or known.
        limit: Most scenes, of all families alike.
        condition: How they are played, as with ``hpvqa explore run``.
        workers: Processes that simulate.

    Raises:
        PrerequisiteError: There are no such scenes, or no such condition.
    """
    try:
        how, scenes = get_condition(condition), select(Path(worlds), FAMILIES, split, limit)
    except HpvqaError as error:
        # What Inspect shows as a sentence.
        raise PrerequisiteError(str(error)) from None
    if not scenes:
        raise PrerequisiteError(f"{worlds} holds no such scenes; draw some with `hpvqa explore draw`")
    table = _Table(scenes, how, workers)
    samples = [
        Sample(
            input=scene.question.text,
            target=scene.question.answer,
            id=key,
            metadata={"family": scene.family, "type": scene.type, "group": f"{scene.family} {scene.group}"},
        )
        for key, scene in table.scenes.items()
    ]
    return Task(
        dataset=MemoryDataset(samples, name=Path(worlds).resolve().name),
        setup=sit_down(table),
        solver=ask_until_over(table),
        scorer=answers(table),
        version=1,
    )


class _Table:
    """All scenes, and those that are being played.

    Args:
        scenes: The scenes.
        condition: How they are played.
        workers: Processes that simulate.
    """

    def __init__(self, scenes: Sequence[Scene], condition: Condition, workers: int) -> None:
        self.scenes = {scene.key: scene for scene in scenes}
        self.condition = condition
        self.playing: dict[str, _Playing] = {}
        self._workers = workers
        self._stage: Stage | None = None

    @property
    def stage(self) -> Stage:
        """Where they are played; its processes start with the first scene."""
        if self._stage is None:
            self._stage = open_stage(True, self.condition, self._workers)
            weakref.finalize(self, self._stage.close)
        return self._stage


class _Playing:
    """One scene that is being played.

    Args:
        key: What it is called among all that are played at the same time.
        scene: The scene.
        table: Where.
    """

    def __init__(self, key: str, scene: Scene, table: _Table) -> None:
        self._key, self._stage = key, table.stage
        self._course = Course(scene, table.condition, lambda name, data: None)
        self._pictures = 0

    @property
    def over(self) -> bool:
        """Whether nothing can be chosen any more."""
        return self._course.over

    @property
    def decisions(self) -> int:
        """How many there were, also those that were no choice."""
        return sum(not record.given for record in self._course.records)

    @property
    def letters(self) -> list[str]:
        """What can be chosen."""
        return [option.letter for option in self._course.turn.options]

    async def begin(self) -> Content:
        """Show the first view."""
        await self._arrive(self._stage.begin(self._key, self._course.brief.scene))
        return self._shown(told(self._course.brief))

    async def choose(self, letter: str | None) -> Content:
        """Choose an option; what is none costs a step.

        Args:
            letter: Its letter; None where none could be read.

        Returns:
            What is seen then, and what can be chosen.
        """
        if self.over:
            return [ContentText(text=_OVER)]
        error = None if letter else "The reply names no option, or several"
        action = self._course.decided(Decision(letter, error=error))
        if self.over:
            self._stage.end(self._key)
            return [ContentText(text=_OVER)]
        if action is None:
            return self._shown(["That was no valid choice."])
        await self._arrive(self._stage.act(self._key, action))
        mishap = self._course.turn.history[-1].mishap
        return self._shown([f"Something went wrong: {mishap}."] if mishap else [])

    def played(self) -> Played:
        """What was played, and the end of it; without any decision there is one that was no choice."""
        if not self.over:
            # Left by a limit, or by a solver of somebody else.
            self._stage.end(self._key)
        if not self.decisions:
            self._course.decided(Decision(None, error="The agent made no choice"))
        return Played(self._course.ending(), self._course.records)

    async def _arrive(self, coming: Future[Outcome]) -> None:
        action = self._course.arrived(await to_thread.run_sync(coming.result))
        while action is not None:
            action = self._course.arrived(await to_thread.run_sync(self._stage.act(self._key, action).result))

    def _shown(self, lines: Sequence[str]) -> Content:
        """Lines, the pictures that were not shown yet, and what can be chosen."""
        turn = self._course.turn
        content: Content = []
        lines = list(lines)
        for number in range(self._pictures, len(turn.shots)):
            lines += shown(turn, number)
            shot = turn.shots[number]
            pictures = [encoded(Shot(image, shot.view)) for image in shot.few(_STILLS)]
            for _, data in filter(None, pictures):
                if lines:
                    content.append(ContentText(text="\n".join(lines)))
                content.append(ContentImage(image="data:image/png;base64," + base64.b64encode(data).decode("ascii")))
                lines = []
        self._pictures = len(turn.shots)
        return [*content, ContentText(text="\n".join([*lines, *offered(turn), _ASKED]))]


@tool(parallel=False)
def choose(playing: _Playing) -> Tool:
    """The tool of one scene.

    Args:
        playing: The scene.
    """

    async def execute(option: str) -> Content:
        """Choose one of the options: an action, or an answer, which ends the scene.

        Args:
            option: Its letter, such as B.
        """
        return await playing.choose(read_letter(option, playing.letters))

    return execute


@solver
def sit_down(table: _Table) -> Solver:
    """Begin a scene: show its first view, and give the agent its tool; any other solver may follow.

    Args:
        table: The scenes.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        playing = _Playing(state.uuid, table.scenes[str(state.sample_id)], table)
        table.playing[state.uuid] = playing
        state.messages = [ChatMessageSystem(content=SYSTEM), ChatMessageUser(content=[*await playing.begin()])]
        state.tools.append(choose(playing))
        return state

    return solve


@solver
def ask_until_over(table: _Table) -> Solver:
    """Ask the model until its scene is over.

    Args:
        table: The scenes.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        playing = table.playing[state.uuid]
        while not playing.over and not state.completed:
            before = playing.decisions
            state = await generate(state, tool_calls="single")
            if playing.decisions == before:
                content = await playing.choose(read_letter(state.output.completion, playing.letters))
                state.messages.append(ChatMessageUser(content=[*content]))
        return state

    return solve


@metric
def figures(condition: str) -> Metric:
    """All scores of ``hpvqa explore report``, each with its interval of 95 % over groups of scenes.

    Args:
        condition: How the scenes were played.
    """

    def compute(scores: list[SampleScore]) -> Value:
        records = [one.score.metadata["played"] for one in scores if one.score.metadata]
        if not records:
            return {}
        found = measure([_read(record) for record in records], condition)
        # Over all decisions, then at each step: the first view is what stands beside ISJ.
        first = found.judgements[1].model_dump(exclude={"step"}) if found.judgements else {}
        return _flat({**found.model_dump(), "first_view": first})

    return compute


def _read(record: dict[str, Any]) -> Played:
    return Played(Ending.model_validate(record["ending"]), tuple(map(StepRecord.model_validate, record["steps"])))


def _flat(scores: dict[str, Any], before: str = "") -> dict[str, float]:
    """Scores by dotted names; of a figure its value, and where its interval begins and ends."""
    found: dict[str, float] = {}
    for name, value in scores.items():
        if isinstance(value, dict):
            kept = {k: v for k, v in value.items() if k in ("value", "low", "high")} if "method" in value else value
            found |= _flat(kept, f"{before}{name}.")
        elif isinstance(value, int | float):
            found[f"{before}{name}"] = value
    return {name.removesuffix(".value"): value for name, value in found.items()}


def answers(table: _Table) -> Scorer:
    """Whether the answer is correct; all that was done, and what an ideal observer knew then, is in its metadata.

    Args:
        table: The scenes.
    """

    @scorer(name="answer", metrics=[accuracy(), stderr(cluster="group"), figures(table.condition.name)])
    def correct() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            played = table.playing.pop(state.uuid).played()
            steps = [step.model_dump(mode="json") for step in played.steps]
            return Score(
                value=CORRECT if played.correct else INCORRECT,
                answer=played.ending.said,
                metadata={"played": {"ending": played.ending.model_dump(mode="json"), "steps": steps}},
            )

        return score

    return correct()
