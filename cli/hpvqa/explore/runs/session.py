"""From what a user chooses to a run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from hpvqa.errors import UsageError, printable
from hpvqa.explore.agents import AGENTS, open_rule
from hpvqa.explore.agents.model import ModelAgent, open_model
from hpvqa.explore.folder import families as parse_families
from hpvqa.explore.folder import read_worlds
from hpvqa.explore.protocol import Agent
from hpvqa.explore.runs.conditions import get_condition
from hpvqa.explore.runs.folder import RunSettings, Split
from hpvqa.explore.runs.run import run, select
from hpvqa.explore.scene import FAMILIES, Scene
from hpvqa.progress.reporter import Reporter
from hpvqa.versions import versions_of
from hpvqa.vlm.choice import ModelChoice
from hpvqa.vlm.options import ServerOptions

_SIMULATION = ("mujoco-core", "numpy", "pillow")


def play_worlds(
    worlds: Path,
    reporter: Reporter,
    *,
    agent: str | None,
    said: Mapping[str, Any],
    condition: str,
    train: Path | None,
    families: str,
    split: str,
    limit: int | None,
    workers: int,
    seed: int,
    out: Path | None,
    environ: Mapping[str, str],
) -> Path:
    """Have an agent play the scenes of a folder.

    Args:
        worlds: The folder.
        reporter: Told about progress.
        agent: Name of a rule; None: a model.
        said: What is said of the model.
        condition: How scenes are played.
        train: Other scenes, for agents that learn.
        families: Which families, with commas between them.
        split: Which types of layouts.
        limit: Most scenes.
        workers: Processes that simulate.
        seed: Of the agent.
        out: The run's folder; None: one that is named after what is run.
        environ: The environment, for a server's key.

    Returns:
        The run's folder.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    drawn = read_worlds(worlds)
    with closing(_open(agent, said, _training(train, drawn.seed), seed, environ)) as player:
        if said and isinstance(ModelChoice(**said).options, ServerOptions):
            # What it serves is part of the settings.
            player.load(reporter.warning)
        return play_agent(
            player,
            worlds,
            reporter,
            backend=ModelChoice(**said).backend if agent is None else "rule",
            condition=condition,
            families=families,
            split=split,
            limit=limit,
            workers=workers,
            seed=seed,
            out=out,
        )


def play_agent(
    player: Agent,
    worlds: Path,
    reporter: Reporter,
    *,
    backend: str,
    condition: str = "active",
    families: str = "all",
    split: str = "all",
    limit: int | None = None,
    workers: int = 1,
    seed: int = 0,
    out: Path | None = None,
) -> Path:
    """Have an agent that is there already play the scenes of a folder; see :func:`play_worlds`.

    Args:
        player: The agent.
        worlds: The folder.
        reporter: Told about progress.
        backend: What runs it, for ``run.json``.
        condition: How scenes are played.
        families: Which families, with commas between them.
        split: Which types of layouts.
        limit: Most scenes.
        workers: Processes that simulate.
        seed: Of the agent.
        out: The run's folder; None: one that is named after what is run.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    how, drawn, chosen = get_condition(condition), read_worlds(worlds), parse_families(families)
    scenes = select(worlds, chosen, cast(Split, split), limit)
    if not scenes:
        raise UsageError(f"{worlds} holds no such scenes; draw some with `hpvqa explore draw`")
    draws = player.looks and how.shown == "pictures"
    packages = (*(player.distributions if isinstance(player, ModelAgent) else ()), *(_SIMULATION if draws else ()))
    settings = RunSettings(
        agent=player.name,
        backend=backend,
        details=dict(player.details),
        condition=condition,
        worlds=printable(str(worlds)),
        worlds_seed=drawn.seed,
        families=chosen,
        split=cast(Split, split),
        limit=limit,
        seed=seed,
        looks=draws,
        privileged=player.privileged,
        versions=versions_of(packages),
    )
    folder = out or _folder(settings)
    _, waits = run(scenes, player, folder, settings, reporter, workers=workers)
    if waits.batches:
        reporter.note(
            f"{waits.decisions} decisions in {waits.batches} batches took {waits.deciding:.1f} s; the agent waited "
            f"{waits.waiting:.1f} s for scenes"
        )
    return folder


def _open(
    agent: str | None, said: Mapping[str, Any], training: list[Scene], seed: int, environ: Mapping[str, str]
) -> Agent:
    if agent is not None and said:
        raise UsageError("Give either --agent, for a rule, or a model with its options")
    if agent is None and not said:
        raise UsageError(f"Who plays? Give --model or --server, or --agent: {', '.join(AGENTS)}")
    return open_model(ModelChoice(**said), environ) if agent is None else open_rule(agent, seed=seed, training=training)


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
