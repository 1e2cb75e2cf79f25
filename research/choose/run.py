"""From nothing to the folder of a model: scenes, pictures, lessons, both stages."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hpvqa.errors import RunError
from hpvqa.files import write_json
from hpvqa.progress.reporter import Reporter
from hpvqa.vlm.families import get_family
from hpvqa.vlm.saving import check_new
from hpvqa.vlm.tiny.save import save_checkpoint
from research.choose.language import Asked, Language, look
from research.choose.model import build
from research.choose.pictures import BLOCK, Pictures, load_pictures
from research.choose.pointing import Aligning, Named, Pointer, Pointing
from research.choose.settings import ChooseSettings
from research.choose.store import Lesson, draw_scenes, load_lessons, make_layouts, make_lessons
from research.pretrain.settings import StageSettings
from research.pretrain.training import Stage, train

_MAKERS = {"scenes_seed", "groups", "held_out", "questions", "worlds", "layouts", "moments"}
"""Settings that pictures and lessons depend on, with the side of the pictures."""
CHECKED_EVERY = 250
"""Steps between two looks at lessons that are not trained on."""


def choose(out: Path, work: Path, settings: ChooseSettings, reporter: Reporter) -> None:
    """Make a model that chooses.

    What was begun is gone on with: scenes, pictures and checkpoints are kept in the working folder.

    Args:
        out: Folder of the model, which must not exist.
        work: Folder of what is needed on the way.
        settings: How.
        reporter: Told of every step.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    check_new(out)
    made = settings.model_dump(mode="json", include=_MAKERS) | {"side": settings.model.side, "block": BLOCK}
    _make(work, settings, made, reporter)
    lessons, steps = load_lessons(work), load_pictures(work / "steps.npz")
    texts = [text for lesson in lessons if not lesson.check for text in (lesson.text, lesson.told)]
    model, processor = build(settings.model, texts, settings.seed)
    model.train()
    before = json.dumps([made, settings.model.model_dump(), settings.seed, settings.pointing.model_dump()])
    named = _point(model, work, lessons, steps, before, settings, reporter)
    if settings.gate is not None and named.kind < settings.gate:
        raise RunError(f"The tower names {named.kind:.2f} of the things, less than {settings.gate}; take more steps")
    checks = _speak(model, processor, work, lessons, steps, before, settings, reporter)
    told = {"settings": settings.model_dump(mode="json"), "pointing": named.model_dump(), "lessons": checks}
    told["parameters"] = sum(parameter.numel() for parameter in model.parameters())
    save_checkpoint(model.eval(), processor, out, finish=lambda draft: write_json(draft / "choose.json", told))


def _make(work: Path, settings: ChooseSettings, made: dict[str, object], reporter: Reporter) -> None:
    work.mkdir(parents=True, exist_ok=True)
    file = work / "made.json"
    if file.is_file() and json.loads(file.read_text(encoding="utf-8")) == made:
        return
    reporter.note("drawing scenes")
    scenes = draw_scenes(work / "worlds", settings)
    reporter.note("taking pictures of their steps")
    make_lessons(work, scenes, settings)
    reporter.note("taking pictures of layouts")
    make_layouts(work / "layouts.npz", settings)
    write_json(file, made)


def _point(
    model: Any,
    work: Path,
    lessons: Sequence[Lesson],
    steps: Pictures,
    identity: str,
    settings: ChooseSettings,
    reporter: Reporter,
) -> Named:
    """First stage; returns how often the tower is correct about pictures that it was not trained on."""
    trained = {number for lesson in lessons if not lesson.check for number in lesson.pictures}
    layouts, kept = load_pictures(work / "layouts.npz"), sorted(set(range(len(steps.images))) - trained)
    # Pictures of layouts come first: those of steps are fewer and more alike.
    both = layouts + steps.only(sorted(trained))
    pointer = Pointer(settings.model.width)
    pointing = Pointing(model, pointer, both, settings.pointing.batch_size)
    train(
        Stage("pointing", settings.pointing, settings.seed + 1, work / "pointing.pt", identity),
        {"vision": model.model.vision_tower, "projector": model.model.multi_modal_projector, "pointer": pointer},
        lambda rng, step: pointing.loss(rng),
        reporter,
    )
    named = Pointing(model, pointer, steps.only(kept), settings.pointing.batch_size).check()
    reporter.note(f"pointing, {named.things} things that it was not trained on: {named!r}")
    return named


def _speak(
    model: Any,
    processor: Any,
    work: Path,
    lessons: Sequence[Lesson],
    steps: Pictures,
    before: str,
    settings: ChooseSettings,
    reporter: Reporter,
) -> dict[str, dict[str, float]]:
    """Second stage, in words and then of pictures; returns how often it is correct about lessons."""
    size = (settings.model.side, settings.model.side)
    family = get_family("pooled").model_copy(update={"resolution": size})
    asked, seen = Asked(settings.model.width), look(model, steps.images)
    language, check = (
        Language(model, asked, processor, family, [one for one in lessons if one.check == kept], seen, settings)
        for kept in (False, True)
    )
    spoken = {"language": model.model.language_model, "head": model.lm_head, "asked": asked}

    def loss(stage: StageSettings, facts: float) -> Callable[[np.random.Generator, int], Any]:
        def of(rng: np.random.Generator, step: int) -> Any:
            if step % CHECKED_EVERY == 0:
                told = {words: check.check(words) for words in ((True,) if facts == 1 else (True, False))}
                reporter.note(f"step {step}, not trained on: {told}")
            return language.loss(rng, step, facts, stage.batch_size)

        return of

    identity = json.dumps([before, settings.words.model_dump(), settings.dense])
    stage = Stage("words", settings.words, settings.seed + 2, work / "words.pt", identity)
    train(stage, spoken, loss(settings.words, 1.0), reporter)
    projector = model.model.multi_modal_projector
    trained = sorted({number for lesson in lessons if not lesson.check for number in lesson.pictures})
    identity = json.dumps([identity, settings.aligning.model_dump()])
    stage = Stage("aligning", settings.aligning, settings.seed + 3, work / "aligning.pt", identity)
    shown = (seen[0][trained], seen[1][trained])
    aligning = Aligning(model, processor.tokenizer, shown, steps.only(trained), settings.aligning.batch_size)
    train(stage, {"projector": projector}, lambda rng, step: aligning.loss(rng), reporter)
    identity = json.dumps([identity, settings.language.model_dump(), settings.facts])
    stage = Stage("language", settings.language, settings.seed + 4, work / "language.pt", identity)
    train(stage, {**spoken, "projector": projector}, loss(settings.language, settings.facts), reporter)
    checks = {
        f"{name}, {'facts' if words else 'pictures'}": own.check(words)
        for name, own in (("trained on", language), ("not trained on", check))
        for words in (False, True)
    }
    for name, found in checks.items():
        reporter.note(f"{name}: {found}")
    return checks
