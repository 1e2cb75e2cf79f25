"""From what a user chooses to a run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpvqa.errors import UsageError, printable
from hpvqa.explore.agents import AGENTS, open_rule
from hpvqa.explore.agents.model import ModelAgent, open_model
from hpvqa.explore.folder import read_worlds
from hpvqa.explore.protocol import Agent
from hpvqa.explore.runs.conditions import get_condition
from hpvqa.explore.runs.folder import RunSettings, Split
from hpvqa.explore.runs.run import run, select
from hpvqa.explore.scene import FAMILIES, Family, Scene
from hpvqa.progress.reporter import Reporter
from hpvqa.versions import versions_of
from hpvqa.vlm.choice import ModelChoice
from hpvqa.vlm.options import ServerOptions

_SIMULATION = ("mujoco-core", "numpy", "pillow")


@dataclass(frozen=True)
class RunChoice:
    """Which scenes are played and how.

    Attributes:
        worlds: Folder of the scenes.
        condition: How they are played.
        families: Which families.
        split: Which types of layouts.
        limit: Most scenes; None: all.
        workers: Processes that simulate.
        seed: Of the agent.
        out: The run's folder; None: one that is named after what is run.
        restart: Whether to drop the scenes of a run that is there, and begin anew.
    """

    worlds: Path
    condition: str = "active"
    families: tuple[Family, ...] = FAMILIES
    split: Split = "all"
    limit: int | None = None
    workers: int = 1
    seed: int = 0
    out: Path | None = None
    restart: bool = False


def play_worlds(
    choice: RunChoice,
    reporter: Reporter,
    *,
    agent: str | None,
    said: Mapping[str, Any],
    train: Path | None,
    environ: Mapping[str, str],
) -> Path:
    """Have an agent play scenes.

    Args:
        choice: Which scenes, and how.
        reporter: Told about progress.
        agent: Name of a rule; None: a model.
        said: What is said of the model.
        train: Other scenes, for agents that learn.
        environ: The environment, for a server's key.

    Returns:
        The run's folder.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    training = _training(train, read_worlds(choice.worlds).seed)
    model = ModelChoice(**said) if said else None
    with closing(_open(agent, model, training, choice.seed, environ)) as player:
        if model is not None and isinstance(model.options, ServerOptions):
            # What it serves is part of the settings.
            player.load(reporter.warning)
        return play_agent(player, choice, reporter, backend="rule" if model is None else model.backend)


def play_agent(player: Agent, choice: RunChoice, reporter: Reporter, *, backend: str, one_by_one: bool = False) -> Path:
    """Have an agent that is there already play scenes; see :func:`play_worlds`.

    Args:
        player: The agent.
        choice: Which scenes, and how.
        reporter: Told about progress.
        backend: What runs it, for ``run.json``.
        one_by_one: Whether a scene begins only when the one before it is over.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    how, drawn = get_condition(choice.condition), read_worlds(choice.worlds)
    scenes = select(choice.worlds, choice.families, choice.split, choice.limit)
    if one_by_one:
        # In the order of groups, a scene's number would tell a person whether its first view suffices.
        scenes.sort(key=lambda scene: scene.checksum)
    if not scenes:
        raise UsageError(f"{choice.worlds} holds no such scenes; draw some with `hpvqa explore draw`")
    for sentence in player.unlike(how.shown) if isinstance(player, ModelAgent) else ():
        reporter.warning(sentence)
    draws = player.looks and how.shown == "pictures"
    packages = (*(player.distributions if isinstance(player, ModelAgent) else ()), *(_SIMULATION if draws else ()))
    settings = RunSettings(
        agent=player.name,
        backend=backend,
        details=dict(player.details),
        condition=choice.condition,
        worlds=printable(str(choice.worlds)),
        worlds_seed=drawn.seed,
        families=choice.families,
        split=choice.split,
        limit=choice.limit,
        seed=choice.seed,
        looks=draws,
        privileged=player.privileged,
        versions=versions_of(packages),
    )
    folder = choice.out or _folder(settings)
    _, waits = run(
        scenes,
        player,
        folder,
        settings,
        reporter,
        workers=choice.workers,
        one_by_one=one_by_one,
        restart=choice.restart,
    )
    if waits.batches:
        reporter.note(
            f"{waits.decisions} decisions in {waits.batches} batches took {waits.deciding:.1f} s; the agent waited "
            f"{waits.waiting:.1f} s for scenes"
        )
    return folder


def _open(
    agent: str | None, model: ModelChoice | None, training: list[Scene], seed: int, environ: Mapping[str, str]
) -> Agent:
    if agent is not None and model is not None:
        raise UsageError("Give either --agent, for a rule, or a model with its options")
    if model is not None:
        return open_model(model, environ)
    if agent is None:
        raise UsageError(f"Who plays? Give --model or --server, or --agent: {', '.join(AGENTS)}")
    return open_rule(agent, seed=seed, training=training)


def _training(train: Path | None, seed: int) -> list[Scene]:
    """Scenes to learn from: none of those that are kept for evaluation."""
    if train is None:
        return []
    if read_worlds(train).seed == seed:
        raise UsageError(f"{train} was drawn with the seed of the scenes that are played; draw it with another --seed")
    return select(train, FAMILIES, "known", None)


def _folder(settings: RunSettings) -> Path:
    parts = (
        Path(settings.agent).name,
        Path(settings.worlds).resolve().name,
        None if settings.backend in ("rule", "transformers") else settings.backend,
        None if settings.condition == "active" else settings.condition,
    )
    return Path("runs") / "-".join(part for part in parts if part)
