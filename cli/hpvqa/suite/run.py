"""A model on the whole suite: every step goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.dataset.manifest import Manifest
from hpvqa.errors import OtherRunError, UsageError
from hpvqa.evaluate.folder import check_run_folder
from hpvqa.evaluate.select import Rows
from hpvqa.evaluate.session import run_model
from hpvqa.explore.agents.model import ModelAgent, open_model
from hpvqa.explore.runs.folder import check_run_folder as check_played_folder
from hpvqa.explore.runs.session import RunChoice, play_agent, play_worlds
from hpvqa.files import write_json
from hpvqa.progress.reporter import Reporter
from hpvqa.report.folder import read_folder
from hpvqa.suite.card import CARD_FILE, PAGE_FILE, Card, Section, Who, read_card
from hpvqa.suite.data import (
    REFERENCES_FOLDER,
    SCENES,
    Data,
    begin,
    build_part,
    check_data,
    collect_part,
    draw_scenes,
    fingerprints,
    versions,
)
from hpvqa.suite.definition import USUAL, Part, Suite, check
from hpvqa.suite.page import write_page
from hpvqa.suite.scoring import scene_section, sections
from hpvqa.tasks.base import FORMS, Form
from hpvqa.vlm.choice import ModelChoice, choose_look, open_answerer
from hpvqa.vlm.options import BaselineOptions, ServerOptions
from hpvqa.vlm.saving import check_place
from hpvqa.vlm.training_record import strange_views

REFERENCES: Mapping[Who, str] = {"ceiling": "frame-oracle", "pixels": "pixels", "random": "random"}
"""The baselines that every model stands beside; what the majority scores follows from the rows."""
PLAYERS: Mapping[Who, str] = {"ceiling": "ideal", "random": "random"}
"""The same of scenes."""


@dataclass(frozen=True)
class Wanted:
    """What a user asks for.

    Attributes:
        data: The rendered suite, a new folder or one that is shared.
        choice: The model.
        out: Where its answers and its card go.
        workers: Processes at work.
        environ: The environment, for a server's key.
        restart: Whether to drop the model's answers that are there, and begin anew.
    """

    data: Data
    choice: ModelChoice
    out: Path
    workers: int
    environ: Mapping[str, str]
    restart: bool = False

    def run(self, who: Who, part: str) -> Path:
        """The folder of a run; that of a baseline that everybody is compared with is the shared one."""
        if who == "model" and not self.is_reference:
            return self.out / part
        name = str(self.choice.name) if who == "model" else {**PLAYERS, **(REFERENCES if part != SCENES else {})}[who]
        return self.data.reference(name, part)

    @property
    def is_reference(self) -> bool:
        """Whether the model is one of the baselines that everybody is compared with."""
        plain = self.choice.said.keys() <= {"model", "backend"}
        return plain and self.choice.backend == "baseline" and self.choice.name in REFERENCES.values()

    @property
    def plays(self) -> bool:
        """Whether the model plays scenes, as one of the baselines does."""
        if isinstance(self.choice.options, BaselineOptions):
            return self.is_reference and self.choice.name in PLAYERS.values()
        return True


@dataclass(frozen=True)
class _Step:
    words: str
    work: Callable[[], object]


def default_out(choice: ModelChoice, suite: Suite) -> Path:
    """The folder of a model's card if none is given: one for each model, adapter and size of the suite."""
    adapter = choice.said.get("adapter")
    who = Path(choice.name or "server").absolute().name + (f"+{Path(adapter).absolute().name}" if adapter else "")
    return Path("cards") / f"{who}-{suite.name.replace(' ', '-')}"


def run(wanted: Wanted, reporter: Reporter, clock: Callable[[], float], created: str) -> Card:
    """Do all that was not done before.

    Args:
        wanted: What is asked for.
        reporter: Told about progress.
        clock: The time [s].
        created: The time, in words.

    Returns:
        The card, which is also written down with its page.

    Raises:
        HpvqaError: A part is missing, a folder holds something else, or is damaged.
        KeyboardInterrupt: It was interrupted; what was finished stays.
    """
    data = wanted.data
    digest = check(data.suite)
    check_data(data, digest)
    check_out(wanted, digest)
    check_model(wanted)
    begin(data, digest)
    steps = [*_render(wanted, reporter, clock), *_references(wanted, reporter), *_model(wanted, reporter)]
    for number, step in enumerate(steps, 1):
        reporter.note(f"Step {number} of {len(steps)}: {step.words}")
        try:
            step.work()
        except OtherRunError as error:
            raise UsageError(f"{error.what}; {_way_out(wanted, error.folder)}") from None
    card = make_card(wanted, digest, created)
    wanted.out.mkdir(parents=True, exist_ok=True)
    write_json(wanted.out / CARD_FILE, card.model_dump(mode="json"))
    write_page(card, wanted.out / PAGE_FILE)
    return card


def _way_out(wanted: Wanted, folder: Path) -> str:
    """What to do about a run that cannot go on."""
    shared = wanted.data.references
    if folder.is_relative_to(shared):
        return f"delete {shared}, and run this again: the baselines then answer anew"
    return "give the same options, choose another --out, or begin anew with --restart"


def check_out(wanted: Wanted, digest: str) -> None:
    """Make sure, before any work, that nothing but an earlier run of this suite is in the folder of the model.

    Args:
        wanted: What is asked for.
        digest: That of the suite's plans.

    Raises:
        UsageError: Something else is there, or the rendered suite.
    """
    data, out = wanted.data, wanted.out
    check_place(out)
    parts = [part.name for part in data.suite.parts()]
    place, root = out.resolve(), data.root.resolve()
    owned = [root / name for name in (*parts, SCENES, REFERENCES_FOLDER)]
    if root.is_relative_to(place) or any(place.is_relative_to(folder) for folder in owned):
        raise UsageError(f"{out} is where the rendered suite is kept, in {data.root}; choose another --out")
    there = {path.name for path in out.iterdir()} if out.exists() else set()
    files = (CARD_FILE, PAGE_FILE)
    # A process that was killed while it wrote leaves a part of a file, which the next one replaces.
    strange = sorted(there - {*files, *(f"{name}.partial" for name in files), SCENES, *parts})
    if strange:
        raise UsageError(f"{out} holds {strange[0]}, which is no part of a suite run; choose another --out")
    for part in parts:
        check_run_folder(out / part)
    check_played_folder(out / SCENES)
    card = None
    # One that is damaged is written again.
    with suppress(UsageError):
        card = read_card(out / CARD_FILE)
    if card is not None and (card.suite, card.digest) != (data.suite.name, digest):
        raise UsageError(f"{out} holds a card of the suite {card.suite}, not {data.suite.name}; choose another --out")


def check_model(wanted: Wanted) -> None:
    """Make sure, before any work, that the model can do all that it will be asked to; nothing heavy is loaded.

    Raises:
        HpvqaError: There is no such model, adapter, prompt or server, options contradict each other, or something is
            missing.
    """
    choice = wanted.choice
    choose_look(choice)
    if not isinstance(choice.options, BaselineOptions):
        _player(wanted, lambda sentence: None).close()
        return
    if choice.name == "majority":
        raise UsageError(
            "majority counts training episodes, which shifts lack; it stands on every card: choose another --model"
        )
    nothing = Dataset(wanted.data.root, Manifest(source="", split_seed=0, files={}), "")
    open_answerer(choice, nothing, seed=0, environ=wanted.environ).close()


def _render(wanted: Wanted, reporter: Reporter, clock: Callable[[], float]) -> list[_Step]:
    data, workers = wanted.data, wanted.workers
    steps = []
    for part in data.suite.parts():
        count, what = sum(part.tasks.values()), "usual episodes" if part.usual else f"the shift {part.name}"
        steps.append(_Step(f"{count} episodes, {what}", partial(collect_part, data, part, workers, reporter, clock)))
        steps.append(_Step(f"data set, {what}", partial(build_part, data, part, reporter)))
    return [*steps, _Step(f"{data.suite.size.scenes} scenes", partial(draw_scenes, data, workers, reporter))]


def _references(wanted: Wanted, reporter: Reporter) -> list[_Step]:
    steps = []
    for who, name in REFERENCES.items():
        for part in wanted.data.suite.parts():
            work = partial(_answer, wanted, who, part, ModelChoice(model=name), reporter)
            steps.append(_Step(f"answers of {name}, {part.name}", work))
    played = [
        _Step(f"scenes, played by {name}", partial(_play, wanted, who, name, reporter)) for who, name in PLAYERS.items()
    ]
    return [*steps, *played]


def _model(wanted: Wanted, reporter: Reporter) -> list[_Step]:
    if wanted.is_reference:
        return []
    name = wanted.choice.name or "the server's model"
    steps = [
        _Step(f"answers of {name}, {part.name}", partial(_answer, wanted, "model", part, wanted.choice, reporter))
        for part in wanted.data.suite.parts()
    ]
    if wanted.plays:
        steps.append(_Step(f"scenes, played by {name}", partial(_play_model, wanted, reporter)))
    return steps


def _answer(wanted: Wanted, who: Who, part: Part, choice: ModelChoice, reporter: Reporter) -> None:
    # A shift has no training episodes to take values from.
    compares = choice.backend == "baseline" and choice.name == REFERENCES["random"] and not part.usual
    forms: tuple[Form, ...] | None = ("compare",) if compares else None
    run_model(
        open_dataset(wanted.data.dataset(part)),
        choice,
        wanted.run(who, part.name),
        reporter,
        rows=Rows(split="eval", questions=forms),
        seed=wanted.data.suite.definition.seed,
        environ=wanted.environ,
        # Only the baseline that looks at clips is slow enough for more processes to pay.
        workers=wanted.workers if who == "pixels" else None,
        restart=wanted.restart and who == "model",
    )


def _play(wanted: Wanted, who: Who, agent: str, reporter: Reporter) -> None:
    play_worlds(_scenes(wanted, who), reporter, agent=agent, said={}, train=None, environ=wanted.environ)


def _play_model(wanted: Wanted, reporter: Reporter) -> None:
    with closing(_player(wanted, reporter.warning)) as player:
        play_agent(player, _scenes(wanted, "model"), reporter, backend=wanted.choice.backend)


def _player(wanted: Wanted, tell: Callable[[str], None]) -> ModelAgent:
    player = open_model(wanted.choice, wanted.environ)
    if isinstance(wanted.choice.options, ServerOptions):
        # What it serves is part of the settings.
        player.load(tell)
    return player


def _scenes(wanted: Wanted, who: Who) -> RunChoice:
    data = wanted.data
    return RunChoice(
        data.scenes,
        families=data.suite.definition.families,
        workers=wanted.workers,
        out=wanted.run(who, SCENES),
        restart=wanted.restart and who == "model",
    )


def make_card(wanted: Wanted, digest: str, created: str) -> Card:
    """The card of a model whose runs are all there.

    Raises:
        HpvqaError: A run is not there, or damaged.
    """
    data, found = wanted.data, fingerprints(wanted.data)
    everybody: tuple[Who, ...] = ("model", *REFERENCES)
    made: list[Section] = []
    for part in data.suite.parts():
        runs = {who: wanted.run(who, part.name) for who in everybody}
        made += sections(part.name, data.dataset(part), runs, found[part.name])
    players = {who: wanted.run(who, SCENES) for who in (("model", *PLAYERS) if wanted.plays else PLAYERS)}
    why = None if wanted.plays else "It answers data sets, and plays no scenes."
    made.append(scene_section(players, found[SCENES], why))
    run = read_folder(wanted.run("model", USUAL))
    assert run.settings is not None  # noqa: S101 - it was made by evaluating
    usual = next(section for section in made if section.key == (USUAL, FORMS[0]))
    return Card(
        suite=data.suite.name,
        digest=digest,
        model=run.model,
        backend=run.settings.backend,
        details={**run.settings.details, "frames": run.settings.model_dump(mode="json")["frames"]},
        privileged=run.settings.privileged,
        headline=usual.scores.get("model"),
        sections=tuple(made),
        notes=_notes(made, strange_views(run.settings.views, ((row.task, row.camera) for row in run.predictions))),
        versions=versions(data),
        created=created,
    )


def _notes(made: list[Section], strange: list[str]) -> tuple[str, ...]:
    failed = sum(section.failed for section in made)
    notes = [f"{failed} rows could not be answered, and do not count; run the same command again."] if failed else []
    none = dict.fromkeys(section.why for section in made if section.why is not None)
    if strange:
        notes.append(f"The model was not trained on {'; '.join(strange)}; these views count as all others do.")
    return (*notes, *none)
