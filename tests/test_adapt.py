"""The adapter's training: what is kept and taught, and that it answers as it will be evaluated."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hpvqa.progress.events import Warn
from hpvqa.progress.reporter import Reporter
from hpvqa.scene.spec import SIDES
from hpvqa.tasks import TASKS
from hpvqa.vlm.adapter import WEIGHTS, read_adapter
from hpvqa.vlm.backends.transformers import TransformersAnswerer
from hpvqa.vlm.embedded import ADAPTED, BASE
from hpvqa.vlm.options import TransformersOptions
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.tiny.save import save_checkpoint
from hpvqa.vlm.training_record import read_training_record
from research.adapt.lessons import answers_of, log_odds, measured_of
from research.adapt.run import _episodes, adapt
from research.adapt.settings import AdaptSettings
from research.adapt.tokens import Tokens, all_views, drawn_views
from research.pretrain.model import build, family_of
from research.pretrain.network import Network
from research.pretrain.score import HIDDEN, _rows
from research.pretrain.settings import StageSettings
from research.pretrain.store import Store, open_stores
from tests.factories import quiet
from tests.pretrain_data import TINY, make_reels
from tests.recorder import Recorder

pytestmark = pytest.mark.models

SIDE = TINY.model.side
FEW = AdaptSettings(training=StageSettings(steps=3, batch_size=4, learning_rate=1e-2, warmup=1), views=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        return make_reels(tmp_path_factory.mktemp("adapt") / "data", patch, "push", 8)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "base"
    save_checkpoint(*build(TINY.model, 0), folder)
    return folder


@pytest.fixture
def store(data: Path) -> Store:
    return open_stores(data, SIDE)[0]


@pytest.fixture
def network() -> Network:
    model, processor = build(TINY.model, 0)
    return Network(model.eval(), processor, family_of(TINY.model), load_prompt("paper"))


def test_each_episode_has_some_of_its_views(store: Store) -> None:
    views = drawn_views(store, 1, mirror=True)
    assert [view.episode for view in views] == list(range(8))
    assert {view.mirror for view in views} == {False, True}
    assert not any(view.mirror for view in drawn_views(store, 2, mirror=False))
    assert len(all_views(store)) == len(set(all_views(store))) == 8 * 2 * 2


def test_tokens_are_worked_out_once(
    network: Network, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = drawn_views(store, 2, mirror=True)
    with monkeypatch.context() as patch:
        patch.setattr("research.adapt.tokens.KEPT_EVERY", 4)
        patch.setattr("research.adapt.tokens._look", _failing_after(9))
        with pytest.raises(KeyboardInterrupt):
            Tokens(network, store, views, tmp_path, quiet())
    assert json.loads(next(tmp_path.glob("*.json")).read_text()) == 8
    found = Tokens(network, store, views, tmp_path, quiet()).of(range(16))
    monkeypatch.setattr("research.adapt.tokens._look", lambda *_: pytest.fail("worked out again"))
    assert torch.equal(Tokens(network, store, views, tmp_path, quiet()).of(range(16)), found)
    images = store.images(views[3].episode, views[3].camera)[:2]
    pair = images[:, :, ::-1] if views[3].mirror else images
    with torch.no_grad():
        seen = network.look(np.array(pair)[None])[0]
    assert torch.allclose(found[3, 0], seen, atol=1e-2)


def _failing_after(count: int) -> object:
    from research.adapt.tokens import _look

    calls = iter(range(count))

    def look(*what: object) -> object:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return _look(*what)  # type: ignore[arg-type]

    return look


def test_what_is_flipped_has_the_other_answer(network: Network, store: Store, tmp_path: Path) -> None:
    tokens = Tokens(network, store, all_views(store), tmp_path, quiet())
    answers, measured = answers_of(tokens), measured_of(tokens)
    for view, answer, values in zip(tokens.views, answers, measured, strict=True):
        true = SIDES.index(TASKS["push"].answer(store.records[view.episode].spec))
        assert answer == (1 - true if view.mirror else true)
        # The lighter cube goes further.
        assert int(values.argmin()) == answer
        assert np.abs(values).max() <= 1.2


def test_the_adapter_answers_as_it_was_checked(data: Path, base: Path, store: Store, tmp_path: Path) -> None:
    out = tmp_path / "adapter"
    (check,) = adapt(str(base), [data], [data], out, tmp_path / "work", FEW, quiet())
    record = read_training_record(out)
    assert record is not None
    assert record.frames == TINY.frames
    assert (check.task, check.rig, check.episodes) == ("push", "paper", 8)
    answerer = TransformersAnswerer(TransformersOptions(model=str(base), adapter=out, device="cpu"))
    answerer.load(lambda text: None)
    rows = list(_rows(store, range(8), HIDDEN, load_prompt("paper")))
    answers = answerer.answer([query for query, _ in rows])
    assert np.mean([answer.choice == truth for answer, (_, truth) in zip(answers, rows, strict=True)]) == check.single


def test_a_base_has_a_name_and_is_known_by_its_weights(
    data: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    save_checkpoint(*build(TINY.model, 1), other)
    found, told = [], Recorder()
    for folder in (base, other):
        monkeypatch.setattr("hpvqa.vlm.embedded.base_folder", lambda folder=folder: folder)
        out = tmp_path / folder.name / "adapter"
        adapt(ADAPTED, [data], [data], out, tmp_path / "work", FEW, Reporter([told], lambda: 0.0))
        record = read_training_record(out)
        assert record is not None
        assert (record.model, read_adapter(out).base) == (BASE, BASE)
        found.append(load_file(out / WEIGHTS))
    assert all("trained on 8 of the 8 episodes" in warning.message for warning in told.of(Warn))
    assert len(told.of(Warn)) == 2
    # The checkpoint of the first base is not taken for one of the other.
    assert any(not torch.equal(value, found[1][name]) for name, value in found[0].items())


def test_episodes_are_the_same_however_filmed(store: Store) -> None:
    bare = replace(store, records=tuple(record.model_copy(update={"cameras": ()}) for record in store.records[4:]))
    assert len(_episodes([store]) & _episodes([bare])) == 4
    specs = [record.spec.model_copy(update={"seed": 99}) for record in store.records]
    fresh = [record.model_copy(update={"spec": spec}) for record, spec in zip(store.records, specs, strict=True)]
    assert not _episodes([store]) & _episodes([replace(store, records=tuple(fresh))])


def test_log_odds_are_those_of_the_ordinary_way(base: Path, store: Store, network: Network, tmp_path: Path) -> None:
    found = log_odds(network, Tokens(network, store, all_views(store), tmp_path, quiet()))
    answerer = TransformersAnswerer(TransformersOptions(model=str(base), device="cpu"))
    answerer.load(lambda text: None)
    answers = answerer.answer([query for query, _ in _rows(store, range(8), HIDDEN, load_prompt("paper"))])
    told = [answer.logprobs["left"] - answer.logprobs["right"] for answer in answers if answer.logprobs is not None]
    assert found[::2] == pytest.approx(np.array(told), abs=0.02)
