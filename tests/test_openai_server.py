"""A real vLLM server on loopback sees what a model in this process sees, and gives the same probabilities."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydantic import SecretStr

from hpvqa.errors import RunError, UsageError
from hpvqa.main import main
from hpvqa.scene.spec import SIDES, Side
from hpvqa.vlm.backends.openai import OpenAIAnswerer
from hpvqa.vlm.backends.openai.packing import Packing, Sent
from hpvqa.vlm.chat import render
from hpvqa.vlm.families import get_family
from hpvqa.vlm.options import ServerOptions, TransformersOptions
from hpvqa.vlm.processing import encode, load_processor
from hpvqa.vlm.protocol import Query
from tests.adapters import make_adapter
from tests.engine_checks import clips, halved, mixed_queries, reversed_in_time, swapped, table
from tests.factories import make_data
from tests.servers import served_by_vllm
from tests.tiny_models import TinyModel, batch_of, load_model, make_query, noise

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("vllm", "openai", "peft")),
        reason="needs vLLM, the OpenAI client and PEFT",
    ),
]

TOLERANCE = 1e-4
KEY = SecretStr("the-key-of-the-tests")


class Served:
    """A server, and what it serves.

    Attributes:
        url: Its address.
        model: The folder of its model, called ``base`` there.
        adapter: The folder of an adapter, called ``tuned``.
        media: A folder that it may read.
    """

    def __init__(self, url: str, model: Path, adapter: Path, media: Path) -> None:
        self.url, self.model, self.adapter, self.media = url, model, adapter, media

    def open(self, **options: Any) -> OpenAIAnswerer:
        """An answerer that asks it."""
        media = self.media if options.get("transport") == "file" else None
        return OpenAIAnswerer(
            ServerOptions(server=self.url, **{"model": "base", "key": KEY, "concurrency": 4, "media": media, **options})
        )

    def ask(self, queries: Sequence[Query], **options: Any) -> NDArray[np.float64]:
        """Log-probabilities of left and right, shape (queries, 2)."""
        answerer = self.open(**options)
        try:
            answerer.load(lambda said: None)
            assert answerer.resampling == "none"
            return table(answerer.answer(queries))
        finally:
            answerer.close()


@pytest.fixture(scope="module")
def served(tiny_model: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("server")
    # A server names what it serves after the folders.
    model, adapter, media = folder / "base", folder / "tuned", folder / "media"
    shutil.copytree(tiny_model("qwen3_vl", trained=True), model)
    make_adapter(model, adapter)
    media.mkdir()
    with served_by_vllm(model, folder, "--adapter", adapter, "--data", media, key=KEY) as url:
        yield Served(url, model, adapter, media)


@pytest.fixture(scope="module")
def here(served: Served) -> Callable[..., NDArray[np.float64]]:
    """``here(queries, adapter=None)``: what transformers says."""
    from hpvqa.vlm.backends.transformers import TransformersAnswerer

    def ask(queries: Sequence[Query], adapter: Path | None = None) -> NDArray[np.float64]:
        options = TransformersOptions(model=str(served.model), adapter=adapter, dtype="float32", device="cpu")
        answerer = TransformersAnswerer(options)
        try:
            answerer.load(lambda said: None)
            return table(answerer.answer(queries))
        finally:
            answerer.close()

    return ask


def test_a_clip_gives_the_probabilities_that_transformers_gives(
    served: Served, here: Callable[..., NDArray[np.float64]]
) -> None:
    queries = mixed_queries("qwen3_vl")
    assert np.abs(served.ask(queries) - here(queries)).max() < TOLERANCE


def test_a_file_gives_the_probabilities_that_transformers_gives(
    served: Served, here: Callable[..., NDArray[np.float64]]
) -> None:
    queries = [query for query in mixed_queries("qwen3_vl") if all(video.rate is not None for video in query.videos)]
    assert np.abs(served.ask(queries, transport="file") - here(queries)).max() < TOLERANCE
    assert list(served.media.iterdir()) == []


def test_an_adapter_is_asked_for_by_its_name(served: Served, here: Callable[..., NDArray[np.float64]]) -> None:
    queries = [make_query(clip) for clip in clips(4)]
    tuned = served.ask(queries, model="tuned")
    assert np.abs(tuned - here(queries, served.adapter)).max() < TOLERANCE
    assert np.abs(tuned - served.ask(queries)).max() > 100 * TOLERANCE


def test_other_frames_give_other_probabilities(served: Served) -> None:
    seen = clips(4)
    as_they_are = served.ask([make_query(clip) for clip in seen])
    for change in (reversed_in_time, halved):
        changed = served.ask([make_query(change(clip)) for clip in seen])
        assert np.abs(changed - as_they_are).max(axis=1).min() > 100 * TOLERANCE


def test_the_server_sees_the_same_tokens(served: Served) -> None:
    processor = load_processor(str(served.model))
    family = get_family("qwen3-vl")
    packing = Packing("clip", family, keep_frames=True, times=True, template=dict(family.chat_template_options))
    for count in (1, 2, 5, 8):
        sent = packing.pack(make_query(noise(count)))
        reply = post(served, sent, max_tokens=1, return_token_ids=True)
        assert reply["prompt_token_ids"] == batch_of(served.model, processor, [noise(count)])["input_ids"][0].tolist()


def test_words_of_several_tokens_are_scored_as_a_whole(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    processor, family = load_processor(str(served.model)), get_family("qwen3-vl")
    # As if these were the tokens of the words.
    spelled: dict[Side, tuple[Side, Side]] = {"left": ("left", "right"), "right": ("left", "left")}
    ids = {side: tuple(processor.tokenizer.convert_tokens_to_ids(list(spelled[side]))) for side in SIDES}

    async def tokens(api: object, there: object, word: Side) -> tuple[int, ...]:
        return ids[word]

    monkeypatch.setattr("hpvqa.vlm.backends.openai.trial._tokens", tokens)
    queries = [make_query(clip) for clip in clips(3)] + [swapped(make_query(clips(1)[0]))]
    answerer = served.open()
    try:
        answerer.load(lambda said: None)
        assert answerer.details["scored"] == "whole words"
        found = table(answerer.answer(queries))
    finally:
        answerer.close()
    import torch

    model = load_model(served.model).eval()
    for query, row in zip(queries, found, strict=True):
        for side, logprob in zip(SIDES, row, strict=True):
            text = render(processor, query, family) + "".join(spelled[side])
            with torch.inference_mode():
                logits = model(**encode(processor, family, [text], [query.videos])).logits[0, -3:-1]
            steps = logits.double().log_softmax(-1)
            assert abs(sum(float(steps[step, token]) for step, token in enumerate(ids[side])) - logprob) < TOLERANCE


@pytest.mark.parametrize("kind", ["mp4", "jpeg"])
def test_lossy_transport_is_measured(
    served: Served, kind: str, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    family = get_family("qwen3-vl")
    packing = Packing("clip", family, keep_frames=True, times=True, template=dict(family.chat_template_options))
    seen = clips(24, seed=5)
    queries = [make_query(clip) for clip in seen]
    exact = served.ask(queries)
    ids = load_processor(str(served.model)).tokenizer.convert_tokens_to_ids(list(SIDES))
    lossy = []
    for query in queries:
        sent = packing.pack(query)
        address = lossy_mp4(query.videos[0].images) if kind == "mp4" else jpegs(query.videos[0].images)
        sent.messages[-1]["content"][0]["video_url"]["url"] = address
        if kind == "mp4":
            sent.fields["media_io_kwargs"] = {"video": {"video_backend": "opencv", "num_frames": -1, "fps": -1}}
        fields = {"logprobs": True, "logprob_token_ids": ids, "return_tokens_as_token_ids": True}
        reply = post(served, sent, max_tokens=1, **fields)
        listed = reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        found = {token["token"]: token["logprob"] for token in listed}
        lossy.append([found[f"token_id:{token}"] for token in ids])
    difference = np.abs(np.array(lossy) - exact).max()
    share = float(np.mean(np.argmax(lossy, axis=1) == np.argmax(exact, axis=1)))
    record_property(f"equal answers over {kind}", share)
    with capsys.disabled():
        print(f"\n{kind}: {share:.0%} of {len(queries)} answers are equal, log-probabilities within {difference:.2g}")
    # It is lossy, so this could see a loss.
    assert difference > TOLERANCE
    assert share > 0.5


def test_generated_text_is_answered_too(served: Served) -> None:
    answerer = served.open(scoring="generate")
    answerer.load(lambda said: None)
    answers = answerer.answer([make_query(clip) for clip in clips(2)])
    answerer.close()
    assert [answer.error for answer in answers] == [None, None]
    assert all(answer.prompt_tokens and answer.answer_tokens for answer in answers)


def test_a_query_that_is_too_long_is_an_error_of_its_row(served: Served) -> None:
    answerer = served.open()
    answerer.load(lambda said: None)
    answers = answerer.answer([make_query(noise(200)), make_query(noise(4))])
    answerer.close()
    assert "400" in str(answers[0].error)
    assert "1024" in str(answers[0].error)
    assert answers[1].error is None


def test_what_a_user_may_get_wrong_is_a_sentence(served: Served, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="base, tuned"):
        served.open(model=None).load(print)
    with pytest.raises(UsageError, match="did you mean 'tuned'"):
        served.open(model="tunet").load(print)
    with pytest.raises(RunError, match="does not accept the key"):
        served.open(key=SecretStr("another")).load(print)
    with pytest.raises(RunError, match="wants a key"):
        served.open(key=None).load(print)
    with pytest.raises(RunError, match="another --transport"):
        served.open(transport="file", media=tmp_path).load(print)
    # Pictures would take memory that no clip needs.
    with pytest.raises(RunError, match="another --transport"):
        served.open(transport="images").load(print)


def test_asking_about_an_episode_gives_what_transformers_gives(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HPVQA_API_KEY", KEY.get_secret_value())
    data = make_data(tmp_path / "data", push=1, cameras=2)

    def ask(*args: object) -> str:
        with pytest.raises(SystemExit) as caught:
            main(["ask", "--latest", str(data), "--resolution", "64x64", *map(str, args)])
        assert caught.value.code in (0, None)
        return capsys.readouterr().out

    def odds(*args: object) -> list[float]:
        found = json.loads(ask("--json", *args))
        return [answer["p_left"] for answer in (*found["answers"], found["pooled"])]

    there = ("--server", served.url, "--model", "tuned")
    here = ("--model", served.model, "--adapter", served.adapter, "--device", "cpu")
    assert odds(*there) == pytest.approx(odds(*here), abs=TOLERANCE)
    free = ("What happens?", "--max-new-tokens", 8)
    assert ask(*there, *free).splitlines() == ask(*here, *free).splitlines()


def post(served: Served, sent: Sent, **fields: Any) -> dict[str, Any]:
    """The whole reply to a query."""
    from openai import OpenAI

    body = {"model": "base", "messages": sent.messages, "temperature": 0, **sent.fields, **fields}
    with OpenAI(base_url=served.url, api_key=KEY.get_secret_value()) as client:
        reply: dict[str, Any] = client.post("/chat/completions", cast_to=object, body=body)  # type: ignore[assignment]
    return reply


def lossy_mp4(images: NDArray[np.uint8]) -> str:
    """A video as most people would encode it."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=2, options={"crf": "23"})
        stream.height, stream.width = images.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return "data:video/mp4;base64," + base64.b64encode(buffer.getvalue()).decode()


def jpegs(images: NDArray[np.uint8]) -> str:
    """Frames as vLLM's own client would send them."""
    encoded = []
    for image in images:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG")
        encoded.append(base64.b64encode(buffer.getvalue()).decode())
    return "data:video/jpeg;base64," + ",".join(encoded)
