"""Pre-training from beginning to end: episodes, both stages, and the folder of the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpvqa.errors import MissingDependencyError, RunError, UsageError
from hpvqa.files import write_json
from hpvqa.install import pip_install
from hpvqa.progress.reporter import Reporter
from hpvqa.tasks import TASKS
from hpvqa.vlm.embedded import BASE
from hpvqa.vlm.prompt import Prompt, load_prompt
from hpvqa.vlm.saving import check_new
from hpvqa.vlm.tiny.save import save_checkpoint
from hpvqa.vlm.training_record import RECORD_FILE
from research.pretrain.card import write_card
from research.pretrain.model import FAMILY, build, family_of
from research.pretrain.questions import questions_of
from research.pretrain.record import fingerprint, record_of
from research.pretrain.score import Score, score
from research.pretrain.settings import PretrainSettings
from research.pretrain.store import Store, by_task, open_stores

if TYPE_CHECKING:
    from research.pretrain.gate import PlaceError

PROMPT = "paper"
SCORES_FILE = "scores.json"
PLACES_FILE = "places.json"


def pretrain(
    data: Sequence[Path], out: Path, work: Path, settings: PretrainSettings, reporter: Reporter, command: str
) -> list[Score]:
    """Make the embedded model.

    What was begun is gone on with: checkpoints are kept in the working folder, each with what it depends on.

    Args:
        data: Folders of filmed episodes.
        out: Folder of the model, which must not exist; it appears whole or not at all.
        work: Folder of what is needed on the way.
        settings: How.
        reporter: Told of every step.
        command: The command line, for the model's card.

    Returns:
        How well it answers, about episodes that were held out.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    check_new(out)
    prompt = load_prompt(PROMPT)
    stores = [store for folder in data for store in open_stores(folder, settings.model.side)]
    # Language needs them only after all of pointing.
    if not any(questions_of(store.task) for store in stores):
        raise UsageError(
            f"The episodes are of {', '.join(task for task, _ in by_task(stores))} alone, about which nothing visible "
            f"can be asked; add some of {', '.join(filter(questions_of, TASKS))}"
        )
    model, processor, errors = _train(stores, work, settings, prompt, reporter)
    record = record_of(BASE, FAMILY, stores, settings.frames, prompt, settings)
    draft = work / "model"
    save_checkpoint(model, processor, draft, replace=True)
    scores = score(
        str(draft), stores, [store.split(settings.held_out)[1].tolist() for store in stores], prompt, reporter
    )

    def finish(folder: Path) -> None:
        write_json(folder / RECORD_FILE, record.model_dump(mode="json"))
        write_json(folder / SCORES_FILE, [entry.model_dump(mode="json") for entry in scores])
        write_json(folder / PLACES_FILE, [entry.model_dump(mode="json") for entry in errors])
        write_card(folder, model, settings, stores, scores, command)

    save_checkpoint(model, processor, out, finish=finish)
    reporter.note(f"The model is in {out}; what it took on the way, in {work}, can be deleted")
    return scores


def _train(
    stores: Sequence[Store], work: Path, settings: PretrainSettings, prompt: Prompt, reporter: Reporter
) -> tuple[Any, Any, list[PlaceError]]:
    """Both stages; returns the model, its processor, and how well it points."""
    try:
        from research.pretrain.gate import place_errors
        from research.pretrain.language import Language
        from research.pretrain.network import Network
        from research.pretrain.pointing import Pointer, Pointing
        from research.pretrain.training import Stage, train
    except ImportError as error:
        raise MissingDependencyError(f"Pre-training needs {error.name}; run: {pip_install('vlm')}") from None
    model, processor = build(settings.model, settings.seed)
    network = Network(model, processor, family_of(settings.model), prompt)
    pointer = Pointer(settings.model.width)
    base = fingerprint(stores), settings.model.model_dump(), settings.seed, settings.held_out
    before = json.dumps([*base, settings.pointing.model_dump()])
    pointing = Pointing(network, pointer, stores, settings.held_out, settings.pointing, settings.model)
    train(
        Stage("pointing", settings.pointing, settings.seed + 1, work / "pointing.pt", before),
        {"vision": model.model.visual, "pointer": pointer},
        lambda rng, step: pointing.loss(rng),
        reporter,
    )
    errors = place_errors(network, pointer, stores, settings.held_out)
    write_json(work / PLACES_FILE, [entry.model_dump(mode="json") for entry in errors])
    reporter.note("\n".join(map(str, errors)))
    missed = [entry for entry in errors if settings.gate is not None and not entry.passes(settings.gate)]
    if missed:
        raise RunError(
            f"Places are off by more than {settings.gate} m, or cannot be judged, in {len(missed)} of {len(errors)} "
            f"views ({work / PLACES_FILE}), so the model would not see what it is asked; take more episodes, steps or "
            "pixels, or --set gate=null"
        )
    after = json.dumps([before, settings.language.model_dump(), prompt.sha256])
    words = Language(network, stores, settings.held_out, settings.language, settings.model.side)
    language = {"language": model.model.language_model, "head": model.lm_head}
    train(
        Stage("language", settings.language, settings.seed + 2, work / "language.pt", after),
        language,
        lambda rng, step: words.loss(rng),
        reporter,
    )
    return model.eval(), processor, errors
