"""From what a user says about a model to what runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpvqa.errors import UsageError
from hpvqa.vlm.choice import ModelChoice, choose_look
from hpvqa.vlm.families import families
from hpvqa.vlm.options import BACKENDS, ServerOptions
from hpvqa.vlm.registry import BASELINES


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_is_run_as_one(name: str) -> None:
    choice = ModelChoice(model=name)
    assert (choice.backend, choice.name) == ("baseline", name)


@pytest.mark.parametrize(
    "name", ["embedded", "embedded-base", *(f.name for f in families()), "owner/model", "./x", "/x"]
)
def test_a_model_is_run_by_transformers(name: str) -> None:
    choice = ModelChoice(model=name)
    assert (choice.backend, choice.name) == ("transformers", name)


def test_a_folder_needs_no_slash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="There is no model 'mine'"):
        ModelChoice(model="mine")
    Path("mine").mkdir()
    assert ModelChoice(model="mine").backend == "transformers"


@pytest.mark.parametrize(
    ("said", "backend", "name"),
    [
        ({}, "transformers", "embedded"),
        ({"server": "http://127.0.0.1:8000/v1"}, "openai", None),
        ({"server": "http://127.0.0.1:8000/v1", "model": "left"}, "openai", "left"),
        ({"transport": "images"}, "openai", None),
        ({"backend": "vllm"}, "vllm", "embedded"),
        ({"backend": "baseline"}, "baseline", "pixels"),
        ({"backend": "vllm", "model": "left"}, "vllm", "left"),
    ],
)
def test_what_is_said_decides(said: dict[str, str], backend: str, name: str | None) -> None:
    choice = ModelChoice(**said)  # type: ignore[arg-type]
    assert (choice.backend, choice.name) == (backend, name)


@pytest.mark.parametrize(
    ("model", "meant"), [("orcale", "oracle"), ("pixls", "pixels"), ("embeded", "embedded"), ("qwen35", "qwen3.5")]
)
def test_a_misspelt_name_is_answered_with_the_nearest_of_all(model: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"There is no model {model!r}; did you mean {meant!r}"):
        ModelChoice(model=model)


def test_a_choice_of_frames_is_refused_by_the_name_of_the_option() -> None:
    with pytest.raises(UsageError, match=r"^--frames must be at least 1, not 0$"):
        choose_look(ModelChoice(model="pixels", frames=0))
    with pytest.raises(UsageError, match=r"--fps was [\d.]+ in training and is 1 now"):
        choose_look(ModelChoice(model="embedded", fps=1.0))
    with pytest.raises(UsageError, match=r"--frames was not given in training and is 3 now"):
        choose_look(ModelChoice(model="embedded", frames=3))


def test_an_adapter_is_asked_as_it_was_trained() -> None:
    with pytest.raises(UsageError, match=r"something else: thinking was off in training and is on now; leave"):
        choose_look(ModelChoice(model="embedded", thinking=64))
    said = choose_look(ModelChoice(model="embedded", thinking=64, allow_mismatch=True)).warnings
    assert "Not as in training: thinking was off in training and is on now" in said


def test_a_model_without_a_switch_for_thinking_is_told_of() -> None:
    (said,) = choose_look(ModelChoice(model="qwen2.5-vl", thinking=64)).warnings
    assert said == "The chat template of Qwen2.5-VL has no switch for thinking, so only --prompt can ask for it"
    assert choose_look(ModelChoice(model="qwen2.5-vl")).warnings == ()
    assert choose_look(ModelChoice(model="qwen3-vl", thinking=64)).warnings == ()


def test_a_server_may_take_as_long_as_its_answer_is() -> None:
    given: list[dict[str, float]] = [{}, {"thinking": 4096}, {"thinking": 64}, {"thinking": 4096, "timeout": 30.0}]
    assert [ServerOptions(**said).wait for said in given] == [120, (4096 + 16) / 5, 120, 30]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("option", "value", "backends"),
    [
        ("adapter", Path("lora"), ("transformers", "vllm")),
        ("device", "cpu", ("transformers",)),
        ("scoring", "generate", ("transformers", "vllm", "openai")),
        ("server", "http://127.0.0.1:8000/v1", ("openai",)),
    ],
)
def test_an_option_is_for_the_backends_that_have_it(option: str, value: object, backends: tuple[str, ...]) -> None:
    for backend in BACKENDS:
        if backend in backends:
            assert getattr(ModelChoice(backend=backend, **{option: value}).options, option) == value
        else:
            with pytest.raises(
                UsageError, match=f"^--{option} is for --backend {' or '.join(backends)}, not for {backend}$"
            ):
                ModelChoice(backend=backend, **{option: value})


def test_a_value_that_is_not_possible_is_refused_by_the_name_of_the_option() -> None:
    with pytest.raises(UsageError, match=r"^--batch-size must be at least 1, not 0$"):
        ModelChoice(batch_size=0)
    with pytest.raises(UsageError, match="unknown key 'colour'"):
        ModelChoice(colour="red")


def test_a_choice_with_other_options_keeps_the_rest() -> None:
    choice = ModelChoice(model="embedded", fps=4.0, batch_size=2).but(scoring="generate", batch_size=3)
    assert choice.said == {"model": "embedded", "fps": 4.0, "batch_size": 3, "scoring": "generate"}
    assert choice.look.fps == 4.0
