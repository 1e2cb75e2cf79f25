"""Training a tiny model to choose: what it is shown and asked, that stages learn, and the page of results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hpvqa.errors import RunError
from hpvqa.explore.agents.model import open_model
from hpvqa.explore.belief.plan import look_ahead
from hpvqa.explore.observer import Observer
from hpvqa.explore.protocol import Shot
from hpvqa.explore.scene import HIDING, Scene
from hpvqa.progress.events import Note
from hpvqa.progress.reporter import Reporter
from hpvqa.vlm.choice import ModelChoice
from hpvqa.vlm.families import get_family
from hpvqa.vlm.tiny.save import save_checkpoint
from research.choose.language import Asked, Language, look, row_of
from research.choose.model import build
from research.choose.page import BEGIN, KEPT, PAGE, text
from research.choose.pictures import BLOCK, FULL, KINDS, NAMES, STATES, Camera, load_pictures
from research.choose.pointing import Pointer, Pointing, centres_of, targets_of, varied
from research.choose.run import choose
from research.choose.settings import ChooseSettings
from research.choose.store import (
    CLASSES,
    MARKS,
    Lesson,
    draw_scenes,
    lesson_at,
    load_lessons,
    make_lessons,
    offers_all,
    turn_after,
)
from research.choose.words import swapped
from research.page import END
from research.pretrain.settings import ModelSettings, StageSettings
from tests.explore_worlds import group
from tests.recorder import Recorder

SMALL = ChooseSettings(
    model=ModelSettings(side=96, patch=16, vision_width=32, vision_layers=2, width=48, layers=2), groups=2, questions=2
)
STAGES = ("pointing", "words", "aligning", "language")


def lesson(number: int, steps: int = 0) -> Lesson:
    observer = Observer(group()[number])
    actions = tuple(action for action in group()[number].plan if action.kind != "answer")[:steps]
    turn, moments = turn_after(observer, actions)
    return lesson_at(observer, turn, moments, list(range(len(moments))), False)


def test_the_best_options_are_the_ideal_observers() -> None:
    for number, scene in enumerate(group()):
        observer, found = Observer(scene), lesson(number)
        state = observer.game.start()
        chosen = look_ahead(observer.game, state, observer.belief(state))
        letter = next(option.letter for option in observer.game.options(state, 0) if option.action == chosen)
        assert letter in found.best
        kinds = {CLASSES[kind] for kind, own in zip(found.classes, found.letters, strict=True) if own in found.best}
        assert kinds == ({"follows"} if scene.sufficient else {"best"})


def test_questions_without_an_answer_that_may_be_are_left_out() -> None:
    for scene in group():
        observer = Observer(scene)
        assert offers_all(observer)
        possible = observer.belief(observer.game.start()).answers()
        fewer = tuple(word for word in scene.question.options if word != next(iter(possible)))
        question = scene.question.model_copy(update={"options": fewer})
        assert not offers_all(Observer(scene.model_copy(update={"question": question})))


def test_facts_stand_only_where_no_pictures_do() -> None:
    found = lesson(0, 1)
    assert "Picture 2 after: " in found.text
    assert "not to be seen" not in found.text
    assert "View 2 after: " in found.told
    assert "not to be seen" in found.told


def test_a_thing_is_asked_of_every_token_that_shows_it() -> None:
    model, _ = build(SMALL.model, ["word"], 0)
    things = np.array([[0.5, 0.1, 5, 3, 0, 1], [0.04, 0.04, 1, 2, 1, -1]], np.float32)
    shares = np.zeros((2, 24, 24), np.uint8)
    # A board over two of six rows of tokens, and a bit of the third; a small thing in the corner of the first token.
    shares[0, :8] = shares[0, 8, :2] = shares[1, :2, :2] = FULL
    targets = targets_of([things], [shares], model.config)[0].tolist()
    assert len(targets) == 12
    assert targets[0] == [1, 2, 1, -100]
    assert targets[1:4] == [[5, 3, 0, 1]] * 3
    assert targets[4] == [-100] * 4
    assert targets[5:] == [[len(KINDS), -100, -100, -100]] * 7


def test_what_is_named_is_checked_at_its_middle() -> None:
    model, _ = build(SMALL.model, ["word"], 0)
    things = np.array([[0.99, 0.01, 5, 3, 0, 1], [0.1, 0.99, 1, 2, 1, -1]], np.float32)
    targets = centres_of([things], model.config)[0]
    columns = model.config.row // model.config.pool
    assert targets[columns - 1].tolist() == [5, 3, 0, 1]
    assert targets[(model.config.row - 1) * columns].tolist() == [1, 2, 1, -100]
    assert (targets[:, 0] == -100).sum() == len(targets) - 2


def test_a_picture_and_what_it_shows_are_turned_and_moved_together() -> None:
    rng = np.random.default_rng(0)
    shares = FULL * (rng.random((1, 24, 24)) < 0.2).astype(np.uint8)
    image = np.repeat(shares[0].repeat(BLOCK, 0).repeat(BLOCK, 1)[..., None], 3, axis=2)
    found = [varied(image, shares, rng) for _ in range(20)]
    inner = slice(3, -3)
    for white, share in found:
        assert (white[::BLOCK, ::BLOCK, 0][inner, inner] == share[0][inner, inner]).all()
    assert len({share.tobytes() for _, share in found}) > 10


def test_options_end_where_their_lines_end() -> None:
    found = lesson(0, 1)
    _, processor = build(SMALL.model, [found.text], 0)
    row = row_of(found, processor.tokenizer, found.text)
    lines = dict(line.split(": ", 1) for line in found.text.splitlines() if line[1:3] == ": ")
    decode = processor.tokenizer.decode
    order = [*range(1, len(found.letters)), 0]
    for one, letters in ((row, found.letters), (row.shuffled(order), (found.letters[-1], *found.letters[:-1]))):
        for (_, last), letter, own in zip(one.bodies, letters, found.letters, strict=True):
            assert decode(one.tokens[: last + 1]).endswith(f"{letter}: {lines[own]}")
        assert [decode([token]) for token in one.letters] == list(letters)
        assert decode(one.tokens[: one.left + 1]).endswith(f"included: {group()[0].steps - 1}")
        assert sorted(one.tokens) == sorted(row.tokens)


def test_what_is_asked_of_things_and_places_is_asked_where_they_are_told_of() -> None:
    found = lesson(0, 1)
    _, processor = build(SMALL.model, [found.told], 0)
    row, decode = row_of(found, processor.tokenizer, found.told), processor.tokenizer.decode
    scene = group()[0]
    assert len(row.marks) == len(found.marks) == 2 * (len(scene.items) + len(scene.places))
    for end, mark in zip(row.marks, found.marks, strict=True):
        unseen = decode([row.tokens[end]]).endswith("not to be seen")
        assert unseen == MARKS[mark].startswith("hidden")
    thing = next(item for item in scene.items if item.look.shape == "board")
    assert processor.tokenizer(f"the {thing.look.words} and put it aside")["input_ids"][-2:] == [
        processor.tokenizer.convert_tokens_to_ids(word) for word in (f" {thing.look.words}", " and put it aside")
    ]


def test_other_colours_make_other_words_and_mirrored_ones_come_back() -> None:
    known = {
        " large red cube": 3,
        " large blue cube": 5,
        " on the robot's left": 6,
        " on the robot's right": 7,
        " red": 8,
    }
    assert swapped(known, 9, {"red": "blue", "blue": "red"}).tolist() == [0, 1, 2, 5, 4, 3, 6, 7, 8]
    assert swapped(known, 9, {"left": "right", "right": "left"}).tolist() == [0, 1, 2, 3, 4, 5, 7, 6, 8]


def test_a_model_decides_as_it_was_trained_to(tmp_path: Path) -> None:
    pytest.importorskip("mujoco")
    scene, observer, camera = group()[0], Observer(group()[0]), Camera(96)
    turn, moments = turn_after(observer, scene.plan[:1])
    images = np.stack([camera.take(scene, scene.contents, moment).image for moment in moments])
    found = lesson_at(observer, turn, moments, [0, 1], False)
    model, processor = build(SMALL.model, [found.text], 0)
    model.eval()
    family = get_family("pooled").model_copy(update={"resolution": (96, 96)})
    weighed = []
    for shown in (images, np.zeros_like(images)):
        language = Language(model, Asked(SMALL.model.width), processor, family, [found], look(model, shown), SMALL)
        said = language.ask([0], words=False)
        weighed.append(torch.log_softmax(said.letters[0][list(said.rows[0].letters)], -1).tolist())
    save_checkpoint(model, processor, tmp_path / "model")
    agent = open_model(ModelChoice(model=str(tmp_path / "model"), dtype="float32", device="cpu"), {})
    agent.load([].append)
    shots = tuple(Shot(image, shot.view, shot.after) for image, shot in zip(images, turn.shots, strict=True))
    (decision,) = agent.decide([replace(turn, shots=shots)])
    agent.close()
    assert decision.logprobs is not None
    said = torch.log_softmax(torch.tensor([decision.logprobs[letter] for letter in found.letters]), -1).tolist()
    assert said == pytest.approx(weighed[0], abs=2e-3)
    assert said != pytest.approx(weighed[1], abs=2e-3)


@pytest.mark.long
def test_both_stages_learn_a_few_scenes_by_heart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mujoco")
    from research.choose import store

    monkeypatch.setattr(store, "WAYS", ("ideal",))
    make_lessons(tmp_path, list(group()[:2]), SMALL)
    lessons, pictures = load_lessons(tmp_path), load_pictures(tmp_path / "steps.npz")
    assert {number for one in lessons for number in one.pictures} == set(range(len(pictures.images)))
    model, processor = build(SMALL.model, [one.text for one in lessons], 0)
    rng, losses = np.random.default_rng(0), list[float]()
    pointer, asked = Pointer(SMALL.model.width), Asked(SMALL.model.width)
    pointing = Pointing(model, pointer, pictures, 4)
    family = get_family("pooled").model_copy(update={"resolution": (96, 96)})
    language = Language(model, asked, processor, family, lessons, look(model, pictures.images), SMALL)
    parameters = [*model.parameters(), *pointer.parameters(), *asked.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=2e-3)
    for step in range(30):
        loss = pointing.loss(rng) if step < 12 else language.loss(rng, step - 11, 0.3, 4)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert np.mean(losses[9:12]) < 0.7 * losses[0]
    assert np.mean(losses[27:]) < 0.7 * losses[12]


@pytest.mark.long
def test_a_model_is_made_and_what_was_begun_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mujoco")
    monkeypatch.setattr("research.choose.store.WAYS", ("ideal",))
    monkeypatch.setattr("research.choose.run.draw_scenes", lambda folder, settings: [*group(), *group(1)])
    stage = StageSettings(steps=2, batch_size=2, learning_rate=1e-3)
    settings = SMALL.model_copy(update={"layouts": 2, "worlds": 1, "gate": None} | dict.fromkeys(STAGES, stage))
    told = Recorder()
    reporter = Reporter([told], lambda: 0.0)
    for name in ("first", "second"):
        choose(tmp_path / name, tmp_path / "work", settings, reporter)
    assert [event.message for event in told.events if isinstance(event, Note)].count("drawing scenes") == 1
    first, second = (load_file(tmp_path / name / "model.safetensors") for name in ("first", "second"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    with pytest.raises(RunError, match="take more steps"):
        choose(tmp_path / "third", tmp_path / "work", settings.model_copy(update={"gate": 1.0}), reporter)
    assert not (tmp_path / "third").exists()


def test_what_is_put_aside_is_called_so_and_what_it_hid_is_seen() -> None:
    pytest.importorskip("mujoco")
    scene = group()[0]
    game, camera = Observer(scene).game, Camera(192)
    state = game.start()
    after = game.after(state, next(action for action in scene.plan if action.kind == "pick"))
    pictures = [
        camera.take(scene, scene.contents, one.moment, game.revealed(one.moment)).things for one in (state, after)
    ]
    boards = [
        [STATES[int(thing[5])] for thing in picture if KINDS[int(thing[2])][1] == "board"] for picture in pictures
    ]
    assert boards[1].count("aside") == boards[0].count("aside") + 1
    assert boards[1].count("hides") == boards[0].count("hides") - 1
    assert len(pictures[1]) == len(pictures[0]) + 1
    assert all(0 <= int(thing[3]) < len(NAMES) for picture in pictures for thing in picture)


def test_scenes_are_of_types_that_are_trained_on_and_drawn_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def drawn(family: str, number: int, _: int) -> Iterator[tuple[Scene, ...]]:
        asked.append((family, number))
        yield tuple(
            scene.model_copy(update={"family": family, "index": 4 * number + place, "group": number}).sealed()
            for place, scene in enumerate(group())
        )

    monkeypatch.setattr("research.choose.store.draw_group", drawn)
    settings = SMALL.model_copy(update={"groups": 6})
    assert len(draw_scenes(tmp_path, settings)) == len(draw_scenes(tmp_path, settings)) == 24
    # Groups of number 1 are of types that are kept for evaluation.
    assert asked == [*((family, 0) for family in HIDING), *((family, 2) for family in HIDING[:2])]


def test_the_page_says_what_was_kept() -> None:
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    written = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert written.strip() == text(kept)
