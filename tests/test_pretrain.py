"""Pre-training: what is drawn and learnt from, and that training sees what evaluation sees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from hpvqa.errors import RunError, UsageError
from hpvqa.record.episode import TRAJECTORY_FILE
from hpvqa.record.fitting import BAR, inner_size
from hpvqa.record.trajectory import column_names, write_trajectory
from hpvqa.scene.camera import project
from hpvqa.scene.spec import SIDES
from hpvqa.tasks import TASKS
from hpvqa.vlm.chat import render
from hpvqa.vlm.families import find_family
from hpvqa.vlm.frames.choose import choose
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.processing import encode, load_processor
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.training_record import read_training_record
from research.pretrain.__main__ import command
from research.pretrain.gate import place_errors
from research.pretrain.language import UNSEEN, Language, Sight, keys_of, labels_of
from research.pretrain.model import build, family_of
from research.pretrain.network import Network
from research.pretrain.pointing import (
    CENTRE,
    NOWHERE,
    SCALE,
    Pointer,
    Pointing,
    cells_of,
    cropped,
    mirrored,
    places_of,
    pointing_loss,
)
from research.pretrain.questions import questions_of
from research.pretrain.run import PLACES_FILE, pretrain
from research.pretrain.score import HIDDEN, _rows
from research.pretrain.settings import PretrainSettings, StageSettings
from research.pretrain.shots import Director, Shot, pair
from research.pretrain.store import Store, _world, open_stores
from research.pretrain.training import Stage, rate, train
from research.running import changed
from tests.factories import make_spec, quiet
from tests.pretrain_data import TINY, make_reels
from tests.tiny_models import load_model, make_query

SIDE = TINY.model.side


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pretrain")
    with pytest.MonkeyPatch.context() as patch:
        for task in ("push", "drop"):
            make_reels(folder / task, patch, task, 8)
    return folder


def opened(data: Path, task: str) -> Store:
    (store,) = open_stores(data / task, SIDE)
    return store


@pytest.fixture
def push(data: Path) -> Store:
    return opened(data, "push")


@pytest.fixture
def network() -> Network:
    model, processor = build(TINY.model, seed=0)
    return Network(model, processor, family_of(TINY.model), load_prompt("paper"))


def test_a_store_holds_what_evaluation_would_be_shown(push: Store) -> None:
    assert push.numbers == choose(TINY.frames, Clip(Path(), 4.0, 24))
    assert push.images(3, 1).shape == (len(push.numbers), SIDE, SIDE, 3)
    assert push.times[:4] == (0.0, 0.5, 1.0, 1.25)
    assert push.world.shape == (8, len(push.numbers), 3, 3)
    left = push.records[3].spec.thing("left").position
    assert push.world[3, 0, 0] == pytest.approx(left)

    camera = push.records[3].cameras[1].camera
    inner = inner_size((48, 32), (SIDE, SIDE))
    at = project(camera, [left], 48, 32)[0] * (SIDE / 48, inner[1] / 32) + (0, (SIDE - inner[1]) // 2)
    assert push.pixels[3, 1, 0, 0] == pytest.approx(at, abs=1e-3)
    assert [part.tolist() for part in push.split(0.25)] == [[0, 1, 2, 3, 4, 5], [6, 7]]


def test_of_a_single_thing_both_ends_are_followed(tmp_path: Path) -> None:
    spec = make_spec("balance", 0)
    (bar,) = spec.things
    row = dict.fromkeys(column_names(spec.names), 0.0)
    # A quarter of a turn to the left: its left end points back.
    row |= {"bar_x": 0.5, "bar_z": 0.02, "bar_qw": 0.5**0.5, "bar_qz": 0.5**0.5, "ee_x": 0.3}
    write_trajectory(tmp_path / TRAJECTORY_FILE, [list(row.values())], spec.names)
    half = bar.size[1] / 2
    ends = [(0.5 - half, 0, 0.02), (0.5 + half, 0, 0.02), (0.3, 0, 0)]
    assert _world(tmp_path, spec, [0])[0] == pytest.approx(np.array(ends), abs=1e-6)


def test_too_few_episodes_are_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has too few episodes; film some"):
        open_stores(tmp_path, SIDE)


@pytest.mark.parametrize("task", ["push", "drop"])
def test_shots_ask_what_their_frames_show(task: str, data: Path) -> None:
    store = opened(data, task)
    director, rng = Director(store), np.random.default_rng(0)
    assert director.telling
    asked = set()
    for _ in range(200):
        shot = director.draw(rng)
        assert len(shot.frames) % 2 == 0
        assert list(shot.frames) == sorted(shot.frames)
        for episode in range(8):
            plain, flipped = (labels_of(store, episode, mirror, shot) for mirror in (False, True))
            assert [1 - label if label != UNSEEN else label for label in plain] == flipped
            asked |= {q.name for q, label in zip(shot.questions, plain, strict=True) if label != UNSEEN}
        first, second = pair(store.moved(0).any(1), rng)
        assert 0 <= first <= second < len(store.times)
    assert asked == {question.name for question in questions_of(task)}


def test_pairs_mostly_show_what_has_moved() -> None:
    moved, rng = np.arange(20) == 13, np.random.default_rng(0)
    seconds = [pair(moved, rng)[1] for _ in range(200)]
    assert 120 < seconds.count(13) < 170
    assert len(set(seconds)) > 10
    assert {pair(moved & False, rng)[1] for _ in range(200)} == set(range(20))


def test_labels_are_sides(push: Store) -> None:
    for episode, record in enumerate(push.records):
        order = [SIDES.index(side) for side in record.spec.order]
        assert labels_of(push, episode, False, Director(push).whole()) == order


def test_a_mirrored_scene_is_the_same_scene() -> None:
    images = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    pixels = np.array([[[0.5, 1.0], [3.0, 2.0], [2.0, 0.0]]] * 2, np.float32)
    world = np.array([[[0.4, 0.1, 0], [0.5, -0.2, 0], [0.3, 0.05, 0.1]]] * 2, np.float32)
    flipped = mirrored(images, pixels, world)
    assert np.array_equal(flipped[0][:, :, 0], images[:, :, 3])
    assert flipped[1][1].tolist() == [[1.0, 2.0], [3.5, 1.0], [2.0, 0.0]]
    assert flipped[2][1] == pytest.approx(np.array([[0.5, 0.2, 0], [0.4, -0.1, 0], [0.3, -0.05, 0.1]]))
    for once, twice in zip((images, pixels, world), mirrored(*flipped), strict=True):
        assert np.allclose(once, twice)


def test_a_wider_shape_gets_bars_and_hides_what_is_behind_them() -> None:
    images = np.full((1, 16, 16, 3), 7, np.uint8)
    pixels = np.array([[[8, 1.9], [8, 2.0], [8, 14.0]]], np.float32)
    wide, seen = cropped(images, pixels, (4, 3))
    assert [int(row) for row in wide[0, :, 0, 0]] == [BAR] * 2 + [7] * 12 + [BAR] * 2
    assert np.isnan(seen[0, :, 0]).tolist() == [True, False, True]
    assert cropped(images, pixels, (1, 1))[0] is images


def test_places_are_judged_by_how_far_off_they_are(push: Store, network: Network) -> None:
    pointer = Pointer(TINY.model.width)
    torch.nn.init.zeros_(pointer.place.weight)
    torch.nn.init.zeros_(pointer.place.bias)
    (found, _) = place_errors(network, pointer, [push], 0.25)
    moved = push.world[[6, 7], :, :2, 0]
    away = np.abs(moved - moved[:, :1]) >= 0.02
    # Asked blindly, it says the middle of where things are.
    assert found.error == pytest.approx(np.abs(moved[away] - CENTRE[0]).mean(), abs=1e-5)
    assert (found.task, found.frames) == ("push", away.sum())


def test_a_view_without_a_place_to_judge_does_not_pass(push: Store, network: Network) -> None:
    pixels = push.pixels.copy()
    pixels[:, 1] = np.nan
    found = place_errors(network, Pointer(TINY.model.width), [replace(push, pixels=pixels)], 0.25)
    seen, blind = (next(entry for entry in found if entry.camera == camera) for camera in push.cameras)
    assert seen.error is not None
    assert seen.passes(seen.error)
    assert not seen.passes(seen.error / 2)
    assert (blind.error, blind.frames) == (None, 0)
    assert not blind.passes(1.0)
    assert str(blind).endswith("shows nothing that has moved")


def test_a_place_is_one_of_the_world_and_one_of_the_square() -> None:
    pixels = np.array([[20, 39], [35, 10], [np.nan, np.nan]], np.float32)
    world = np.stack([CENTRE, CENTRE + SCALE, CENTRE])
    found = places_of(pixels, world, 20)
    assert found[:2].tolist() == pytest.approx(np.array([[0, 0, 0, -1, 0.9], [1, 1, 1, 0.5, 0]]), abs=1e-5)
    assert np.isfinite(found[2, :3]).all()


def test_cells_are_numbered_as_tokens_are() -> None:
    places = np.array([[0, 0], [39.9, 0], [0, 20], [40, 5], [-1, 5], [np.nan, np.nan]], np.float32)
    assert cells_of(places, TINY.model).tolist() == [0, 1, 2, NOWHERE, NOWHERE, NOWHERE]


def test_pointing_at_the_right_place_costs_nothing() -> None:
    cells = torch.tensor([[1, NOWHERE, 3]])
    world = torch.rand(1, 3, 3)
    logits = torch.full((1, 3, 4), -50.0)
    logits[0, 0, 1] = logits[0, 2, 3] = 50.0
    places = torch.zeros(1, 4, 3, 3)
    places[0, 1, 0], places[0, 3, 2] = world[0, 0], world[0, 2]
    assert pointing_loss(logits, places, cells, world) == pytest.approx(0.0, abs=1e-6)
    assert pointing_loss(logits, places + 1, cells, world) > 1


def test_pointing_at_nothing_costs_nothing() -> None:
    logits, places = torch.rand(2, 3, 4, requires_grad=True), torch.rand(2, 4, 3, 5, requires_grad=True)
    loss = pointing_loss(logits, places, torch.full((2, 3), NOWHERE), torch.zeros(2, 3, 5))
    loss.backward()
    assert loss == 0
    assert logits.grad is not None
    assert not logits.grad.any()


@pytest.mark.parametrize("size", [1, 6])
def test_a_batch_is_as_large_as_it_was_asked_to_be(
    push: Store, size: int, monkeypatch: pytest.MonkeyPatch, network: Network
) -> None:
    look, shown = network.look, []
    monkeypatch.setattr(network, "look", lambda images: (shown.append(len(images)), look(images))[1])
    settings = TINY.pointing.model_copy(update={"batch_size": size})
    pointing = Pointing(network, Pointer(TINY.model.width), [push], 0.25, settings, TINY.model)
    assert torch.isfinite(pointing.loss(np.random.default_rng(0)))
    assert shown == [size]


def test_the_quick_way_computes_what_the_ordinary_way_does() -> None:
    model, processor = build(TINY.model, seed=3)
    family = family_of(TINY.model)
    network = Network(model.eval(), processor, family, load_prompt("paper"))
    images = np.random.default_rng(0).integers(0, 256, (2, 4, SIDE, SIDE, 3), dtype=np.uint8)
    clips = [Frames(images[0], (0, 4, 7, 11), 2.0, 12), Frames(images[1], (3, 3, 20, 150), 15.0, 160)]
    texts = (*(question.text for question in questions_of("push")[:2]), "Which one?")
    labels = torch.tensor([[0, 1, 1], [1, 0, 0]])
    with torch.no_grad():
        seen = network.look(images.reshape(4, 2, SIDE, SIDE, 3)).unflatten(0, (2, 2))
        layouts = [network.layout(clip.indices, clip.fps, clip.total, SIDE, texts) for clip in clips]
        asked, answered = network.ask(seen, layouts, labels)
        for row, clip in enumerate(clips):
            for column, text in enumerate(texts):
                told = render(processor, make_query(clip, text=text), family)
                whole = told + SIDES[labels[row, column]]
                for found, words in ((asked, told), (answered, whole)):
                    batch = encode(processor, family, [words], [[clip]])
                    assert torch.allclose(found[row, column], model(**batch).logits[0, -1], atol=1e-5)


def test_clips_keep_their_pairs_in_order(push: Store) -> None:
    shot = Shot((0, 4, 7, 11), ())
    assert keys_of(0, 2, 1, True, shot) == [(0, 2, 1, True, 0, 4), (0, 2, 1, True, 7, 11)]


def test_a_small_memory_changes_nothing(push: Store, network: Network) -> None:
    clips = [keys_of(0, episode, 0, episode % 2 == 0, Shot((0, 4, 7, 11), ())) for episode in range(4)]
    plenty, little = Sight(network, [push]), Sight(network, [push], limit=1)
    for _ in range(2):
        assert torch.equal(plenty.of(clips), little.of(clips))
    assert len(plenty._kept) == 8
    assert not little._kept
    assert not torch.equal(plenty.of(clips[:1]), plenty.of(clips[1:2]))


def test_language_learns_without_the_vision_tower(push: Store, network: Network) -> None:
    language = Language(network, [push], 0.2, TINY.language, SIDE)
    language.loss(np.random.default_rng(0)).backward()
    trained = {name for name, parameter in network.model.named_parameters() if parameter.grad is not None}
    assert any("language_model" in name for name in trained)
    assert "lm_head.weight" in trained
    assert not any("visual" in name for name in trained)


def test_the_rate_rises_and_falls() -> None:
    settings = StageSettings(steps=100, batch_size=1, learning_rate=1.0, warmup=10)
    rates = [rate(step, settings) for step in range(1, 101)]
    assert rates[0] < 0.11
    assert max(rates) > 0.9
    assert rates[-1] == pytest.approx(0.05)


def test_an_interrupted_stage_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    def run(file: Path, stop: int | None) -> torch.Tensor:
        torch.manual_seed(0)
        module = torch.nn.Linear(3, 1)
        count = 0

        def loss(rng: np.random.Generator, step: int) -> torch.Tensor:
            nonlocal count
            count += 1
            if count == stop:
                raise KeyboardInterrupt
            # A small integer leaves half of a random number for the next one.
            values = torch.tensor(rng.normal(size=(4, 3)) + int(rng.integers(5)), dtype=torch.float32)
            return (module(values) - values.sum(1, keepdim=True)).square().mean()

        settings = StageSettings(steps=6, batch_size=4, learning_rate=0.1, warmup=1)
        train(Stage("test", settings, 5, file, "it"), {"module": module}, loss, quiet())
        return module.weight.detach().clone()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("research.pretrain.training.SAVED_EVERY", 3)
        whole = run(tmp_path / "whole.pt", None)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "cut.pt", 6)
        assert torch.equal(run(tmp_path / "cut.pt", None), whole)
        assert torch.equal(run(tmp_path / "cut.pt", 1), whole)


def test_a_damaged_checkpoint_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(b"nothing")
    stage = Stage("x", TINY.pointing, 0, tmp_path / "x.pt", "")
    with pytest.raises(RunError, match=r"x\.pt is damaged; delete it"):
        train(stage, {"module": torch.nn.Linear(1, 1)}, lambda rng, step: torch.zeros(()), quiet())


def test_it_makes_a_model_that_everything_else_takes(data: Path, tmp_path: Path) -> None:
    sources = [data / "push", data / "drop"]
    out = tmp_path / "base"
    scores = pretrain(sources, out, tmp_path / "work", TINY, quiet(), "the command")
    assert find_family(str(out)) == family_of(TINY.model)
    record = read_training_record(out)
    assert record is not None
    assert record.frames == TINY.frames
    asked = {question.name for task in ("push", "drop") for question in questions_of(task)}
    assert {entry.question for entry in scores} == asked | {"hidden"}
    assert "the command" in (out / "README.md").read_text()
    assert not list((tmp_path / "work").glob("*.partial"))
    load_processor(str(out))
    first = {name: value.clone() for name, value in load_model(out).state_dict().items()}
    with pytest.raises(UsageError, match="exists already"):
        pretrain(sources, out, tmp_path / "work", TINY, quiet(), "")
    again = tmp_path / "again"
    pretrain(sources, again, tmp_path / "other", TINY, quiet(), "")
    assert all(torch.equal(first[name], value) for name, value in load_model(again).state_dict().items())
    fresh, _ = build(TINY.model, TINY.seed)
    moved = {name.split(".")[1] for name, value in fresh.state_dict().items() if not torch.equal(value, first[name])}
    assert moved >= {"visual", "language_model"}


def test_settings_can_be_changed_by_name() -> None:
    settings = changed(PretrainSettings(), ("pointing.steps=7", "model.layers=1", "seed=3"))
    assert (settings.pointing.steps, settings.model.layers, settings.seed) == (7, 1, 3)
    for wrong in ("pointing.stepz=7", "pointing.steps", "nothing.steps=3", "pointing.steps.more=3"):
        with pytest.raises(UsageError, match="there is no setting"):
            changed(PretrainSettings(), (wrong,))
    with pytest.raises(UsageError, match=r"pointing.steps must be a whole number, not .many."):
        changed(PretrainSettings(), ("pointing.steps=many",))


def test_episodes_that_nothing_visible_can_be_asked_about_are_a_clear_error(
    push: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("research.pretrain.run.open_stores", lambda *_: [replace(push, task="balance")])
    with pytest.raises(
        UsageError, match=r"of balance alone, about which nothing visible can be asked; add some of .*push"
    ):
        pretrain([tmp_path], tmp_path / "base", tmp_path / "work", TINY, quiet(), "")
    assert not (tmp_path / "work").exists()


def test_the_command_needs_episodes(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--out", str(tmp_path / "model")])
    assert result.exit_code == 2
    assert "DATA" in result.output


def test_language_waits_for_a_tower_that_sees(data: Path, tmp_path: Path) -> None:
    settings = TINY.model_copy(update={"gate": 0.001})
    with pytest.raises(RunError, match=r"off by more than 0.001 m, or cannot be judged, in . of . views"):
        pretrain([data / "push"], tmp_path / "base", tmp_path / "work", settings, quiet(), "")
    assert not (tmp_path / "base").exists()
    assert "error" in (tmp_path / "work" / PLACES_FILE).read_text()


def test_scores_are_of_what_was_asked(push: Store) -> None:

    prompt = load_prompt("paper")
    hidden = list(_rows(push, [5], HIDDEN, prompt))
    assert [query.text for query, _ in hidden] == [TASKS["push"].question] * 2
    assert {truth for _, truth in hidden} == {TASKS["push"].answer(push.records[5].spec)}
    assert hidden[1][0].videos[0].indices == push.numbers
    assert np.array_equal(hidden[1][0].videos[0].images, push.images(5, 1))
    first = list(_rows(push, [5, 6], "push-first", prompt))
    assert [truth for _, truth in first] == [push.records[episode].spec.order[0] for episode in (5, 5, 6, 6)]
    further = list(_rows(push, range(8), "push-further", prompt))
    assert [truth for _, truth in further[::2]] == [record.spec.order[0] for record in push.records]
    assert all(len(set(query.videos[0].indices)) == 1 for query, _ in further)
